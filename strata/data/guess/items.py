"""Guesses what files say of items, and what is known of them where they have no file of their own."""

from collections.abc import Callable
from typing import Any

import polars as pl

from strata.data.guess import lists, times
from strata.data.guess.columns import named, pick
from strata.data.guess.events import by_layout, decimal
from strata.data.guess.ids import settle_id
from strata.data.guess.ledger import Ledger
from strata.data.guess.names import rank, synonyms
from strata.data.guess.sample import Sample
from strata.data.guess.tables import Files, is_properties
from strata.data.sources.values import ValueSettings, text

_OF_ITEMS = ("title", "description", "categories", "tags", "brand", "price", "language", "created_at", "removed_at")
_ONE_VALUE, _PRICED = 0.9, 0.5
"""Share of rows that hold their item's usual value, from which a column tells of the item; prices change."""
_SHORT = 80.0


def settle(ledger: Ledger, files: Files) -> None:
    """Note the settings of items: of their file, else of what the interactions' file tells of them."""
    sample = files.tables.get("items")
    if sample is None:
        _from_interactions(ledger, files)
        return
    if layout := files.layouts.get("items"):
        by_layout(ledger, "items", sample, layout)
        created = ledger.guesses.get(("items", "columns", "created_at"))
        if created is not None and created.value in sample.facts:
            times.settle(ledger, "items", "created_at", sample.facts[created.value])
        return
    if is_properties(sample):
        _properties(ledger, sample)
        return
    if not sample.headed:
        _by_content(ledger, sample)
        return
    taken: list[str] = []
    settle_id(ledger, files, sample, "items", taken)
    _attributes_of_items(ledger, sample, taken, lambda name: True)


def _by_content(ledger: Ledger, sample: Sample) -> None:
    """Items of a file whose columns have no names: all of it is unsure."""
    first, *others = sample.facts
    titles = [name for name in others if sample.facts[name].unique and not sample.facts[name].numeric]
    for ours, theirs in (("item_id", first), ("title", titles[0] if titles else None)):
        choices = [name for name in sample.facts if name != theirs]
        ledger.settle(("items", "columns", ours), theirs, "no name says so", sure=False, choices=choices)
    if set_ := lists.flags(sample, [first]):
        ledger.settle(("items", "flags", "categories"), set_, "columns of 0 and 1", sure=False, choices=[None])


def _attributes_of_items(ledger: Ledger, sample: Sample, taken: list[str], tells: Callable[[str], bool]) -> None:
    found: dict[str, str] = {}
    for ours in _OF_ITEMS:
        own = [name for name in sample.facts if not tells(name)]
        doubtful = ours in ("title", "categories") and ours not in found
        theirs = pick(ledger, sample, "items", ours, [*taken, *own], doubtful=doubtful)
        if isinstance(several := ledger.answered("items", "columns", ours), list):  # nothing is concluded from them
            taken += several
        elif theirs:
            found[ours] = theirs
            taken.append(theirs)
    told = found.get("description")
    if (
        "title" not in found
        and told
        and sample.facts[told].length <= _SHORT
        and ("items", "columns", "title") not in ledger.answers
    ):
        del ledger.guesses["items", "columns", "description"]
        ledger.settle(("items", "columns", "title"), told, "nothing else is a title, and its texts are short")
    _lists(ledger, sample, found, taken)
    decimal(ledger, "items", sample.facts[found["price"]] if "price" in found else None)
    for ours in ("created_at", "removed_at"):
        if ours in found:
            times.settle(ledger, "items", ours, sample.facts[found[ours]])
    _missing(ledger, "items", sample, list(found.values()), found.get("title"))


def _lists(ledger: Ledger, sample: Sample, found: dict[str, str], taken: list[str]) -> None:
    """Note what divides categories and tags, or which columns hold an entry or a flag each."""
    told = [ours for ours in ("categories", "tags") if ours in found]
    lists.settle(ledger, "items", {ours: sample.facts[found[ours]] for ours in told})
    for ours in ("categories", "tags"):
        key = ("items", "columns", ours)
        if ours not in found and key not in ledger.answers and (several := lists.numbered(sample, ours, taken)):
            ledger.settle(key, several, "columns of one name, numbered")
            taken += several
    if ("items", "columns", "categories") not in ledger.guesses and (flags := lists.flags(sample, taken)):
        ledger.settle(("items", "flags", "categories"), flags, "columns of 0 and 1", sure=False, choices=[None])


def _from_interactions(ledger: Ledger, files: Files) -> None:
    sample = files.tables["interactions"]
    layout = files.layouts.get("interactions")
    if layout is not None:
        if also := layout.get("also"):
            _same_file(ledger, files, sample)
            by_layout(ledger, "items", sample, {**also, "name": layout["name"]})
        return
    item = ledger.guesses.get(("interactions", "columns", "item_id"))
    if not sample.headed or item is None or not isinstance(item.value, str):
        return
    taken = [
        g.value for k, g in ledger.guesses.items() if k[:2] == ("interactions", "columns") and isinstance(g.value, str)
    ]
    telling = {name for name in sample.facts if name not in taken and _tells_of(sample, item.value, name)}
    candidates = [
        n for n in telling if any(rank("items", ours, n) is not None for ours in ("title", "description", "categories"))
    ]
    if not candidates and not _same_name(sample, item.value):
        return
    _same_file(ledger, files, sample)
    ledger.settle(("items", "columns", "item_id"), item.value, item.why, sure=item.sure)
    ledger.settle(("items", "repeated"), "first", "its rows are interactions: what stands first of an item is taken")
    if candidates:
        _attributes_of_items(ledger, sample, taken, lambda name: name in telling)
    else:
        ledger.settle(("items", "columns", "title"), item.value, "its ids are words")


def _same_name(sample: Sample, item: str) -> bool:
    facts = sample.facts[item]
    return not facts.numeric and facts.share(r"\p{L}+ \p{L}+") > 0.3


def _same_file(ledger: Ledger, files: Files, sample: Sample) -> None:
    files.tables["items"] = sample
    ledger.settle(("items", sample.origin), sample.file, "its rows tell of the items as well")
    for name in sample.written:
        guess = ledger.guesses[("interactions", name)]
        ledger.settle(("items", name), guess.value, guess.why)
    for key, guess in list(ledger.guesses.items()):
        if key[0] == "interactions" and key[1] in ("decimal", "thousands", "missing"):
            ledger.settle(("items", *key[1:]), guess.value, guess.why)


def _tells_of(sample: Sample, item: str, column: str) -> bool:
    """Whether a column has one value for nearly every item that has several rows."""
    schema = sample.frame.schema
    if schema[column].is_nested():
        return False
    pairs = sample.frame.select(
        text(pl.col(item), schema[item]).alias("i"), text(pl.col(column), schema[column]).alias("v")
    )
    counts = (
        pairs.drop_nulls()
        .group_by("i", "v")
        .len()
        .group_by("i")
        .agg(pl.col("len").max() / pl.col("len").sum(), n=pl.col("len").sum())
    )
    several = counts.filter(pl.col("n") > 1)
    if several.is_empty():
        return False
    same = float((several["len"] * several["n"]).to_numpy().sum() / several["n"].to_numpy().sum())
    return same >= (_PRICED if rank("items", "price", column) is not None else _ONE_VALUE)


def _properties(ledger: Ledger, sample: Sample) -> None:
    name, value = (named(sample, "properties", part)[0].name for part in ("name", "value"))
    item = named(sample, "items", "item_id")[0].name
    ledger.settle(("items", "columns", "item_id"), item, "its name says so")
    when = next((each.name for each in named(sample, "interactions", "timestamp") if each.fits), None)
    said: dict[str, Any] = {"name": name, "value": value, **({"time": when} if when else {})}
    ledger.settle(("items", "properties"), said, "each row holds one property of an item")
    for theirs in sample.facts[name].values.unique().sort():
        for ours in ("title", "categories", "tags", "brand", "price", "description"):
            best = rank("items", ours, theirs)
            if best is not None and best < 100 and ("items", "columns", ours) not in ledger.guesses:
                ledger.settle(("items", "columns", ours), theirs, "a property of this name")
                break


def _missing(ledger: Ledger, table: str, sample: Sample, columns: list[str], title: str | None) -> None:
    """Words for missing that stand in columns which are used, beside those that the reader knows."""
    usual = ValueSettings().missing
    # A film may be called Unknown; the setting would take that from it.
    titles = sample.frame[title].cast(pl.String).str.strip_chars() if title else pl.Series([], dtype=pl.String)
    words = [word for word in synonyms()["missing"] if word not in usual and not (titles == word).any()]
    found = []
    for column in columns:
        if sample.frame.schema[column] == pl.String:
            cells = sample.frame[column].str.strip_chars()
            found += [word for word in words if word not in found and (cells == word).any()]
    if found:
        ledger.settle((table, "missing"), [*usual, *found], f"cells hold {', '.join(map(repr, found))} alone")
