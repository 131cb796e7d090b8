"""What must (critical) and what should (warning) hold for the cleaned tables: Great Expectations suites."""

import os
from typing import Any, Final

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when Great Expectations is imported

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
from great_expectations.data_context.types.base import ProgressBarsConfig

from strata.data.cleaning import Cleaned, CleaningSettings
from strata.data.limits import KINDS
from strata.data.parts import repeating
from strata.data.schema import (
    BEHAVIOUR,
    BEHAVIOURS,
    CATEGORIES,
    CREATED,
    DESCRIPTION,
    EVENT,
    ITEM,
    LANGUAGE,
    PRICE,
    REMOVED,
    TAGS,
    TIMESTAMP,
    TITLE,
    USER,
    WEIGHT,
)
from strata.data.weights import largest

CRITICAL, WARNING = "critical", "warning"
MOST_ROWS = 2_000_000
"""Above it Great Expectations sees every n-th row; counts over the whole table come as constant columns."""

PLAIN: Final = {
    "has_words": "most items have a title alone; descriptions, categories or tags would tell their topics apart better"
}
"""Column → what its warning says to people."""

Expectation = gxe.Expectation


def validate_tables(cleaned: Cleaned, settings: CleaningSettings) -> dict[str, dict[str, Any]]:
    """Results of each table's suite as plain JSON: the same for the same tables, on any day and machine."""
    batches = {
        "interactions": (_interactions_frame(cleaned), _interactions_suite(settings)),
        "items": (_items_frame(cleaned), _items_suite(settings)),
        "users": (_users_frame(cleaned), _users_suite(settings)),
    }
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("tables")
    results = {}
    for name, (frame, expectations) in batches.items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
        suite = gx.ExpectationSuite(name=name, expectations=expectations)
        found = batch.get_batch(batch_parameters={"dataframe": frame}).validate(suite, result_format="SUMMARY")
        results[name] = _stripped(found.to_json_dict(), name, cleaned.sizes[name], len(frame))
    return results


def failures(result: dict[str, Any], severity: str) -> list[str]:
    """One line for each expectation of `severity` that does not hold; one that raised counts as critical."""
    lines = []
    for each in result["results"]:
        config, error = each["expectation_config"], each["exception_info"]["exception_message"]
        if error and severity == CRITICAL:
            lines.append(f"{_title(config)} could not be checked: {error}")
        elif not each["success"] and not error and config["severity"] == severity:
            said = PLAIN.get(config["kwargs"].get("column", ""), f"{_title(config)} does not hold")
            lines.append(f"{said}{_observed(each['result'])}")
    return lines


def _interactions_suite(settings: CleaningSettings) -> list[Expectation]:
    bound = largest(settings.weights, settings.amounts)
    earliest, end = pd.Timestamp(settings.earliest, tz="UTC"), None
    if settings.latest is not None:
        end = pd.Timestamp(settings.latest, tz="UTC") + pd.Timedelta(days=1)
    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1, severity=CRITICAL),
        *(_filled(column) for column in (USER, ITEM, BEHAVIOUR, TIMESTAMP, WEIGHT, EVENT)),
        gxe.ExpectColumnValuesToBeInSet(column=BEHAVIOUR, value_set=list(BEHAVIOURS), severity=CRITICAL),
        gxe.ExpectColumnValuesToBeBetween(column=TIMESTAMP, min_value=earliest, max_value=end, severity=CRITICAL),
        gxe.ExpectColumnValuesToBeBetween(column=WEIGHT, min_value=-bound, max_value=bound, severity=CRITICAL),
        _none("repeated_events"),
        _none("unknown_users"),
        _none("unknown_items"),
        *_refused(settings),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column=TIMESTAMP, min_value=2, severity=WARNING),
    ]


def _items_suite(settings: CleaningSettings) -> list[Expectation]:
    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1, severity=CRITICAL),
        _filled(ITEM),
        gxe.ExpectColumnValuesToBeUnique(column=ITEM, severity=CRITICAL),
        _filled(LANGUAGE, severity=WARNING, mostly=0.95),
        _filled(TITLE, severity=WARNING, mostly=0.95),
        gxe.ExpectColumnValuesToBeInSet(column="has_words", value_set=[True], mostly=0.5, severity=WARNING),
        gxe.ExpectColumnValuesToBeInSet(column="removed_before_created", value_set=[False], severity=WARNING),
        gxe.ExpectColumnMinToBeBetween(column="lowest_price", min_value=0, severity=WARNING),
        *_refused(settings),
    ]


def _users_suite(settings: CleaningSettings) -> list[Expectation]:
    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1, severity=CRITICAL),
        _filled(USER),
        gxe.ExpectColumnValuesToBeUnique(column=USER, severity=CRITICAL),
        gxe.ExpectColumnValuesToBeInSet(column="active", value_set=[True], mostly=0.5, severity=WARNING),
        *_refused(settings),
    ]


def _filled(column: str, severity: str = CRITICAL, mostly: float = 1.0) -> Expectation:
    return gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=mostly, severity=severity)


def _none(count: str) -> Expectation:
    return gxe.ExpectColumnMaxToBeBetween(column=count, max_value=0, severity=CRITICAL)


def _refused(settings: CleaningSettings) -> list[Expectation]:
    """The share refused for each kind of fault is within its limit, and better within half of it."""
    limits = {f"refused_{kind}": settings.limits.of(kind, settings.quarantine_at_most) for kind in KINDS}
    grades = ((CRITICAL, 1.0), (WARNING, 0.5))
    return [
        gxe.ExpectColumnMaxToBeBetween(column=column, max_value=most * part, severity=severity)
        for column, most in limits.items()
        for severity, part in grades
    ]


def _interactions_frame(cleaned: Cleaned) -> pd.DataFrame:
    events, users, items = cleaned.events, cleaned.users.lazy(), cleaned.items.lazy()
    again = repeating(events, EVENT)[EVENT]
    unknown = events.each(
        lambda part: pl.concat(
            [
                part.join(users, on=USER, how="anti").select(users=pl.len()),
                part.join(items, on=ITEM, how="anti").select(items=pl.len()),
            ],
            how="horizontal",
        )
    )
    facts = {
        "repeated_events": len(again) - again.n_unique(),
        "unknown_users": int(unknown["users"].sum()),
        "unknown_items": int(unknown["items"].sum()),
        **_shares(cleaned, "interactions"),
    }
    every = max(-(-events.height // MOST_ROWS), 1)
    seen, before = [], 0
    for part in events.map(lambda part: part.select(USER, ITEM, BEHAVIOUR, TIMESTAMP, WEIGHT, EVENT)):
        seen.append(part.gather_every(every, offset=-before % every))
        before += part.height
    return pl.concat(seen).to_pandas().assign(**facts)


def _items_frame(cleaned: Cleaned) -> pd.DataFrame:
    lists = [pl.col(name).list.len() > 0 for name in (CATEGORIES, TAGS)]
    items = cleaned.items.select(
        ITEM,
        TITLE,
        LANGUAGE,
        pl.any_horizontal(pl.col(DESCRIPTION).is_not_null(), *lists).alias("has_words"),
        (pl.col(REMOVED) < pl.col(CREATED)).fill_null(value=False).alias("removed_before_created"),
        pl.col(PRICE).min().fill_null(0.0).alias("lowest_price"),
        **{name: pl.lit(share) for name, share in _shares(cleaned, "items").items()},
    )
    return items.to_pandas()


def _users_frame(cleaned: Cleaned) -> pd.DataFrame:
    active = (
        pl.col(USER)
        .is_in(cleaned.events.each(lambda part: part.select(pl.col(USER).unique()))[USER].implode())
        .alias("active")
    )
    shares = {name: pl.lit(share) for name, share in _shares(cleaned, "users").items()}
    return cleaned.users.select(USER, active, **shares).to_pandas()


def _shares(cleaned: Cleaned, name: str) -> dict[str, float]:
    """Share of a table's rows refused for each kind of fault."""
    counts = cleaned.counts.get(name)  # users may be derived instead of read
    return {f"refused_{kind}": counts.share(kind) if counts else 0.0 for kind in KINDS}


def _stripped(found: dict[str, Any], name: str, rows: int, checked: int) -> dict[str, Any]:
    """What a reader needs of a result, without times, ids, tracebacks and memory addresses."""
    results = []
    for each in found["results"]:
        config = each["expectation_config"]
        kwargs = {key: value for key, value in config["kwargs"].items() if key != "batch_id"}
        kept = {key: value for key, value in each["result"].items() if not key.endswith("index_list")}
        error = _error(each["exception_info"])
        results.append(
            {
                "success": each["success"],
                "expectation_config": {
                    "type": config["type"],
                    "kwargs": kwargs,
                    "severity": config["severity"],
                },
                "result": kept,
                "exception_info": {"raised_exception": error is not None, "exception_message": error},
            }
        )
    results.sort(key=lambda each: _title(each["expectation_config"]))
    summary = {key: found[key] for key in ("success", "suite_name", "statistics")}
    return {**summary, "suite_name": name, "rows": rows, "rows_checked": checked, "results": results}


def _error(info: dict[str, Any]) -> str | None:
    """The message of an expectation that raised: either flat, or one entry for each metric that failed."""
    entries = [info] if "raised_exception" in info else list(info.values())
    messages = [str(entry["exception_message"]) for entry in entries if entry.get("raised_exception")]
    return messages[0] if messages else None


def _title(config: dict[str, Any]) -> str:
    rule = config["type"].removeprefix("expect_").replace("_", " ")
    kwargs = config["kwargs"]
    limits = [f"{key} {kwargs[key]}" for key in ("min_value", "max_value", "mostly") if kwargs.get(key) is not None]
    return " ".join([kwargs.get("column", "table") + ":", rule, *limits])


def _observed(result: dict[str, Any]) -> str:
    if "observed_value" in result:
        return f" (it is {result['observed_value']})"
    return f" ({result.get('unexpected_count', 0):,} of {result.get('element_count', 0):,} rows)"
