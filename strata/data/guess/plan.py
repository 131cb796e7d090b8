"""Guesses everything that settings must say of people's files, from samples of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strata.data.guess import events, items, users
from strata.data.guess.database import database
from strata.data.guess.documents import MANUAL, Papers, named_in, papers
from strata.data.guess.ids import file_of, settle_numbers
from strata.data.guess.ledger import Guess, Key, Ledger
from strata.data.guess.sample import Sample, look, looks, table_like
from strata.data.guess.tables import Files, sort
from strata.data.journal_folder import journal_files
from strata.data.sources.grammar import FileSettings
from strata.errors import SettingsError, SourceError, StrataError

_CHOICES: dict[str, list[Any]] = {"header": [True], "encoding": ["cp1252", "cp1250", "cp1251", "gb18030", "shift_jis"]}
TABLES = ("interactions", "items", "users")


@dataclass
class Plan:
    """What was understood.

    `tables`: the file of each table; one may stand for two. `source`, `cleaning`: settings for params.yaml, `source`
    without its folder. `unused`: files that are left out, and why; `left`: columns of used files that are left out.
    `papers`: the documents that are the items.
    """

    tables: dict[str, Sample]
    guesses: list[Guess]
    source: dict[str, Any]
    cleaning: dict[str, Any]
    unused: dict[str, str] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    papers: Papers | None = None

    @property
    def unsure(self) -> list[Guess]:
        """What only a person can tell."""
        return [guess for guess in self.guesses if not guess.sure]


def found(paths: list[Path]) -> tuple[list[Path], dict[str, str]]:
    """The files that may hold tables among paths and in folders among them, and the others with a reason."""
    files: list[Path] = []
    unused: dict[str, str] = {}
    for path in paths:
        if path.is_dir():
            ours = set(journal_files(path))
            inside = [each for each in sorted(path.rglob("*")) if each.is_file() and not each.name.startswith(".")]
            inside = [each for each in inside if each not in ours]
            files += [each for each in inside if table_like(each)]
            unused |= {each.name: _no_table(each) for each in inside if not table_like(each)}
        elif path.is_file():
            files.append(path)
        else:
            raise SourceError(f"{path} does not exist; give files, or a folder that holds them")
    if not files:
        others = "".join(f"; {name}: {why}" for name, why in unused.items())
        raise SourceError(
            f"{', '.join(map(str, paths))}: no file of a table (csv, tsv, txt, dat, parquet, jsonl, json, xlsx){others}"
        )
    return files, unused


def _no_table(path: Path) -> str:
    url = database(str(path))
    return (
        "its ending is none of a table's" if url is None else f"it is a database; look at it alone: strata init {url}"
    )


def guess(paths: list[Path], answers: Mapping[Key, Any], chosen: Mapping[str, str | Path]) -> Plan:
    """What the files mean; `answers` and `chosen` (table → file) stand instead of guesses.

    Raises SourceError when there is no file, or none can be the interactions.
    """
    given = [*paths, *(path for path in map(Path, chosen.values()) if path not in paths)]
    written = papers(paths)
    if written is not None and (planned := _of_documents(given, written, answers, chosen)) is not None:
        return planned
    try:
        looked, unused = samples(given)
        return _again(looked, unused, answers, chosen)
    except SourceError as error:
        if written is None:
            raise
        raise SourceError(f"{error}. {written.folder} holds {written.example}: {MANUAL}") from None


def _of_documents(
    given: list[Path], written: Papers, answers: Mapping[Key, Any], chosen: Mapping[str, str | Path]
) -> Plan | None:
    """The plan where documents are the items, null where the other files do not name them by their paths."""
    documents = set(written.files.values()) - set(map(Path, chosen.values()))
    names = {path.name for path in documents}
    try:
        files, unused = found(given)
        looked, damaged = _sampled([path for path in files if path not in documents])
        unused = {name: why for name, why in unused.items() if name not in names} | damaged
        planned = _again(looked, unused, answers, chosen, written)
    except SourceError:  # no table among the others: it may be among what looks like documents
        return None
    return planned if planned.papers is not None else None


def _again(
    looked: list[Sample],
    unused: Mapping[str, str],
    answers: Mapping[Key, Any],
    chosen: Mapping[str, str | Path],
    written: Papers | None = None,
) -> Plan:
    """A plan of samples, taken anew where an answer says how a file is written."""
    first = plan_of(looked, unused, answers, chosen, written)
    again: dict[int, Sample] = {}
    for table, sample in first.tables.items():
        said = {
            key[1]: value for key, value in answers.items() if key[0] == table and key[1] in FileSettings.model_fields
        }
        said = {"sheet": sample.written["sheet"], **said} if said and "sheet" in sample.written else said
        of_it = [
            each for each in looked if said and (each is sample or len(sample.paths) > 1 and each.path in sample.paths)
        ]
        again |= {id(each): new for each in of_it if (new := look(each.path, said)) is not None}
    if not again:
        return first
    return plan_of([again.get(id(sample), sample) for sample in looked], unused, answers, chosen, written)


def samples(paths: list[Path]) -> tuple[list[Sample], dict[str, str]]:
    """Samples of the files that hold tables, and the other files with a reason."""
    files, unused = found(paths)
    looked, damaged = _sampled(files)
    return looked, unused | damaged


def _sampled(files: list[Path]) -> tuple[list[Sample], dict[str, str]]:
    looked, unused = [], {}
    for path in dict.fromkeys(files):
        try:
            samples_ = looks(path)
        except StrataError as error:
            unused[path.name] = str(error)
            continue
        if not samples_:
            unused[path.name] = "it is no table"
        looked += samples_
    return looked, unused


def _check(table: str, sample: Sample, answers: Mapping[Key, Any]) -> None:
    """Raise SettingsError where an answer names columns that the file has not, or several where there can be one."""
    for (of, kind, ours), theirs in ((key, said) for key, said in answers.items() if len(key) == 3):
        if (of, kind) != (table, "columns") or theirs is None:
            continue
        names = theirs if isinstance(theirs, list) else [theirs]
        setting, there = f"{table}.columns.{ours}", ", ".join(sample.facts)
        if ours.endswith("_id") and len(names) != 1:
            raise SettingsError(f"{setting}: an id is one column, not {theirs}; {sample.file} has {there}")
        if missing := [str(name) for name in names if not isinstance(name, str) or name not in sample.facts]:
            raise SettingsError(f"{setting}: {sample.file} has no column {', '.join(missing)}; it has {there}")


def plan_of(
    looked: list[Sample],
    unused: Mapping[str, str],
    answers: Mapping[Key, Any],
    chosen: Mapping[str, str | Path],
    written: Papers | None = None,
) -> Plan:
    """What the sampled files mean; `answers` and `chosen` (table → file) stand instead of guesses.

    `written`: documents that may be the items. Raises SourceError when no file can be the interactions.
    """
    ledger = Ledger(answers)
    files = sort(looked, ledger, chosen)
    if "interactions" not in files.tables:
        said = "; ".join(f"{sample.file}: {', '.join(list(sample.facts)[:12])}" for sample in looked)
        reasons = "; ".join(f"{name}: {why}" for name, why in unused.items())
        kind, how = ("table", "TABLE or a SELECT") if looked and looked[0].origin != "file" else ("file", "FILE")
        raise SourceError(
            f"no {kind} looks like interactions, rows of a user and an item ({said or reasons}); "
            f"name it by --interactions {how}, and its columns by --column user_id=NAME --column item_id=NAME"
        )
    for table in TABLES:
        if table in files.tables:
            _check(table, files.tables[table], answers)
            _layout(ledger, table, files.tables[table])
    events.settle(ledger, files)
    documented = written is not None and named_in(written, files.tables["interactions"], ledger)
    if not documented:
        if (by_ids := file_of(ledger, files, looked, "items")) is not None:
            _layout(ledger, "items", by_ids)
        items.settle(ledger, files)
    users.settle(ledger, files)
    settle_numbers(ledger, files)
    nested = ledger.settings()
    cleaning = nested.pop("cleaning", {})
    source = {table: nested[table] for table in ("documents", *TABLES) if table in nested}
    return Plan(
        files.tables,
        list(ledger.guesses.values()),
        source,
        cleaning,
        {**unused, **files.unused},
        _left(files, source),
        written if documented else None,
    )


def _layout(ledger: Ledger, table: str, sample: Sample) -> None:
    for name, value in sample.written.items():
        unsure = sample.unsure.get(name)
        choices: list[Any] = _CHOICES.get(name, [])
        ledger.settle(
            (table, name), value, unsure or sample.why, sure=unsure is None, choices=choices if unsure else []
        )
    for name, why in sample.unsure.items():
        if name not in sample.written:
            choices = [False] if name == "header" else []
            ledger.settle((table, name), True if name == "header" else None, why, sure=False, choices=choices)


def _left(files: Files, source: Mapping[str, Any]) -> dict[str, list[str]]:
    used: dict[str, set[str]] = {}
    for table, settings in source.items():
        if table not in files.tables:
            continue
        said = used.setdefault(_called(files.tables[table]), set())
        for part in (settings.get("columns", {}), settings.get("attributes", {}), *settings.get("flags", {}).values()):
            values = part.values() if isinstance(part, dict) else part
            said |= {name for each in values for name in (each if isinstance(each, list) else [each])}
        said |= set(map(str, settings.get("properties", {}).values()))
        said |= {settings["unfold"]["column"]} if "unfold" in settings else set()
    by_file = {_called(sample): sample for sample in files.tables.values()}
    return {file: left for file, names in used.items() if (left := [n for n in by_file[file].facts if n not in names])}


def _called(sample: Sample) -> str:
    """A sample's title; of queries, which have none, what they ask."""
    return sample.asked if sample.origin == "query" else sample.title
