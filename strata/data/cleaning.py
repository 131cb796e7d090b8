"""Rules that accept or quarantine rows: accepted ones conform to the schema, no row is lost."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import polars as pl
from pydantic import Field

from strata.data.normalise import languages, plain_text, plain_texts
from strata.data.schema import (
    ATTRIBUTE_MAP,
    ATTRIBUTES,
    BEHAVIOUR,
    BEHAVIOURS,
    BRAND,
    CATEGORIES,
    DESCRIPTION,
    DWELL,
    EVENT,
    INTERACTIONS,
    ITEM,
    ITEMS,
    LANGUAGE,
    PROFILE_TEXT,
    QUARANTINE,
    REASON,
    ROW,
    TABLE,
    TAGS,
    TEXT,
    TIMESTAMP,
    TITLE,
    USER,
    USERS,
)
from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable, Source
from strata.data.weights import Amounts, BehaviourWeights, RatingSettings, look_at_amounts, weigh
from strata.errors import ValidationFailed
from strata.settings import Settings

Rules = list[tuple[str, pl.Expr]]
"""(reason, condition); a row's reason is the first whose condition holds."""


class CleaningSettings(Settings):
    """Weights of behaviours, and limits beyond which rows are refused."""

    weights: BehaviourWeights
    """Per behaviour; negative where it speaks against the item."""
    rating: RatingSettings = RatingSettings()
    amounts: Amounts = {}
    """Per behaviour whose events are stronger the more there is of something; empty: none."""
    earliest: date = date(1990, 1, 1)
    """Interactions before this day are impossible."""
    latest: date | None = None
    """Last day of possible interactions; null: the moment of cleaning."""
    longest_text: int = Field(default=20_000, ge=1)
    """Characters."""
    quarantine_at_most: float = Field(default=0.1, ge=0, le=1)
    """Largest share of a table's rows."""


@dataclass(frozen=True)
class Counts:
    """Row counts of one table; `reasons` maps to a number of rows."""

    origin: str
    read: int
    accepted: int
    first_refused: int | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def quarantined(self) -> int:
        """Rows refused."""
        return self.read - self.accepted


@dataclass(frozen=True)
class Cleaned:
    """The three tables in the schemas of strata/data/schema.py, the refused rows, and counts of each table read."""

    interactions: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    quarantine: pl.DataFrame
    counts: dict[str, Counts]


@dataclass(frozen=True)
class _Judged:
    table: ReadTable
    accepted: pl.DataFrame
    refused: pl.DataFrame
    """`row`, `reason`."""
    findings: list[Finding]


def clean(source: Source, settings: CleaningSettings, now: datetime) -> Cleaned:
    """Validate, normalise and sort the rows of `source`; interactions after `now` are refused.

    Items and users come sorted by id, interactions by user, time, item and event. Without a users table the users are
    those of the accepted interactions. Accepted and quarantined rows add up to the rows read.
    """
    items = _judge(source.items, _identified(ITEM), unique=ITEM)
    rules = [*_identified(USER), *_identified(ITEM), *_event_rules(settings, now)]
    rules.append(("item_id is not in items", ~pl.col(ITEM).is_in(items.accepted[ITEM].implode())))
    tables = {"items": items}
    if source.users is not None:
        users = tables["users"] = _judge(source.users, _identified(USER), unique=USER)
        rules.append(("user_id is not in users", ~pl.col(USER).is_in(users.accepted[USER].implode())))
    tables["interactions"] = interactions = _judge(source.interactions, rules, unique=EVENT)
    derived = interactions.accepted.select(USER, pl.lit(None, pl.String).alias(PROFILE_TEXT)).unique()
    return Cleaned(
        interactions=_finish_interactions(interactions, settings),
        items=_finish_items(items, settings.longest_text),
        users=_finish_users(tables["users"], settings.longest_text) if source.users else _without_text(derived),
        quarantine=pl.concat([_quarantine(name, tables[name]) for name in tables]),
        counts={name: _count(tables[name]) for name in tables},
    )


def check(cleaned: Cleaned, settings: CleaningSettings) -> None:
    """Raise ValidationFailed when nothing is left or too much of a table was refused."""
    for name, counts in cleaned.counts.items():
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in counts.reasons.items())
        refused = f"{counts.origin}: {counts.quarantined:,} of {counts.read:,} {name} were refused: {reasons}"
        remedy = "read the quarantine table, then correct the data or the section source of params.yaml"
        if not counts.accepted:
            raise ValidationFailed(f"{refused}; first: row {counts.first_refused}; no {name} are left; {remedy}")
        if counts.quarantined > settings.quarantine_at_most * counts.read:
            raise ValidationFailed(
                f"{refused}; first: row {counts.first_refused}; at most "
                f"{settings.quarantine_at_most:.1%} may be; {remedy}, or raise cleaning.quarantine_at_most"
            )


def _identified(column: str) -> Rules:
    return [
        (f"no {column}", pl.col(column).is_null()),
        (f"{column} is not valid UTF-8", pl.col(column).str.contains("\ufffd", literal=True)),
    ]


def _event_rules(settings: CleaningSettings, now: datetime) -> Rules:
    earliest = datetime.combine(settings.earliest, time.min, UTC)
    when = pl.col(TIMESTAMP)
    late = ("timestamp lies in the future", when > now)
    if settings.latest is not None:
        end = datetime.combine(settings.latest + timedelta(days=1), time.min, UTC)
        late = (f"timestamp is after cleaning.latest ({settings.latest})", when >= end)
    return [
        ("no behaviour", pl.col(BEHAVIOUR).is_null()),
        ("unknown behaviour", ~pl.col(BEHAVIOUR).is_in(BEHAVIOURS)),
        ("no timestamp", when.is_null()),
        ("timestamp is zero", when.dt.epoch("us") == 0),
        (f"timestamp is before cleaning.earliest ({settings.earliest})", when < earliest),
        late,
        (f"{DWELL} is negative", pl.col(DWELL) < 0),
    ]


def _judge(table: ReadTable, rules: Rules, unique: str) -> _Judged:
    """Split rows into accepted and refused; of equal values in `unique`, the first acceptable row is kept."""
    rows = table.rows
    if BEHAVIOUR in rows.columns:
        rows = rows.with_columns(pl.col(BEHAVIOUR).str.to_lowercase().str.replace_all("[_ ]", "-"))
    reasons = [pl.col(REASON), *(pl.when(rule).then(pl.lit(reason)) for reason, rule in rules)]
    rows = rows.with_columns(pl.coalesce(reasons).alias(REASON))
    accepted = rows.filter(pl.col(REASON).is_null())
    again = ~accepted[unique].is_first_distinct()
    repeated = accepted.filter(again).with_columns(pl.lit(f"duplicate {unique}").alias(REASON))
    refused = pl.concat([rows.filter(pl.col(REASON).is_not_null()), repeated]).select(ROW, REASON).sort(ROW)
    return _Judged(table, accepted.filter(~again), refused, list(table.findings))


def _finish_interactions(judged: _Judged, settings: CleaningSettings) -> pl.DataFrame:
    rows = _plain(judged, judged.accepted, [TEXT], settings.longest_text)
    judged.findings.extend(look_at_amounts(rows, settings.amounts))
    rows = weigh(rows, settings.weights, settings.rating, settings.amounts)
    return rows.select(INTERACTIONS.names()).sort(USER, TIMESTAMP, ITEM, EVENT)


def _finish_items(judged: _Judged, longest: int) -> pl.DataFrame:
    rows = _plain(judged, judged.accepted, [TITLE, DESCRIPTION, BRAND], longest)
    rows = rows.with_columns(plain_texts(rows[name], longest) for name in (CATEGORIES, TAGS))
    mute = pl.all_horizontal(
        pl.col(TITLE, DESCRIPTION).is_null(), *(pl.col(name).list.len() == 0 for name in (CATEGORIES, TAGS))
    )
    if count := rows.select(mute.sum()).item():
        judged.findings.append(Finding("no text: the id stands as title", count, of=rows.height))
    rows = rows.with_columns(pl.when(mute).then(ITEM).otherwise(TITLE).alias(TITLE))
    told = pl.concat_str(TITLE, DESCRIPTION, separator=". ", ignore_nulls=True)
    detected = languages(rows.select(told.alias(LANGUAGE)).to_series())
    rows = rows.with_columns(pl.coalesce(pl.col(LANGUAGE).str.to_lowercase(), detected).alias(LANGUAGE))
    return rows.with_columns(pl.col(ATTRIBUTES).fill_null([])).select(ITEMS.names()).sort(ITEM)


def _finish_users(judged: _Judged, longest: int) -> pl.DataFrame:
    rows = _plain(judged, judged.accepted, [PROFILE_TEXT], longest)
    return rows.with_columns(pl.col(ATTRIBUTES).fill_null([])).select(USERS.names()).sort(USER)


def _without_text(users: pl.DataFrame) -> pl.DataFrame:
    return users.with_columns(pl.lit([], ATTRIBUTE_MAP).alias(ATTRIBUTES)).select(USERS.names()).sort(USER)


def _plain(judged: _Judged, rows: pl.DataFrame, columns: list[str], longest: int) -> pl.DataFrame:
    for column in columns:
        text, cut = plain_text(rows[column], longest)
        rows = rows.with_columns(text)
        if cut:
            judged.findings.append(Finding(f"{column} cut at {longest:,} characters", cut, of=rows.height))
    return rows


def _quarantine(name: str, judged: _Judged) -> pl.DataFrame:
    given = judged.table.given.filter(pl.col(ROW).is_in(judged.refused[ROW].implode())).collect(engine="streaming")
    rows = judged.refused.join(given, on=ROW, how="left", maintain_order="left")
    return rows.select(pl.lit(name).alias(TABLE), ROW, REASON, "content").match_to_schema(QUARANTINE)


def _count(judged: _Judged) -> Counts:
    refused = judged.refused
    reasons = refused.group_by(REASON).len().sort(["len", REASON], descending=[True, False])
    return Counts(
        origin=judged.table.origin,
        read=judged.table.rows.height,
        accepted=judged.accepted.height,
        first_refused=None if refused.is_empty() else int(refused[ROW][0]),
        reasons=dict(reasons.iter_rows()),
        findings=judged.findings,
    )
