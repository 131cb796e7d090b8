"""Stage validate: read the source, clean it, gate it, and write the only tables that later stages read."""

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from strata.data.cleaning import Cleaned, CleaningSettings, check, clean
from strata.data.journal_folder import MARK, JournalFolder
from strata.data.sources.adapters import SourceSettings, read_source
from strata.data.sources.finding import Finding
from strata.data.sources.source import Source
from strata.data.unset import chosen_again
from strata.errors import ValidationFailed
from strata.online.ingested import ingested
from strata.online.private_source import private
from strata.online.pseudonyms import Pseudonyms
from strata.ranking.settings import RecommendSettings
from strata.settings import read_settings
from strata.storage import write_json, write_table
from tasks import TABLES, VALIDATION, run


def docs_folder() -> Path | None:
    """The folder given by --docs on the command line, else None."""
    parser = argparse.ArgumentParser(prog="python -m tasks.validate", description=__doc__)
    parser.add_argument(
        "--docs",
        nargs="?",
        const=Path("reports/data-docs"),
        type=Path,
        metavar="FOLDER",
        help="only render Data Docs of the last run's results into FOLDER (default: reports/data-docs)",
    )
    folder: Path | None = parser.parse_args().docs
    return folder


def write_docs(folder: Path) -> None:
    """Render Data Docs of the last run's results."""
    from tasks.data_docs import render  # seconds to import

    Console().print(f"Data Docs: {render(VALIDATION, folder)}", highlight=False, soft_wrap=True)


def main() -> None:
    """Write artifacts/tables and artifacts/validation, or raise ValidationFailed for a critical fault."""
    settings = read_settings(CleaningSettings, "cleaning")
    source = read_settings(SourceSettings, "source")
    journals = JournalFolder.read(source.folder)
    whole = ingested(_private(read_source(source), settings), journals)
    cleaned = clean(whole, settings, datetime.now(UTC))
    if not read_settings(RecommendSettings, "recommend").repeats:
        cleaned.counts["interactions"].findings.extend(chosen_again(cleaned.events))
    # Written before anything can fail, so that a person can look at what was refused.
    for name in ("quarantine", "suspicious"):
        write_table(getattr(cleaned, name), TABLES / f"{name}.parquet")
    write_json(_summary(cleaned), VALIDATION / "summary.json")
    _print(cleaned)
    check(cleaned, settings)
    from tasks.expectations import CRITICAL, WARNING, failures, validate_tables  # seconds to import

    results = validate_tables(cleaned, settings)
    for name, result in results.items():
        write_json(result, VALIDATION / f"{name}.json")
    _warn({name: failures(result, WARNING) for name, result in results.items()})
    broken = [f"{name}: {line}" for name, result in results.items() for line in failures(result, CRITICAL)]
    if broken:
        raise ValidationFailed(
            f"{len(broken)} critical expectations are broken: {'; '.join(broken)}; correct the data or "
            f"params.yaml; details: {VALIDATION} (python -m tasks.validate --docs)"
        )
    cleaned.events.write(TABLES / "interactions.parquet")
    for name in ("items", "users", "words"):
        write_table(getattr(cleaned, name), TABLES / f"{name}.parquet")
    if journals is not None:
        write_json(journals.places, TABLES / MARK)


def _private(source: Source, settings: CleaningSettings) -> Source:
    if not (settings.pseudonymous or settings.scrub):
        return source
    key = Pseudonyms.needed("params.yaml: cleaning.pseudonymous is set") if settings.pseudonymous else None
    return private(source, key, scrubbed=settings.scrub)


def _summary(cleaned: Cleaned) -> dict[str, Any]:
    tables = {
        name: {
            "rows_read": counts.read,
            "accepted": counts.accepted,
            "quarantined": counts.quarantined,
            "reasons": counts.reasons,
            "refusals": [
                {"kind": refusal.kind, "row": refusal.row, **refusal.finding.facts()} for refusal in counts.refusals
            ],
            "findings": [finding.facts() for finding in sorted(counts.findings, key=str)],
        }
        for name, counts in cleaned.counts.items()
    }
    sizes = cleaned.sizes | ({"words": len(cleaned.words)} if len(cleaned.words) else {})
    return {"tables": tables, "rows": sizes}


def _print(cleaned: Cleaned) -> None:
    """Row counts, then what was refused and found: each with its remedy below, so that 80 columns hold it."""
    console, table = Console(), Table("table", "read", "accepted", "quarantined")
    for name, counts in cleaned.counts.items():
        table.add_row(name, *(f"{n:,}" for n in (counts.read, counts.accepted, counts.quarantined)))
    if "users" not in cleaned.counts:
        table.add_row("users", "", f"{len(cleaned.users):,}", "derived from the interactions")
    console.print(table)
    for name, counts in cleaned.counts.items():
        for refusal in counts.refusals:
            _tell(console, f"{name}: refused: ", refusal.finding)
        for finding in counts.findings:
            _tell(console, f"{name}: ", finding)


def _tell(console: Console, lead: str, finding: Finding) -> None:
    told = replace(finding, remedy=None)
    style = "red" if finding.stops else "yellow"
    console.print(Text(f"{lead}{told}", style))
    if finding.remedy:
        console.print(Padding(Text(finding.remedy), (0, 0, 0, 2)))


def _warn(warnings: dict[str, list[str]]) -> None:
    console = Console()
    for name, lines in warnings.items():
        for line in lines:
            console.print(f"warning: {name}: {line}", style="yellow", highlight=False, markup=False)


if __name__ == "__main__":
    docs = docs_folder()
    sys.argv[1:] = []  # `run` starts stages that take no arguments
    run(main if docs is None else partial(write_docs, docs))
