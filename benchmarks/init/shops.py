"""Shops, news and places: formats of public data sets."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.init.files import Log, Writer, json_lines, lines, table, workbook


def taobao(folder: Path) -> None:
    """UserBehavior.csv: no header, pv, buy, cart, fav."""
    log = Log(11)
    kinds = ["pv", "cart", "fav", "buy"]
    rows = [
        (u, 2_000_000 + i * 31, 4_000_000 + i % 12, log.pick(kinds, [0.85, 0.07, 0.05, 0.03]), int(t.timestamp()))
        for (u, i), t in zip(log.pairs(), log.times(days=9), strict=True)
    ]
    lines(folder / "UserBehavior.csv", rows)


def retailrocket(folder: Path) -> None:
    """Events in milliseconds, properties of items one in each row and in two files."""
    log = Log(12)
    rows = []
    for place, ((u, i), t) in enumerate(zip(log.pairs(), log.times(), strict=True)):
        event = log.pick(["view", "addtocart", "transaction"], [0.93, 0.05, 0.02])
        rows.append(
            (int(t.timestamp() * 1000), 257_000 + u, event, 355_000 + i, place if event == "transaction" else "")
        )
    table(folder / "events.csv", [("timestamp", "visitorid", "event", "itemid", "transactionid"), *rows])
    said = []
    for item in range(1, 121):
        for name, value in (
            ("categoryid", 1_000 + item % 15),
            ("790", f"n{item * 120}.000"),
            ("available", item % 2),
            ("888", f"{item * 7919} {item}"),
        ):
            said.append((1_435_460_400_000 + item * 604_800_000 // 100, 355_000 + item, name, value))
    log.rng.shuffle(said)
    for part in (1, 2):
        table(
            folder / f"item_properties_part{part}.csv",
            [("timestamp", "itemid", "property", "value"), *said[part - 1 :: 2]],
        )
    table(folder / "category_tree.csv", [("categoryid", "parentid"), *((1_000 + i, 900 + i % 4) for i in range(15))])


RETAIL = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


def _retail(log: Log) -> list[tuple[object, ...]]:
    goods = [
        (f"{21_000 + i}{'AB'[i % 2] if i % 9 == 0 else ''}", log.title().upper(), 0.55 + i % 17) for i in range(1, 121)
    ]
    rows = []
    for place, ((u, i), t) in enumerate(zip(log.pairs(), log.times(days=370), strict=True)):
        back = log.rng.random() < 0.04
        count = int(-1 if back else log.pick([1, 2, 6, 12]))
        invoice = f"{'C' if back else ''}{536_365 + place // 4}"
        rows.append(
            (invoice, *goods[i - 1][:2], count, t, goods[i - 1][2], 12_346 + u if place % 4 else "", "United Kingdom")
        )
    return rows


def online_retail_csv(folder: Path) -> None:
    """Days before months, returns as negative quantities, customers missing, no table of items."""
    rows = [(*r[:4], f"{r[4]:%d/%m/%Y %H:%M}", *r[5:]) for r in _retail(Log(13))]  # type: ignore[str-bytes-safe]
    table(folder / "online_retail.csv", [RETAIL, *rows], "latin-1")


def online_retail_xlsx(folder: Path) -> None:
    """The same as a workbook, dates as Excel keeps them."""
    rows = []
    for r in _retail(Log(14)):
        day = 25_569 + r[4].timestamp() / 86_400  # type: ignore[attr-defined]
        rows.append((*r[:4], day, r[5], r[6] or None, r[7]))
    workbook(folder / "Online Retail.xlsx", RETAIL, rows, dates=[4])


def h_and_m(folder: Path) -> None:
    """Days alone, article numbers with leading zeros, customers as hashes, many columns of categories."""
    log = Log(15)
    people = [f"{int(log.rng.integers(1 << 62)):064x}" for _ in range(60)]
    codes = [f"0{108_775_000 + i * 1_013:09}" for i in range(1, 121)]
    sold = [
        (f"{t:%Y-%m-%d}", people[u - 1], codes[i - 1], f"{0.0169 * (1 + i % 5):.6f}", log.pick([1, 2]))
        for (u, i), t in zip(log.pairs(), log.times(), strict=True)
    ]
    table(
        folder / "transactions_train.csv", [("t_dat", "customer_id", "article_id", "price", "sales_channel_id"), *sold]
    )
    names = (
        "article_id",
        "product_code",
        "prod_name",
        "product_type_no",
        "product_type_name",
        "product_group_name",
        "colour_group_name",
        "department_no",
        "department_name",
        "section_name",
        "garment_group_name",
        "detail_desc",
    )
    articles = [
        (
            c,
            c[:7],
            log.title(),
            253 + i % 5,
            log.pick(["Vest top", "Bra", "Socks"]),
            log.pick(["Garment Upper body", "Underwear"]),
            log.pick(["Black", "White"]),
            1_676 + i % 6,
            "Jersey Basic",
            "Womens Everyday Basics",
            "Jersey Basic",
            log.text(14),
        )
        for i, c in enumerate(codes)
    ]
    table(folder / "articles.csv", [names, *articles])
    customers = [
        (
            p,
            "1.0" if n % 2 else "",
            "1.0" if n % 2 else "",
            "ACTIVE",
            log.pick(["NONE", "Regularly"]),
            str(20 + n % 50),
            f"{n * 7_919:064x}",
        )
        for n, p in enumerate(people)
    ]
    table(
        folder / "customers.csv",
        [
            ("customer_id", "FN", "Active", "club_member_status", "fashion_news_frequency", "age", "postal_code"),
            *customers,
        ],
    )


def mind(folder: Path) -> None:
    """A list of what was shown in each row, clicks marked by -1; news with quotation marks that mean nothing."""
    log = Log(16)
    shown = []
    for place, ((u, _), t) in enumerate(
        zip(log.pairs(), log.times(days=6, begin=datetime(2019, 11, 9, tzinfo=UTC)), strict=True)
    ):
        seen = " ".join(f"N{10_000 + int(each)}" for each in log.rng.integers(1, 121, int(log.rng.integers(0, 6))))
        offered = log.rng.choice(120, 5, replace=False)
        marks = " ".join(f"N{10_001 + int(each)}-{int(n == 0)}" for n, each in enumerate(offered))
        shown.append((place + 1, f"U{80_000 + u}", f"{t.month}/{t.day}/{t.year} {t:%I:%M:%S %p}", seen, marks))
    lines(folder / "behaviors.tsv", shown, "\t")
    entity = json.dumps([{"Label": "Prince Philip", "Type": "P", "WikidataId": "Q80976", "OccurrenceOffsets": [48]}])
    news = [
        (
            f"N{10_000 + i}",
            log.pick(["lifestyle", "news", "sports"]),
            log.pick(["lifestyleroyals", "football_nfl", "newsus"]),
            ('"' if i % 30 == 2 else "") + log.title(),
            log.text(20) if i % 11 else "",
            f"https://assets.msn.com/labs/mind/AA{i}.html",
            entity if i % 3 else "[]",
            "[]",
        )
        for i in range(1, 121)
    ]
    lines(folder / "news.tsv", news, "\t")
    lines(folder / "entity_embedding.vec", [("Q80976", *(f"{x:.6f}" for x in log.rng.normal(size=8)))], "\t")


def amazon_2018(folder: Path) -> None:
    """Packed JSON lines, prices with signs, lists of descriptions, two columns of times."""
    log = Log(17)
    asins = [f"B00{i * 7_919 % 10_000_000:07}" for i in range(1, 121)]
    reviews = [
        {
            "overall": float(log.pick([1, 2, 3, 4, 5])),
            "verified": bool(log.rng.random() < 0.8),
            "reviewTime": f"{t:%m %d, %Y}",
            "reviewerID": f"A{u:013}",
            "asin": asins[i - 1],
            "reviewerName": log.title(),
            "reviewText": log.text(),
            "summary": log.title(),
            "unixReviewTime": int(t.timestamp()) // 86_400 * 86_400,
        }
        for (u, i), t in zip(log.pairs(), log.times(), strict=True)
    ]
    json_lines(folder / "Luxury_Beauty_5.json.gz", reviews)
    meta = [
        {
            "category": [],
            "tech1": "",
            "description": [log.text()] if i % 3 else [],
            "fit": "",
            "title": log.title(),
            "also_buy": [],
            "brand": log.title(),
            "feature": [],
            "rank": f"{i:,} in Beauty (",
            "also_view": [],
            "main_cat": "Luxury Beauty",
            "similar_item": "",
            "date": "",
            "price": f"${i / 4:.2f}" if i % 5 else "",
            "asin": asin,
            "imageURL": [],
        }
        for i, asin in enumerate(asins)
    ]
    json_lines(folder / "meta_Luxury_Beauty.json.gz", meta)


def amazon_2023(folder: Path) -> None:
    """Variants share a parent by which metadata is found; times in milliseconds; a review has a title too."""
    log = Log(18)
    parents = [f"B0{i * 7_919 % 100_000_000:08}" for i in range(1, 121)]
    reviews = [
        {
            "rating": float(log.pick([1, 2, 3, 4, 5])),
            "title": log.title(),
            "text": log.text(),
            "images": [],
            "asin": parents[i - 1] if i % 3 else f"B1{i:08}",
            "parent_asin": parents[i - 1],
            "user_id": f"AE{u:026}",
            "timestamp": int(t.timestamp() * 1000),
            "helpful_vote": int(log.rng.integers(5)),
            "verified_purchase": True,
        }
        for (u, i), t in zip(log.pairs(), log.times(), strict=True)
    ]
    json_lines(folder / "All_Beauty.jsonl.gz", reviews)
    meta = [
        {
            "main_category": "All Beauty",
            "title": log.title(),
            "average_rating": 4.5,
            "rating_number": i,
            "features": [],
            "description": [log.text(8)],
            "price": i / 4 if i % 4 else None,
            "images": [{"thumb": "https://m.media-amazon.com/a.jpg", "variant": "MAIN"}],
            "videos": [],
            "store": log.title(),
            "categories": log.some(["Hair", "Skin", "Nails"]),
            "details": {"Brand": "Yes To"},
            "parent_asin": p,
            "bought_together": None,
        }
        for i, p in enumerate(parents)
    ]
    json_lines(folder / "meta_All_Beauty.jsonl.gz", meta)


def yelp(folder: Path) -> None:
    """JSON lines: reviews, businesses, users, tips, check-ins."""
    log = Log(19)
    users, places = (
        [f"{kind}{int(log.rng.integers(1 << 60)):021d}" for _ in range(n)] for kind, n in (("u", 60), ("b", 120))
    )
    pairs, times = log.pairs(), log.times()
    reviews = [
        {
            "review_id": f"r{n:021}",
            "user_id": users[u - 1],
            "business_id": places[i - 1],
            "stars": float(log.pick([1, 2, 3, 4, 5])),
            "useful": int(log.rng.integers(4)),
            "funny": 0,
            "cool": 1,
            "text": log.text(),
            "date": f"{t:%Y-%m-%d %H:%M:%S}",
        }
        for n, ((u, i), t) in enumerate(zip(pairs, times, strict=True))
    ]
    json_lines(folder / "yelp_academic_dataset_review.json", reviews)
    business = [
        {
            "business_id": p,
            "name": log.title(),
            "address": "1 Main St",
            "city": "Tampa",
            "state": "FL",
            "postal_code": "33602",
            "latitude": 27.9 + i / 1000,
            "longitude": -82.4,
            "stars": 3.5,
            "review_count": i,
            "is_open": 1,
            "attributes": {"BikeParking": "True"},
            "categories": ", ".join(log.some(["Restaurants", "Food", "Pubs", "Burgers"])),
            "hours": None,
        }
        for i, p in enumerate(places)
    ]
    json_lines(folder / "yelp_academic_dataset_business.json", business)
    people = [
        {
            "user_id": u,
            "name": "Jane",
            "review_count": n,
            "yelping_since": "2009-01-25 04:35:42",
            "useful": 3,
            "friends": "",
            "fans": n,
            "average_stars": 3.9,
        }
        for n, u in enumerate(users)
    ]
    json_lines(folder / "yelp_academic_dataset_user.json", people)
    json_lines(
        folder / "yelp_academic_dataset_tip.json",
        [
            {
                "user_id": r["user_id"],
                "business_id": r["business_id"],
                "text": "Nice.",
                "date": r["date"],
                "compliment_count": 0,
            }
            for r in reviews[:50]
        ],
    )
    json_lines(
        folder / "yelp_academic_dataset_checkin.json",
        [{"business_id": p, "date": "2016-04-26 19:49:16, 2016-08-30 18:36:57"} for p in places],
    )


WRITERS: Final[dict[str, Writer]] = {
    "taobao": taobao,
    "retailrocket": retailrocket,
    "online-retail-csv": online_retail_csv,
    "online-retail-xlsx": online_retail_xlsx,
    "h-and-m": h_and_m,
    "mind": mind,
    "amazon-2018": amazon_2018,
    "amazon-2023": amazon_2023,
    "yelp": yelp,
}
