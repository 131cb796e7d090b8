"""What data look as if they needed and no setting says: lists that nothing divides, choices that come again."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from strata.data.observed import ENOUGH
from strata.data.parts import Parts
from strata.data.schema import BEHAVIOUR, CATEGORIES, COUNTED, ITEM, TAGS, TIMESTAMP, USER
from strata.data.sources.divided import BLANK, divided
from strata.data.sources.finding import Finding

AGAIN = 0.2
"""Share of what is chosen on later days that is chosen again, from which people do so rather than try new things."""
LOOKED_AT = 20_000
"""Lists, at most, of which it is told whether they are one entry each."""


def chosen_again(events: Parts) -> list[Finding]:
    """Whether people buy, or look at, on later days what they had before, which lists of new items leave out."""
    found = []
    for name, behaviours in (("purchases", COUNTED), ("views", ("view",))):
        sums = events.each(partial(_later, behaviours=behaviours)).sum().row(0, named=True)
        if sums["later"] >= ENOUGH and sums["again"] > AGAIN * sums["later"]:
            what = f"{name} of later days are of what the user had before, and lists hold only what is new to them"
            remedy = "set recommend.repeats: true if lists are to hold it"
            found.append(Finding(what, sums["again"], sums["later"], ITEM, remedy=remedy))
    return found


def _later(part: pl.LazyFrame, behaviours: Sequence[str]) -> pl.LazyFrame:
    """What users chose on later days than their first, an item a day, and how much of it was had on an earlier one."""
    day = pl.col(TIMESTAMP).dt.truncate("1d")
    days = part.filter(pl.col(BEHAVIOUR).is_in(behaviours)).select(USER, ITEM, day).unique()
    first, had = (pl.col(TIMESTAMP).min().over(of) for of in ([USER], [USER, ITEM]))
    return days.select(later=(pl.col(TIMESTAMP) > first).sum(), again=(pl.col(TIMESTAMP) > had).sum())


def undivided(items: Parts) -> list[Finding]:
    """Columns of lists of one entry each, which look as if they were several."""
    return [finding for column in (CATEGORIES, TAGS) for finding in _undivided(items, column)]


def _undivided(items: Parts, column: str) -> list[Finding]:
    lists = items.each(lambda part: part.select(pl.col(column).filter(pl.col(column).list.len() > 0)))[column]
    if len(lists) < ENOUGH or (lists.list.len() > 1).any():
        return []
    entries = lists.list.first().head(LOOKED_AT).to_list()
    found = divided(entries)
    if found is None or not (found.sure or found.mark == BLANK):
        return []
    what = f"{column} are one entry each, and look as if {found.mark!r} divided them"
    example = next(entry for entry in entries if found.mark in entry)
    remedy = f"set separator: {{{column}: {found.mark!r}}} in source.items"
    return [Finding(what, round(found.share * len(lists)), len(lists), column, example, remedy)]
