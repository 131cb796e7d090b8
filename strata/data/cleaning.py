"""Rules that accept or quarantine rows: accepted ones conform to the schema, no row is lost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

import polars as pl
from pydantic import Field

from strata.data.item_cleaning import finished, plain
from strata.data.judged import Judged
from strata.data.limits import Counts, LimitSettings, require
from strata.data.observed import (
    item_times,
    misread,
    of_interactions,
    of_items,
    ratings,
    signs,
    unknown_behaviours,
    weightless,
)
from strata.data.parts import Parts, Store
from strata.data.rules import (
    UNKNOWN_BEHAVIOUR,
    TimeBounds,
    identified,
    known,
    of_events,
    undone_rows,
    unrated_rows,
    worded,
)
from strata.data.schema import (
    ATTRIBUTE_MAP,
    ATTRIBUTES,
    BEHAVIOUR,
    CHOSEN,
    EVENT,
    INTERACTIONS,
    ITEM,
    PROFILE_TEXT,
    REASON,
    ROW,
    SUSPICIOUS,
    TEXT,
    TIMESTAMP,
    USER,
    USERS,
    WEIGHT,
    WORDS,
)
from strata.data.sources.finding import Finding, merged
from strata.data.sources.source import Source
from strata.data.suspicious import SuspicionSettings, suspicion
from strata.data.unset import undivided
from strata.data.weights import Amounts, BehaviourWeights, RatingSettings, look_at_amounts, medians, weigh
from strata.settings import Settings


class CleaningSettings(Settings):
    """Weights of behaviours, and limits beyond which rows are refused."""

    weights: BehaviourWeights
    """Per behaviour; negative where it speaks against the item."""
    rating: RatingSettings = RatingSettings()
    amounts: Amounts = {}
    """Per behaviour whose events are stronger the more there is of something; empty: none."""
    unrated: Literal["neutral", "refuse"] = "neutral"
    """Ratings without a value: they weigh 0, or are refused."""
    returns: Literal["refuse", "against"] = "refuse"
    """Negative values of purchases: refused, or counted against their items."""
    repeated_purchases: Literal["keep", "sum", "drop"] = "keep"
    """Equal events of what is bought, where the file gives no event ids: several, one of summed value, or one."""
    orphans: Literal["refuse", "keep"] = "refuse"
    """Interactions with unknown items or users; kept, the id stands as title."""
    suspicious: Literal["exclude", "keep"] = "exclude"
    """Events that are a machine's or a fraud's for certain; they are listed either way."""
    suspicion: SuspicionSettings = SuspicionSettings()
    earliest: date = date(1990, 1, 1)
    """Interactions before this day are impossible."""
    latest: date | None = None
    """Last day of possible interactions; null: the moment of cleaning."""
    longest_text: int = Field(default=20_000, ge=1)
    """Characters."""
    quarantine_at_most: float = Field(default=0.1, ge=0, le=1)
    """Largest share of a table's rows, for each kind of fault without a limit of its own."""
    limits: LimitSettings = LimitSettings()
    pseudonymous: bool = False
    """Whether users are known by pseudonyms alone, by the key in STRATA_PSEUDONYM_KEY."""
    scrub: bool = False
    """Whether e-mail addresses, telephone numbers and the like are taken out of what users wrote."""


LISTED = "look at them in artifacts/tables/suspicious.parquet; cleaning.suspicious says whether they are kept"


@dataclass(frozen=True)
class Cleaned:
    """The three tables in the schemas of strata/data/schema.py, the refused rows, and counts of each table read.

    `events`: the interactions; where they are many, on disk, each user's in one part. `words`: what users wrote or
    searched for without an item. `suspicious`: who shows signs of a machine or of fraud.
    """

    events: Parts
    items: pl.DataFrame
    users: pl.DataFrame
    quarantine: pl.DataFrame
    counts: dict[str, Counts]
    words: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WORDS))
    suspicious: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SUSPICIOUS))

    @property
    def interactions(self) -> pl.DataFrame:
        """All interactions, in memory."""
        return self.events.whole()

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of each of the three tables."""
        return {"interactions": self.events.height, "items": self.items.height, "users": self.users.height}


def clean(source: Source, settings: CleaningSettings, now: datetime) -> Cleaned:
    """Validate, normalise and sort the rows of `source`; interactions after `now` are refused.

    Items and users come sorted by id, interactions by user, time, item and event. Without a users table the users are
    those of the accepted interactions. Rows of interactions, words and quarantine add up to the rows read. Memory grows
    with items, users and refused rows; of many interactions it holds one part at a time.
    """
    bounds = TimeBounds(settings.earliest, settings.latest, now)
    items = Judged.of(source.items, identified(ITEM)).distinct(ITEM)
    users = Judged.of(source.users, identified(USER)).distinct(USER) if source.users else None
    events = _events(source, settings, bounds, items, users)
    words, events = _words(events, settings.longest_text)
    events, suspicious = _trusted(events, settings)
    events.findings.extend(_observed(events, settings))
    items.findings.extend([*of_items(items.parts), *undivided(items.parts)])
    if settings.orphans == "keep":
        items = _with_orphans(items, ITEM, events.parts)
        users = users and _with_orphans(users, USER, events.parts, words)
    derived = pl.concat([events.parts.each(_ids(USER)), words.select(USER)]).unique()
    tables = {"items": items, **({"users": users} if users else {}), "interactions": events}
    refused = {name: judged.quarantine(name) for name, judged in tables.items()}
    return Cleaned(
        events=_finish_interactions(events, settings),
        items=_finish_items(items, settings, bounds),
        users=_finish_users(users, settings.longest_text) if users else _without_text(derived),
        quarantine=pl.concat(list(refused.values())),
        counts={name: judged.counts(refused[name]) for name, judged in tables.items()},
        words=words,
        suspicious=suspicious,
    )


def check(cleaned: Cleaned, settings: CleaningSettings) -> None:
    """Raise ValidationFailed with all that is wrong.

    Nothing is left, too much of a table was refused for one kind of fault, or the settings do not fit the data.
    """
    require(cleaned.counts, settings.limits, settings.quarantine_at_most)


def _events(
    source: Source, settings: CleaningSettings, bounds: TimeBounds, items: Judged, users: Judged | None
) -> Judged:
    rules = of_events(bounds, unrated=settings.unrated == "refuse", undone=settings.returns == "refuse")
    if settings.orphans == "refuse":
        rules.append(known(ITEM, "items", items.accepted[ITEM]))
        rules += [known(USER, "users", users.accepted[USER])] if users else []
    judged = Judged.of(source.interactions, rules, by=USER)
    unknown = judged.refused.filter(pl.col(REASON) == UNKNOWN_BEHAVIOUR).select(ROW).lazy()
    names = judged.table.parts.each(lambda part: part.join(unknown, on=ROW, how="semi").select(BEHAVIOUR))
    judged.findings.extend(unknown_behaviours(names[BEHAVIOUR], judged.table.height))
    return misread(judged, bounds).distinct(EVENT, settings.repeated_purchases)


def _words(events: Judged, longest: int) -> tuple[pl.DataFrame, Judged]:
    """What was written without an item, and the other events."""
    without = events.parts.filter(worded())
    rows = plain(events.findings, without, [TEXT], longest).select(WORDS.names()).sort(USER, TIMESTAMP, BEHAVIOUR, TEXT)
    if without.height:
        what = "text without an item: kept as words, from which nothing is learned yet"
        events.findings.append(Finding(what, without.height, events.table.height, TEXT, without[TEXT][0]))
    return rows, replace(events, parts=events.parts.map(lambda part: part.filter(~worded())).settled())


def _trusted(events: Judged, settings: CleaningSettings) -> tuple[Judged, pl.DataFrame]:
    """Events without those of machines and frauds, and who shows signs of them."""
    found = suspicion(events.parts, settings.suspicion)
    exclude = settings.suspicious == "exclude"
    for sign, certain, users, count, told in found.told():
        done = "excluded" if certain and exclude else "kept"
        remedy = f"{users:,} users; {LISTED}"
        what = f"suspicious ({sign}): {told}: {done}"
        events.findings.append(Finding(what, count, events.parts.height, remedy=remedy))
    if exclude and found.events.height:
        signs = found.events.lazy()
        marked = events.parts.each(lambda part: part.select(ROW, EVENT).join(signs, on=EVENT, how="inner"))
        events = events.without(marked, pl.format("suspicious: {}", "sign"), USER, "suspicious", LISTED)
    return events, found.signs


def _observed(events: Judged, settings: CleaningSettings) -> list[Finding]:
    parts, scale = events.parts, settings.rating
    weights: dict[str, float] = {str(behaviour): weight for behaviour, weight in settings.weights.items()}
    return [
        *ratings(parts, scale.lowest, scale.neutral, scale.highest, settings.limits.out_of_scale),
        *signs(parts),
        *weightless(parts, weights),
        *of_interactions(parts),
    ]


def _ids(column: str) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    return lambda part: part.select(pl.col(column).unique())


def _with_orphans(judged: Judged, column: str, events: Parts, words: pl.DataFrame | None = None) -> Judged:
    """The table with a row of its id alone for everything that events and words name and it does not have."""
    known = judged.parts.each(_ids(column)).lazy()
    groups = events.each(
        lambda part: part.join(known, on=column, how="anti").group_by(column).agg(pl.len(), pl.col(ROW).min())
    )
    height = events.height
    if words is not None:
        last = words.select(column, pl.lit(None, pl.Int64).alias(ROW)).lazy()
        more = last.join(known, on=column, how="anti").group_by(column).agg(pl.len(), pl.col(ROW).min()).collect()
        groups, height = pl.concat([groups, more]), height + words.height
    orphans = groups.group_by(column).agg(pl.col("len").sum(), pl.col(ROW).min())
    if orphans.is_empty():
        return judged
    remedy = "add them to the table, or set cleaning.orphans: refuse"
    what = f"interactions whose {column} has no row of its own: kept, with nothing known of it but the id"
    first = str(orphans.sort(ROW, column, nulls_last=True)[column][0])
    judged.findings.append(Finding(what, int(orphans["len"].sum()), height, column, first, remedy))
    rows = orphans.select(column).sort(column).match_to_schema(judged.accepted.schema, missing_columns="insert")
    lists = [pl.col(name).fill_null([]) for name, dtype in rows.schema.items() if dtype.is_nested()]
    return replace(judged, parts=Parts.of(pl.concat([judged.accepted, rows.with_columns(lists)])))


def _finish_interactions(judged: Judged, settings: CleaningSettings) -> Parts:
    usual = medians(judged.parts, settings.amounts)
    # Parts are in the order of their users: each sorted, all are.
    store = Store(0 if len(judged.parts.frames) > 1 else judged.parts.height)
    cut: list[Finding] = []
    for rows in judged.parts:
        rows = plain(cut, rows, [TEXT], settings.longest_text)
        rows = weigh(rows, settings.weights, settings.rating, settings.amounts, usual)
        rows = rows.with_columns(_settled(settings))
        store.add(rows.select(INTERACTIONS.names()).sort(USER, TIMESTAMP, ITEM, EVENT))
    judged.findings.extend(replace(each, of=judged.parts.height) for each in merged(cut))
    judged.findings.extend(look_at_amounts(judged.parts, settings.amounts))
    return store.parts()


def _settled(settings: CleaningSettings) -> list[pl.Expr]:
    """A rating without a value weighs nothing; what was undone speaks against its item."""
    undone = undone_rows() if settings.returns == "against" else pl.lit(value=False)
    weight = pl.when(unrated_rows()).then(0.0).when(undone).then(-pl.col(WEIGHT).abs()).otherwise(pl.col(WEIGHT))
    return [weight.cast(pl.Float32).alias(WEIGHT), (pl.col(CHOSEN) & ~undone).alias(CHOSEN)]


def _finish_items(judged: Judged, settings: CleaningSettings, bounds: TimeBounds) -> pl.DataFrame:
    longest = settings.longest_text
    at_most = settings.limits.of("bad_values", settings.quarantine_at_most)
    rows, impossible = item_times(judged.accepted, bounds, at_most)
    judged.findings.extend(impossible)
    return finished(rows, longest, judged.findings).sort(ITEM)


def _finish_users(judged: Judged, longest: int) -> pl.DataFrame:
    rows = plain(judged.findings, judged.accepted, [PROFILE_TEXT], longest)
    return rows.with_columns(pl.col(ATTRIBUTES).fill_null([])).select(USERS.names()).sort(USER)


def _without_text(users: pl.DataFrame) -> pl.DataFrame:
    nothing = (pl.lit(None, pl.String).alias(PROFILE_TEXT), pl.lit([], ATTRIBUTE_MAP).alias(ATTRIBUTES))
    return users.with_columns(nothing).select(USERS.names()).sort(USER)
