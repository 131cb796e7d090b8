"""Tries guessed settings on the samples: what the reader and the cleaning make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from strata.data.cleaning import CleaningSettings, check, clean
from strata.data.guess.sample import Sample
from strata.data.parts import Parts
from strata.data.schema import ITEM, REASON, USER
from strata.data.sources.adapters import of_interactions
from strata.data.sources.files import UNREADABLE
from strata.data.sources.finding import Finding
from strata.data.sources.mapping import InteractionsSettings, ItemsSettings, TableSettings, UsersSettings
from strata.data.sources.source import ReadTable, Source
from strata.data.sources.tables import read_raw
from strata.errors import SettingsError, StrataError, ValidationFailed

MODELS: dict[str, type[TableSettings]] = {
    "interactions": InteractionsSettings,
    "items": ItemsSettings,
    "users": UsersSettings,
}
_ROWS = 20_000


@dataclass
class Trial:
    """`read`: rows as read, by table. `refused`: table → reason → rows of the sample. `rows`: rows tried, by table.

    `faults`: what kept a table from being read at all, or read rightly. `stop`: why a run would stop, if all of the
    data are as the sample.
    """

    read: dict[str, pl.DataFrame] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    refused: dict[str, dict[str, int]] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    stop: str | None = None


def trial(samples: Mapping[str, Sample], source: Mapping[str, Any], cleaning: Mapping[str, Any]) -> Trial:
    """Read the samples by the settings of `source` and clean them by those of `cleaning`, a whole section."""
    done, tables = Trial(), {}
    for name, model in MODELS.items():
        if name not in source or name not in samples:
            continue
        try:
            settings = model.model_validate(source[name])
            tables[name] = read_raw(samples[name].raw, Path(samples[name].file), settings)
        except ValidationError as error:
            done.faults[name] = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        except (StrataError, *UNREADABLE) as error:
            done.faults[name] = str(error)
    done.read = {name: table.rows for name, table in tables.items()}
    if "interactions" not in tables or "items" in done.faults:
        return done
    interactions = _few(tables["interactions"])
    items = (
        _of(tables["items"], interactions, ITEM, samples["items"])
        if "items" in tables
        else of_interactions(interactions)  # and where they are documents, which only validate reads
    )
    users = _of(tables["users"], interactions, USER, samples["users"]) if "users" in tables else None
    try:
        rules = CleaningSettings.model_validate(cleaning)
    except ValidationError as error:
        raise SettingsError(f"params.yaml: cleaning: {error.errors()[0]['msg']}") from None
    cleaned = clean(Source(interactions, items, users), rules, datetime.now(UTC))
    try:
        check(cleaned, rules)
    except ValidationFailed as error:
        done.stop = str(error)
    counts = {name: count for name, count in cleaned.counts.items() if name in tables or "documents" not in source}
    for name, count in counts.items():
        if stops := "; ".join(str(finding) for finding in count.findings if finding.stops):
            done.faults[name] = stops
        done.rows[name] = count.read
        done.refused[name] = count.reasons
        done.findings[name] = count.findings
    return done


def _few(table: ReadTable) -> ReadTable:
    step = max(table.rows.height // _ROWS, 1)
    return replace(table, parts=Parts.of(table.rows.gather_every(step)))


def _of(table: ReadTable, interactions: ReadTable, column: str, sample: Sample) -> ReadTable:
    """Rows that the interactions need, and some more; where not all rows were sampled, ids that may be there."""
    wanted = interactions.rows[column].unique()
    known = table.rows.filter(pl.col(column).is_in(wanted.implode()))
    rows = pl.concat([known, table.rows.head(1_000)]).unique("row", maintain_order=True)
    if not sample.whole:
        missing = wanted.filter(~wanted.is_in(rows[column].implode())).drop_nulls()
        blank = pl.DataFrame({column: missing}).with_columns(pl.lit(None, pl.String).alias(REASON))
        rows = pl.concat([rows, blank], how="diagonal")
    return replace(table, parts=Parts.of(rows))
