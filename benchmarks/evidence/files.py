"""Evidence files: what was measured, at which commit, on what machine, and the values it can be recomputed from."""

import math
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl
import polars.selectors as cs

from strata.errors import StrataError, ValidationFailed
from strata.evaluation.metrics import Interval
from strata.storage import read_json, write_json, write_table, write_text

ROOT = Path(__file__).parent.parent.parent
PER_USER = "per_user"
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FEW = 30
"""Users or cases below which nothing follows from a figure."""


@dataclass(frozen=True)
class Row:
    """One figure.

    id: lower case and dashes. what: one sentence that says how the figure follows from the per-user values.
    value: the figure, in `unit`, of `n` users or cases. low, high: its 95 % interval or, where there is a
    `reference`, that of value − reference. excluded: who or what was left out, and why. trials: settings tried
    for it on other data. per_user: values by user, written to a Parquet file beside the rows. inconclusive: why
    nothing follows from it; empty where something does.
    """

    id: str
    what: str
    value: float
    low: float
    high: float
    unit: str
    n: int
    reference: float | None = None
    reference_name: str | None = None
    excluded: str = ""
    trials: int = 0
    seeds: tuple[int, ...] = ()
    per_user: pl.DataFrame | None = None
    inconclusive: str = ""

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise ValidationFailed(f"evidence row '{self.id}': an id is lower case words and digits joined by dashes")
        figures = [self.value, self.low, self.high, *([] if self.reference is None else [self.reference])]
        if not all(map(math.isfinite, figures)) or self.low > self.high:
            raise ValidationFailed(
                f"evidence row '{self.id}': value {self.value}, interval {self.low} … {self.high}, reference "
                f"{self.reference}; figures must be finite and low ≤ high: leave out what cannot be measured"
            )
        if (self.reference is None) != (self.reference_name is None):
            raise ValidationFailed(f"evidence row '{self.id}': a reference needs its name, and a name its figure")

    @classmethod
    def of(
        cls,
        id: str,
        what: str,
        found: Interval,
        unit: str,
        n: int,
        *,
        value: float | None = None,
        claim: float | None = None,
        **more: Any,
    ) -> Self:
        """A row that says itself where it is inconclusive: too few users, or an interval around what it should exceed.

        `found`: the figure with its interval; with a `value` of its own, only the interval of value − reference.
        `claim`: what the interval should lie above, if anything; 0 for comparisons. `more`: the other fields.
        """
        if value is not None:
            claim = 0.0
        inconclusive = ""
        if n < FEW:
            inconclusive = f"{n} are too few."
        elif claim is not None and found.low <= claim <= found.high:
            inconclusive = f"the interval holds {claim:g}."
        figure = found.mean if value is None else value
        return cls(id, what, figure, found.low, found.high, unit, n, inconclusive=inconclusive, **more)


def write_evidence(command: str, section: str, rows: Sequence[Row], split: str, folder: Path, table: str = "") -> None:
    """Put the rows of one section into `folder`/`command`.json, beside it the table people read and per-user values.

    `table`: Markdown that people see first, such as all methods by all metrics. Rows of other sections stay, with the
    commit, machine and split they were measured with. Raises StrataError outside a git clone.
    """
    path = folder / f"{command}.json"
    before = read_json(path) if path.exists() else {"sections": {}, "rows": []}
    made_with = {**_commit(folder), "machine": _machine(), "split": split}
    shown = made_with | ({"table": table} if table else {})
    kept = [row for row in before["rows"] if row["section"] != section]
    sections = before["sections"] | {section: shown}
    content = {
        "command": command,
        **made_with,
        "sections": {name: sections[name] for name in sorted(sections)},
        "rows": sorted(kept + [_as_json(row, section) for row in rows], key=lambda row: row["section"]),
    }
    for row in rows:
        if row.per_user is not None:
            write_table(row.per_user.with_columns(cs.float().cast(pl.Float32)), folder / PER_USER / f"{row.id}.parquet")
    write_json(content, path)
    write_text(as_markdown(content), path.with_suffix(".md"))
    for stale in {row["per_user"] for row in before["rows"]} - {row["per_user"] for row in content["rows"]}:
        (folder / stale).unlink(missing_ok=True)


def as_markdown(content: Mapping[str, Any]) -> str:
    """The table people read, made from the content of an evidence file: one part a section."""
    lines = [f"# What `make {content['command']}` measured"]
    for section, made_with in content["sections"].items():
        machine = made_with["machine"]
        changes = " with uncommitted changes" if made_with["dirty"] else ""
        lines += [
            "",
            f"## {section.capitalize()}",
            "",
            f"Commit {made_with['commit'][:12]}{changes}, split {made_with['split']}; {machine['cpu']}, "
            f"{machine['cores']} cores, {machine['memory_gib']} GiB.",
            "",
            *([made_with["table"].strip(), ""] if "table" in made_with else []),
            "| id | value | 95 % interval | reference | n | what |",
            "|---|---|---|---|---|---|",
            *(_line(row) for row in content["rows"] if row["section"] == section),
        ]
    note = "Intervals are of the value or, where there is a reference, of value − reference; drawn over users."
    return "\n".join([*lines, "", note]) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    compared = row["reference"] is not None
    interval = f"{_figure(row['low'], sign=compared)} … {_figure(row['high'], sign=compared)}"
    reference = f"{_figure(row['reference'])} ({row['reference_name']})" if compared else ""
    notes = [
        row["what"],
        row["excluded"] and f"Left out: {row['excluded']}",
        row["inconclusive"] and f"Inconclusive: {row['inconclusive']}",
    ]
    what = " ".join(note for note in notes if note)
    cells = [row["id"], f"{_figure(row['value'])} {row['unit']}", interval, reference, f"{row['n']:,}", what]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _figure(value: float, *, sign: bool = False) -> str:
    return f"{value:{'+' if sign else ''}.4g}"


def _as_json(row: Row, section: str) -> dict[str, Any]:
    figures = {name: None if value is None else round(value, 6) for name, value in _figures(row).items()}
    per_user = None if row.per_user is None else f"{PER_USER}/{row.id}.parquet"
    return {**row.__dict__, **figures, "section": section, "seeds": list(row.seeds), "per_user": per_user}


def _figures(row: Row) -> dict[str, float | None]:
    return {"value": row.value, "low": row.low, "high": row.high, "reference": row.reference}


def _commit(folder: Path) -> dict[str, Any]:
    """The commit, and whether anything but the evidence itself has changed since."""
    try:
        head = _git("rev-parse", "HEAD")
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise StrataError(f"{ROOT}: evidence names its commit; run it in a git clone, with git installed") from None
    inside = folder.absolute().is_relative_to(ROOT)
    but = [f":(exclude){folder.absolute().relative_to(ROOT)}"] if inside else []
    return {"commit": head, "dirty": bool(_git("status", "--porcelain", "--", ".", *but))}


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def _machine() -> dict[str, Any]:
    """What the figures were measured on; nothing that tells one machine of a kind from another."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if os.path.exists("/proc/cpuinfo") else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
    }
