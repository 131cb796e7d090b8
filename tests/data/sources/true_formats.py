"""Small files as the publishers of known data sets write them: quirks are theirs, rows are made."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

# fmt: off
Writer = Callable[[Path], None]


def text(folder: Path, name: str, *lines: str, encoding: str = "utf-8", end: str = "\n") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(line + end for line in lines).encode(encoding))


def jsonl(folder: Path, name: str, *records: Mapping[str, Any]) -> None:
    text(folder, name, *map(json.dumps, records))


def movielens_csv(folder: Path) -> None:
    text(folder, "ratings.csv", "userId,movieId,rating,timestamp", "1,1,4.0,964982703", "1,2,0.5,964981247",
         "2,3,5.0,1445714835", end="\r\n")
    text(folder, "movies.csv", "movieId,title,genres", "1,Toy Story (1995),Adventure|Animation|Children",
         '2,"American President, The (1995)",Comedy|Drama', "3,Nowhere Song (2018),(no genres listed)", end="\r\n")
    text(folder, "tags.csv", "userId,movieId,tag,timestamp", "2,1,pixar,1445714994")


def movielens_1m(folder: Path) -> None:
    text(folder, "ratings.dat", "1::1193::5::978300760", "1::661::3::978302109", "2::1193::1::978298413")
    text(folder, "movies.dat", "1193::Café, Le: \"L'Été\" (1975)::Drama|War",
         "661::James and the Giant Peach (1996)::Musical",
         encoding="latin-1")
    text(folder, "users.dat", "1::F::1::10::48067", "2::M::56::16::70072")


def amazon_2018(folder: Path) -> None:
    review = {
        "overall": 5.0,
        "verified": True,
        "reviewTime": "08 17, 2015",
        "asin": "0143026860",
        "style": {"Size:": " 1"},
    }
    jsonl(
        folder,
        "All_Beauty_5.json",
        review | {"reviewerID": "A1V6", "reviewText": "Great!", "summary": "Yes", "unixReviewTime": 1439769600},
        review | {"reviewerID": "A2XX", "overall": 1.0, "vote": "1,024", "unixReviewTime": 1437004800},
        review | {"reviewerID": "A2XX", "asin": "B0001", "reviewText": "ok", "unixReviewTime": 1437004800},
    )
    book = {"category": ["Books", "Travel"], "description": ["Maps.", "Walks."], "title": "Loud", "brand": "Lonely",
            "price": "$25.00", "asin": "0143026860", "feature": [], "rank": "3,4 in Books (", "also_buy": ["B0001"]}
    jsonl(folder, "meta_All_Beauty.json", book, book, book | {"asin": "B0001", "description": [], "price": ""})


def amazon_2023(folder: Path) -> None:
    review = {"rating": 5.0, "title": "Nice", "text": "Smells good", "images": [], "asin": "B00YQ6X8EO",
              "parent_asin": "B00YQ6", "user_id": "AGKH", "timestamp": 1588687728923, "helpful_vote": 0,
              "verified_purchase": True}
    jsonl(folder, "All_Beauty.jsonl", review, review | {"user_id": "AFQL", "asin": "B00YQ6X8FF", "rating": 2.0})
    jsonl(
        folder,
        "meta_All_Beauty.jsonl",
        {"main_category": "All Beauty", "title": "Spray", "average_rating": 4.8, "features": [], "price": 12.5,
         "description": ["For", "hair"], "images": [], "videos": [], "store": "Howard", "categories": [],
         "details": {"Package": "7 x 5"}, "parent_asin": "B00YQ6", "bought_together": None},
        {"title": "Comb", "description": [], "price": None, "store": None, "categories": ["Hair"],
         "parent_asin": "B07"},
    )


def mind(size: str) -> Writer:
    def write(folder: Path) -> None:
        for name, day in (("train", 11), ("dev", 15)):
            text(
                folder,
                f"MIND{size}_{name}/behaviors.tsv",
                f"1\tU13740\t11/{day}/2019 9:05:58 AM\tN55189 N42782\tN55689-1 N35729-0",
                f'2\tU91836\t11/{day}/2019 12:11:10 PM\t\tN20678-0 "N"-0 N35729-1',
            )
            text(folder, f"MIND{size}_{name}/news.tsv",
                 "N55689\tsports\tfootball\tThe \"Brawl\" today\tCharles, 73, won.\thttps://a.html\t[]\t[]",
                 "N35729\tnews\tnewsus\tPorsche lost\t\thttps://b.html\t[]\t[]")

    return write


def yelp(folder: Path) -> None:
    review = {"review_id": "KU_O5", "user_id": "mh_-e", "business_id": "XQfwV", "stars": 3.0, "useful": 0,
              "text": "If you decide to eat here,\n\nbe aware…", "date": "2018-07-07 22:09:11"}
    jsonl(folder, "yelp_academic_dataset_review.json", review, review | {"review_id": "BiTun", "stars": 1.0})
    jsonl(folder, "yelp_academic_dataset_business.json",
          {"business_id": "XQfwV", "name": "Turning Point", "city": "North Wales", "state": "PA", "stars": 3.0,
           "attributes": {"BusinessParking": "{'garage': False}"}, "categories": "Restaurants, Breakfast & Brunch",
           "hours": None})


def goodreads(folder: Path) -> None:
    shelf = {"user_id": "8842281e", "book_id": "24375664", "review_id": "5cd416f3", "is_read": True, "rating": 5,
             "review_text_incomplete": "Mind blowing", "date_added": "Fri Aug 25 13:55:02 -0700 2017",
             "date_updated": "Mon Oct 09 08:55:59 -0700 2017", "read_at": "", "started_at": ""}
    jsonl(folder, "goodreads_interactions_poetry.json", shelf,
          shelf | {"user_id": "f50", "is_read": False, "rating": 0, "review_text_incomplete": ""})
    jsonl(folder, "goodreads_books_poetry.json",
          {"isbn": "0312853122", "popular_shelves": [{"count": "3", "name": "poetry"}, {"count": "1", "name": "kobo"}],
           "book_id": "24375664", "title": "The Raven", "description": "Once upon a midnight", "publisher": "St. M",
           "publication_year": "1984", "authors": [{"author_id": "604031", "role": ""}], "language_code": "eng"})


def book_crossing(folder: Path) -> None:
    text(folder, "BX-Book-Ratings.csv", '"User-ID";"ISBN";"Book-Rating"', '"276725";"034545104X";"0"',
         '"276726";"0155061224";"5"', '"276726";"034545104X";"10"', encoding="latin-1", end="\r\n")
    text(folder, "BX-Books.csv",
         '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";"Image-URL-L"',
         '"034545104X";"Flesh &amp; Blood; \\"Tales\\"";"Amélie M.";"2002";"Ballantine";"http://s";"http://m";"http://l"',
         '"0155061224";"Rites of Passage";"Judith Rae";"0";"Heinle";"http://s";"http://m";"http://l"',
         encoding="latin-1", end="\r\n")
    text(folder, "BX-Users.csv", '"User-ID";"Location";"Age"', '"276725";"tyler, texas, usa";NULL',
         '"276726";"münchen, bayern, germany";"18"', encoding="latin-1", end="\r\n")


def lastfm_1k(folder: Path) -> None:
    text(folder, "userid-timestamp-artid-artname-traid-traname.tsv",
         "user_000001\t2009-05-04T23:08:57Z\tf1b1cf71\tDeep Dish\t\tFuck Me I'm Famous",
         "user_000001\t2009-05-04T13:54:10Z\t\tNULL\t\t12\" \"Mix",
         "user_000002\t2009-05-04T13:52:04Z\tf1b1cf71\tDeep Dish\ta7f\tOther")
    text(folder, "userid-profile.tsv", "#id\tgender\tage\tcountry\tregistered",
         "user_000001\tm\t\tJapan\tAug 13, 2006", "user_000002\tf\t19\tPeru\tFeb 24, 2006")


def lastfm_360k(folder: Path) -> None:
    text(folder, "usersha1-artmbid-artname-plays.tsv",
         "00000c289a1829a8\t3bd73256\tbetty blowtorch\t2137", "00000c289a1829a8\t\t\"weird\" al\t1",
         "00001411dc427966\t3bd73256\tbetty blowtorch\t897")
    text(folder, "usersha1-profile.tsv", "00000c289a1829a8\tf\t\tGermany\tFeb 1, 2007",
         "00001411dc427966\tm\t21\tGermany\tDec 4, 2007")


def lastfm_2k(folder: Path) -> None:
    text(folder, "user_artists.dat", "userID\tartistID\tweight", "2\t51\t13883", "2\t52\t11690", "3\t51\t7", end="\r\n")
    text(folder, "artists.dat", "id\tname\turl\tpictureURL", "51\tDuran Duran\thttp://d\thttp://p",
         "52\t\"Morcheeba\" Björk\thttp://m\t")


def steam_ucsd(folder: Path) -> None:
    text(folder, "steam_reviews.json",
         "{u'username': u'Chaos Syren', u'hours': 0.1, u'products': 41, u'product_id': u'725280', u'page_order': 0, "
         "u'date': u'2017-12-17', u'text': u'This would not be \"acceptable\"', u'early_access': False, u'page': 1}",
         "{u'username': u'\\u2665 Ariman', u'product_id': u'761140', u'user_id': u'7656119', u'date': u'2017-08-02', "
         "u'text': u\"I can't\", u'compensation': u'Product received for free', u'early_access': True}")
    text(folder, "steam_games.json",
         "{u'publisher': u'Kotoshiro', u'genres': [u'Action', u'Indie'], u'app_name': u'Lost Summoner Kitty', "
         "u'release_date': u'2018-01-04', u'tags': [u'Strategy'], u'price': 4.99, u'id': u'761140', "
         "u'developer': u'K'}",
         "{u'genres': [u'Free to Play'], u'app_name': u'SNOW', u'price': u'Free To Play', u'id': u'725280'}")


def steam_200k(folder: Path) -> None:
    text(folder, "steam-200k.csv", "151603712,The Elder Scrolls V Skyrim,purchase,1.0,0",
         "151603712,The Elder Scrolls V Skyrim,play,273.0,0", '59945701,"Sid Meier, Civ",purchase,1.0,0')


def retailrocket(folder: Path) -> None:
    text(folder, "events.csv", "timestamp,visitorid,event,itemid,transactionid", "1433221332117,257597,view,355908,",
         "1433222276276,287857,addtocart,248676,", "1433222276999,287857,transaction,248676,4000")
    head = "timestamp,itemid,property,value"
    text(folder, "item_properties_part1.csv", head, "1435460400000,355908,categoryid,1338",
         "1441508400000,355908,available,1", "1439089200000,248676,790,n32880.000")
    text(folder, "item_properties_part2.csv", head, "1433041200000,248676,categoryid,500",
         "1441508400000,355908,categoryid,1340")


def hm(folder: Path) -> None:
    head = "t_dat,customer_id,article_id,price,sales_channel_id"
    text(folder, "transactions_train.csv", head, "2018-09-20,000058a1,0663713001,0.050830508474576264,2",
         "2018-09-20,000058a1,0663713001,0.050830508474576264,2",
         "2018-09-21,00007d2d,0505221004,0.01523728813559322,1")
    text(folder, "articles.csv",
         "article_id,product_code,prod_name,product_type_name,product_group_name,colour_group_name,index_group_name,"
         "garment_group_name,detail_desc",
         "0663713001,0663713,Atlanta Push Body,Bodysuit,Underwear,Black,Ladieswear,Under-,Lace push-up body",
         '0505221004,0505221,Lucy roll-neck,Sweater,Upper body,Pink,Divided,Knitwear,"Jumper, soft"')
    text(folder, "customers.csv",
         "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code",
         "000058a1,,,ACTIVE,NONE,49,52043ee2", "00007d2d,1.0,1.0,ACTIVE,Regularly,,abc")


def taobao(folder: Path) -> None:
    text(folder, "UserBehavior.csv", "1,2268318,2520377,pv,1511544070", "1,2268318,2520377,cart,1511561733",
         "100,2333346,2520771,fav,1511572885", "100,2333346,2520772,buy,1511593493")


def online_retail(name: str, sheets: Mapping[str, str], price: str, customer: str, invoice: str) -> Writer:
    def write(folder: Path) -> None:
        head = (invoice, "StockCode", "Description", "Quantity", "InvoiceDate", price, customer, "Country")
        rows = [
            ("536365", "85123A", "WHITE HANGING HEART", 6, 40513.351388888892, 2.55, 17850, "United Kingdom"),
            ("536365", 22752, "SET 7 BABUSHKA", 2, 40513.351388888892, 7.65, 17850, "United Kingdom"),
            ("C536379", 22752, "SET 7 BABUSHKA", -1, 40513.403472222224, 7.65, 17851, "United Kingdom"),
            ("536414", 22139, None, 56, 40513.494444444441, 0, None, "United Kingdom"),
        ]
        workbook(folder / name, {title: [head, *rows] for title in sheets})

    return write


def workbook(path: Path, sheets: Mapping[str, list[tuple[Any, ...]]]) -> None:
    """An .xlsx file whose fifth column holds dates."""
    main, office = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006",
        "http://schemas.openxmlformats.org/officeDocument/2006",
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = [f"worksheets/sheet{number}" for number in range(1, len(sheets) + 1)]
    overrides = "".join(f'<Override PartName="/xl/{part}.xml" ContentType="{kind}.worksheet+xml"/>' for part in parts)
    links = "".join(f'<Relationship Id="r{n}" Type="{office}/relationships/worksheet" Target="{part}.xml"/>'
                    for n, part in enumerate(parts, 1))
    named = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
                         'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
                         f'PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override PartName='
                         f'"/xl/styles.xml" ContentType="{kind}.styles+xml"/>{overrides}</Types>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
                         f'"{office}/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{main}/main" xmlns:r="{office}/relationships"><sheets>'
                         f"{named}</sheets></workbook>")
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}'
                         f'<Relationship Id="s" Type="{office}/relationships/styles" Target="styles.xml"/>'
                         '</Relationships>')
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{main}/main"><fonts count="1"><font/></fonts><fills '
                         'count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>'
                         '</cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" '
                         'applyNumberFormat="1"/></cellXfs></styleSheet>')
        for part, rows in zip(parts, sheets.values(), strict=True):
            lines = "".join(f'<row r="{n}">{_cells(n, row)}</row>' for n, row in enumerate(rows, 1))
            archive.writestr(
                f"xl/{part}.xml", f'<worksheet xmlns="{main}/main"><sheetData>{lines}</sheetData></worksheet>'
            )


def _cells(row: int, values: tuple[Any, ...]) -> str:
    cells = []
    for place, value in enumerate(values):
        at, style = f'r="{"ABCDEFGH"[place]}{row}"', ' s="1"' if place == 4 else ""
        if isinstance(value, str):
            cells.append(f'<c {at} t="inlineStr"><is><t>{value}</t></is></c>')
        elif value is not None:
            cells.append(f"<c {at}{style}><v>{value}</v></c>")
    return "".join(cells)


WRITERS: Final[Mapping[str, Writer]] = {
    "movielens-latest-small": movielens_csv, "movielens-25m": movielens_csv, "movielens-32m": movielens_csv,
    "movielens-1m": movielens_1m, "amazon-reviews-2018": amazon_2018, "amazon-reviews-2023": amazon_2023,
    "mind-small": mind("small"), "mind-large": mind("large"), "yelp": yelp, "goodreads": goodreads,
    "book-crossing": book_crossing, "lastfm-1k": lastfm_1k, "lastfm-360k": lastfm_360k, "lastfm-2k": lastfm_2k,
    "steam-ucsd": steam_ucsd, "steam-200k": steam_200k, "retailrocket": retailrocket, "hm": hm, "taobao": taobao,
    "online-retail": online_retail("Online Retail.xlsx", {"Online Retail": ""}, "UnitPrice", "CustomerID", "InvoiceNo"),
    "online-retail-2": online_retail("online_retail_II.xlsx", {"Year 2009-2010": "", "Year 2010-2011": ""}, "Price",
                                     "Customer ID", "Invoice"),
}
"""Data set → what writes its files into a folder."""
