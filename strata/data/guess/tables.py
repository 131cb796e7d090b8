"""Guesses which file is which table."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from strata.data.guess import names
from strata.data.guess.columns import named
from strata.data.guess.facts import share
from strata.data.guess.ledger import Ledger
from strata.data.guess.sample import Sample, joined

_SAME_KIND = 0.2
"""Share of the larger one's size from which a second file of the same columns is no appendage."""


@dataclass
class Files:
    """The files of the three tables. `layouts`: known layouts by table. `unused`: what is left over, and why."""

    tables: dict[str, Sample] = field(default_factory=dict)
    layouts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)


def known_layout(sample: Sample) -> Mapping[str, Any] | None:
    """The public layout without a header that all cells of a file fit."""
    if sample.headed:
        return None
    rows = sample.frame.head(1_000).with_columns(pl.all().cast(pl.String).fill_null("").str.strip_chars())
    for layout in names.layouts():
        cells = layout["cells"]
        if len(cells) == rows.width and all(
            share(rows[column].str.contains(f"^(?:{cell})$")) >= 0.99
            for column, cell in zip(rows.columns, cells, strict=True)
        ):
            return layout
    return None


def sort(samples: list[Sample], ledger: Ledger, chosen: Mapping[str, str | Path]) -> Files:
    """Which file is which; `chosen`: table → file, as a person said."""
    found = Files()
    samples = grouped(samples)
    layouts = {sample.file: known_layout(sample) for sample in samples}
    for table in ("interactions", "items", "users"):
        answer = chosen.get(table) or ledger.answered(table, "file") or ledger.answered(table, "table")
        if said := [sample for sample in samples if sample.called(answer)]:
            found.tables[table] = said[0]
            ledger.settle((table, said[0].origin), said[0].file, "you said so")
    for table in ("interactions", "items", "users"):
        if table in found.tables:
            continue
        free = [sample for sample in samples if sample not in found.tables.values()]
        scores = [(score(sample, table, layouts[sample.file]), sample.bytes, sample) for sample in free]
        scores = sorted((each for each in scores if each[0] > 0), key=lambda each: each[:2], reverse=True)
        if not scores:
            continue
        best = found.tables[table] = scores[0][2]
        rivals = [s.file for n, size, s in scores[1:] if n == scores[0][0] and size > _SAME_KIND * best.bytes]
        why = "its columns, and its name, say so" if names.file_says(table, best.path.name) else "its columns say so"
        why = f"{why}; {best.why}" if best.origin == "query" else why
        if len(best.paths) > 1:
            why = f"{why}; {len(best.paths)} files of one kind are read as one table"
        why = f"{why}, and so do those of {', '.join(rivals)}" if rivals else why
        ledger.settle((table, best.origin), best.file, why, sure=not rivals, choices=rivals)
    if "interactions" not in found.tables:
        _some_log(found, samples, ledger)
    for table, sample in found.tables.items():
        layout = layouts[sample.file]
        if layout is not None and layout["table"] == table:
            found.layouts[table] = layout
    left = [sample for sample in samples if not any(sample is each for each in found.tables.values())]
    found.unused |= {sample.title: "it is none of the three tables, or a smaller one" for sample in left}
    return found


def _some_log(found: Files, samples: list[Sample], ledger: Ledger) -> None:
    """Note as interactions the largest file with ids that come again, where there is one."""
    logs = [sample for sample in samples if _may_be_log(sample)]
    if not logs:
        return
    largest = max(logs, key=lambda each: each.bytes)
    for table in [table for table, each in found.tables.items() if each is largest]:
        del found.tables[table], ledger.guesses[table, largest.origin]
    others = [sample.file for sample in logs if sample is not largest]
    why = f"no {largest.origin} has columns of known names; this one has ids that come again"
    found.tables["interactions"] = largest
    ledger.settle(("interactions", largest.origin), largest.file, why, sure=False, choices=others)


def score(sample: Sample, table: str, layout: Mapping[str, Any] | None) -> float:
    """How much a file looks like a table; 0 where it cannot be it."""
    if layout is not None:
        by_name = re.fullmatch(layout.get("files", "$^"), sample.path.name) is not None
        return 10.0 + by_name if layout["table"] == table else 0.0
    if not sample.headed:
        may_be = {"interactions": _may_be_log, "items": _may_be_items}.get(table)
        return 0.5 + names.file_says(table, sample.path.name) if may_be and may_be(sample) else 0.0
    user, item = (named(sample, each, f"{each[:4]}_id") for each in ("users", "items"))
    user, item = ([each for each in found if each.fits] for found in (user, item))
    sure_user, sure_item = (any(not each.maybe for each in found) for found in (user, item))
    said = 2.0 * names.file_says(table, sample.path.name)
    if table == "interactions":
        log = _as_log(sample)
        return log and log + said
    if table == "users":
        ids = [each for each in user if sample.facts[each.name].unique]
        return 3.0 + said if ids and not sure_item and (sure_user or said) else 0.0
    told = sum(
        any(e.fits for e in named(sample, "items", ours)) for ours in ("title", "description", "categories", "tags")
    )
    if is_properties(sample):
        return 2.0 + said
    if not item or not told or (sure_user and not any(sample.facts[e.name].unique for e in item)):
        return 0.0
    return 3.0 * sure_item + told + said


def is_properties(sample: Sample) -> bool:
    """Whether each row holds one property of an item."""
    return (
        sample.headed
        and all(named(sample, "properties", part) for part in ("name", "value"))
        and bool(named(sample, "items", "item_id"))
    )


def impressions(sample: Sample) -> str | None:
    """The column of lists of what was shown, such as "N1-0 N2-1", where there is one."""
    form = r"^\S+-[01]( \S+-[01])* ?$"
    holds = (n for n, f in sample.facts.items() if len(f.values) and f.share(form) > 0.99)
    return next(holds, None)


def _as_log(sample: Sample) -> float:
    """How much the names of columns are those of a log; 0 without a user and an item."""
    if is_properties(sample):
        return 0.0
    roles = ("user_id", "item_id", "timestamp", "behaviour", "value", "count")
    found = {ours: [each for each in named(sample, "interactions", ours) if each.fits] for ours in roles}
    certain = {ours: any(not each.maybe for each in each_) for ours, each_ in found.items()}
    shown = impressions(sample) is not None
    user, item = certain["user_id"], certain["item_id"] or shown
    if not (user or item) or not found["user_id"] or not (found["item_id"] or shown):
        return 0.0
    return 2.0 * user + 2.0 * item + sum(certain[ours] for ours in roles[2:])


def _may_be_log(sample: Sample) -> bool:
    ids = [facts for facts in sample.facts.values() if facts.idlike and not facts.unique]
    return len(ids) >= 2


def _may_be_items(sample: Sample) -> bool:
    """Whether a file without a header has ids that stand there once, and texts beside them."""
    first, *others = sample.facts.values()
    return first.unique and first.idlike and any(f.unique and not f.numeric and f.length > 5 for f in others)


def grouped(samples: Iterable[Sample]) -> list[Sample]:
    """Samples, those of files in one folder that differ in numbers of their names and agree in columns as one."""
    groups: dict[tuple[Any, ...], list[Sample]] = {}
    for sample in samples:
        key = (sample.path.parent, re.sub(r"\d+", "#", sample.path.name), tuple(sample.facts), str(sample.written))
        groups.setdefault(key, []).append(sample)
    found = []
    for group in groups.values():
        group.sort(key=lambda each: each.path.name)
        if group[0].origin != "file":
            found += group
            continue
        whole = joined(group)
        there = [each.name for each in group[0].path.parent.iterdir()]
        alone = len(group) == 1 or set(fnmatch.filter(there, whole.file)) != {each.path.name for each in group}
        found += group if alone else [whole]
    return found
