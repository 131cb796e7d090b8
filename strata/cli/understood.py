"""Shows what `strata init` understood of files: columns with values as read, what is unsure, what would be refused."""

from string import ascii_lowercase
from typing import Any

import polars as pl
from rich.console import RenderableType
from rich.text import Text

from strata.cli.rows import Columns, Rows
from strata.cli.terminal import sentence
from strata.data.guess.ledger import Guess
from strata.data.guess.plan import Plan
from strata.data.guess.trial import Trial
from strata.data.schema import DESCRIPTION, TITLE
from strata.data.sources.grammar import FileSettings

SHOWN, LONGEST, MOST = 5, 30, 20
"""Values of a column, characters of one, and files that are not used, that are shown."""
_COLUMNS: Columns = {
    "sure": "mark", "our column": "name", "from": "fact", "read as": "text", "values": "text", "because": "text",
}  # fmt: skip


def drawn(plan: Plan, tried: Trial) -> list[RenderableType]:
    """All that was understood."""
    parts: list[RenderableType] = []
    for table, sample in plan.tables.items():
        guesses = [guess for guess in plan.guesses if guess.key[0] == table]
        read = tried.read.get(table, pl.DataFrame())
        written = [guess for guess in guesses if guess.sure and guess.key[1] in (*FileSettings.model_fields, "table")]
        rows = [_row(guess, plan, read) for guess in guesses if guess not in written]
        rows += [_written(written)] if len(written) > 1 else []
        why = next(guess.why for guess in guesses if guess.key[1] == sample.origin)
        about = f"{sample.file} holds the {table}: {why}"
        parts.append(Rows(f"{table}: {sample.title}", _COLUMNS, sorted(rows, key=lambda row: row[2] == ""), about))
    if plan.papers is not None:
        why = next(guess.why for guess in plan.guesses if guess.key == ("documents",))
        parts.append(sentence(("documents are the items: ", "bold"), why))
    cleaning = [guess for guess in plan.guesses if guess.key[0] == "cleaning"]
    if cleaning:
        parts.append(Rows("cleaning", _COLUMNS, [_row(guess, plan, pl.DataFrame()) for guess in cleaning]))
    return [*parts, *_refused(tried), *_left(plan)]


def facts(plan: Plan, tried: Trial) -> dict[str, Any]:
    """The same as plain JSON."""
    unsure = [{"setting": g.path, "value": g.value, "text": g.why, "choices": list(g.choices)} for g in plan.unsure]
    return {
        "source": plan.source,
        "cleaning": plan.cleaning,
        "unsure": unsure,
        "rows_tried": tried.rows,
        "refused": tried.refused,
        "findings": {table: [finding.facts() for finding in found] for table, found in tried.findings.items()},
        "faults": tried.faults,
        "stop": tried.stop,
        "unused_files": plan.unused,
        "unused_columns": plan.left,
    }


def reader(tried: Trial, base: str) -> tuple[str | None, str]:
    """The encoder that reads the sample's items where `base` does not, and a line that says so; else None and ""."""
    from strata.data.normalise import languages
    from strata.embeddings.languages import MULTILINGUAL, misread

    items = tried.read.get("items", pl.DataFrame())
    said = [name for name in (TITLE, DESCRIPTION) if name in items.columns]
    if not said:
        return None, ""
    texts = items.select(pl.concat_str(pl.col(said).cast(pl.String), separator=". ", ignore_nulls=True).alias("text"))
    found = misread(languages(texts["text"]), base)
    return (MULTILINGUAL, f"Of the sample, {found}.") if found else (None, "")


def question(guess: Guess) -> list[RenderableType]:
    """What to ask where only a person can tell."""
    said = sentence((guess.path, "bold"), f": {guess.why}")
    return [said, *(sentence(f"  {label}  {shown(each)}") for label, each in choices(guess).items())]


def choices(guess: Guess) -> dict[str, Any]:
    """What may be answered, by the label that stands for it: 1, 2, …, or letters where numbers may be meant themselves.

    Columns of a file without a header are called by numbers.
    """
    values = [guess.value, *(choice for choice in guess.choices if choice != guess.value)]
    numbers = {str(place) for place in range(1, len(values) + 1)} & set(map(shown, values))
    labels = ascii_lowercase if numbers and len(values) <= len(ascii_lowercase) else range(1, len(values) + 1)
    return dict(zip(map(str, labels), values, strict=False))


def shown(value: Any) -> str:
    """A setting as a person reads it."""
    if value is None:
        return "nothing"
    if value == {}:
        return "as it is"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return repr(value) if isinstance(value, str) and (not value.strip() or not value.isprintable()) else str(value)


def _row(guess: Guess, plan: Plan, read: pl.DataFrame) -> list[str | Text]:
    mark = Text("ok", "green") if guess.sure else Text("??", "bold red")
    section, ours = guess.key[1], guess.key[-1]
    if section == "columns":
        return [mark, ours, shown(guess.value), _how(plan, guess.key[0], ours), _values(read, ours), guess.why]
    if section == "attributes":
        return [mark, f"attribute {ours}", shown(guess.value), "", "", guess.why]
    return [mark, ".".join(guess.key[1:]), "", shown(guess.value), "", guess.why]


def _written(guesses: list[Guess]) -> list[str | Text]:
    """How the file is written, in one row."""
    said = ", ".join(f"{guess.key[1]} {shown(guess.value)}" for guess in guesses if guess.key[1] != "file")
    return [Text("ok", "green"), "(file)", "", said, "", next(g.why for g in guesses if g.key[1] != "file")]


def _how(plan: Plan, table: str, ours: str) -> str:
    settings = plan.source.get(table, {})
    said = []
    for name in ("time_unit", "time_format"):
        of = settings.get(name)
        found = (
            of.get(ours) if isinstance(of, dict) else of if ours in ("timestamp", "created_at", "removed_at") else None
        )
        said += [f"time as {shown(found)}"] if found else []
    between = settings.get("separator")
    between = between.get(ours) if isinstance(between, dict) else between
    if ours in ("categories", "tags") and between:
        said.append(f"a list divided by {between!r}")
    return "; ".join(said)


def _values(read: pl.DataFrame, ours: str) -> str:
    if ours not in read.columns:
        return ""
    values = read[ours].drop_nulls().unique(maintain_order=True).head(SHOWN)
    if isinstance(values.dtype, pl.Datetime):
        values = values.dt.strftime("%Y-%m-%d %H:%M")
    return " | ".join(_cut(" + ".join(each) if isinstance(each, pl.Series) else _plain(each)) for each in values)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cut(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _refused(tried: Trial) -> list[RenderableType]:
    rows: list[list[str | Text]] = []
    for table, fault in tried.faults.items():
        rows.append([Text("no", "red"), table, f"is not read rightly: {fault}"])
    if tried.stop is not None:
        rows.append([Text("no", "red"), "all", f"a run would stop: {tried.stop}"])
    for table, reasons in tried.refused.items():
        read = tried.rows[table]
        rows += [[Text("--", "yellow"), table, f"{reason}: {count:,} of {read:,}"] for reason, count in reasons.items()]
        rows += [[Text("--", "yellow"), table, str(finding)] for finding in tried.findings[table]]
    if not rows:
        return [sentence("No row of the sample would be refused.")]
    columns: Columns = {"state": "mark", "table": "name", "what": "text"}
    return [Rows("Of the sample would be refused or changed", columns, rows)]


def _left(plan: Plan) -> list[RenderableType]:
    said = [f"{_cut(file)}: columns {', '.join(map(_cut, columns))}" for file, columns in plan.left.items()]
    said += [f"{_cut(file)} ({why})" for file, why in list(plan.unused.items())[:MOST]]
    said += [f"and {len(plan.unused) - MOST} more"] if len(plan.unused) > MOST else []
    return [sentence(("Not used: ", "bold"), "; ".join(said))] if said else []
