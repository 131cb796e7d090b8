"""Shops, news and places: formats of public data sets."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.init.files import Log, Writer, lines, table, workbook


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


WRITERS: Final[dict[str, Writer]] = {
    "taobao": taobao,
    "retailrocket": retailrocket,
    "online-retail-csv": online_retail_csv,
    "online-retail-xlsx": online_retail_xlsx,
    "h-and-m": h_and_m,
    "mind": mind,
}
