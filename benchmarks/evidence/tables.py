"""The tables people read: what a command measured, section by section, and which of it is of older code."""

from collections.abc import Mapping
from typing import Any

from benchmarks.evidence.stale import Stale

HEAD = "| id | value | 95 % interval | reference | n | code | what |"
NAMED = 4
"""Changed modules of a section that the table names; the command names all."""
SAME = "as measured"


def as_markdown(content: Mapping[str, Any], stale: Mapping[str, Stale], as_of: str) -> str:
    """The table people read, made from the content of an evidence file: one part a section.

    `stale`: why a section may be of other code than that of the commit `as_of`; sections that are not are not in it.
    """
    lines = [
        f"# What `make {content['command']}` measured",
        "",
        f"Column `code` says whether the code behind a figure is still as of commit {as_of}. "
        "`python -m benchmarks.evidence --stale --list` says so anew, names all that changed and the command of each "
        "section; without `--list`, it runs them.",
        "",
        "| section | measured at | code |",
        "|---|---|---|",
        *(_state(name, made, stale.get(name)) for name, made in content["sections"].items()),
    ]
    for section, made_with in content["sections"].items():
        machine, code = made_with["machine"], stale[section].mark if section in stale else SAME
        lines += [
            "",
            f"## {section.capitalize()}",
            "",
            f"Commit {commit_of(made_with)}, split {made_with['split']}; {machine['cpu']}, "
            f"{machine['cores']} cores, {machine['memory_gib']} GiB.",
            "",
            *([made_with["table"].strip(), ""] if "table" in made_with else []),
            HEAD,
            "|---" * HEAD[1:].count("|") + "|",
            *(_line(row, code) for row in content["rows"] if row["section"] == section),
        ]
    note = "Intervals are of the value or, where there is a reference, of value − reference; drawn over users."
    return "\n".join([*lines, "", note]) + "\n"


def commit_of(made_with: Mapping[str, Any]) -> str:
    """A commit as people read it, with its date where that is known."""
    date = f" ({made_with['date']})" if made_with.get("date") else ""
    return f"{made_with['commit'][:12]}{date}" + (" with uncommitted changes" if made_with["dirty"] else "")


def _state(section: str, made_with: Mapping[str, Any], stale: Stale | None) -> str:
    link = f"[{section.capitalize()}](#{section})"
    return f"| {link} | {commit_of(made_with)} | {stale.told(NAMED) if stale else SAME} |"


def _line(row: Mapping[str, Any], code: str) -> str:
    compared = row["reference"] is not None
    interval = f"{_figure(row['low'], sign=compared)} … {_figure(row['high'], sign=compared)}"
    reference = f"{_figure(row['reference'])} ({row['reference_name']})" if compared else ""
    notes = [
        row["what"],
        row["excluded"] and f"Left out: {row['excluded']}",
        row["inconclusive"] and f"Inconclusive: {row['inconclusive']}",
    ]
    what = " ".join(note for note in notes if note)
    cells = [row["id"], f"{_figure(row['value'])} {row['unit']}", interval, reference, f"{row['n']:,}", code, what]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _figure(value: float, *, sign: bool = False) -> str:
    return f"{value:{'+' if sign else ''}.4g}"
