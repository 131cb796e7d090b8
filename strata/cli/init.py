"""The command `strata init`: looks at people's files, says what it understood, and writes the settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.console import Console

from strata.cli.answers import ask, of_flags
from strata.cli.terminal import Answer, draws, sentence
from strata.cli.written import DATA, name_of, place_and_write, write

if TYPE_CHECKING:
    from strata.data.guess.ledger import Guess


WAYS = 3
"""Most flags that are shown for one setting."""


@draws
def init(
    given: Annotated[
        list[str], typer.Argument(metavar="FILES", help="Files, a folder that holds them, or the URL of a database.")
    ],
    name: Annotated[str | None, typer.Option(help="Of the data set: its files belong in data/NAME.")] = None,
    interactions: Annotated[str | None, typer.Option(help="Their file; of a database the table, or a SELECT.")] = None,
    items: Annotated[str | None, typer.Option(help="The same of items.")] = None,
    users: Annotated[str | None, typer.Option(help="The same of users.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="[TABLE.]OURS=THEIRS, such as user_id=visitorid.")] = None,
    behaviour: Annotated[
        list[str] | None, typer.Option(help="THEIRS=OURS, such as pv=view; nothing: left out.")
    ] = None,
    rating: Annotated[str | None, typer.Option(help="LOWEST,HIGHEST[,NEUTRAL] of ratings.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting: interactions.time_format='%d/%m/%Y'.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; end with 2 if anything is unsure.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is understood.")] = False,
    params: Annotated[Path, typer.Option(help="The file to change.")] = Path("params.yaml"),
) -> Answer:
    """Look at files or a database, show what they seem to hold, and write the settings for it into params.yaml."""
    from strata.cli.understood import drawn, facts, reader
    from strata.data.guess import database as databases
    from strata.data.guess.plan import guess, plan_of
    from strata.data.guess.trial import trial
    from strata.errors import SettingsError

    if not params.is_file():
        raise SettingsError(f"{params.absolute()} does not exist; run this from the project's root folder")
    now = yaml.safe_load(params.read_text(encoding="utf-8"))
    cleaning = now.get("cleaning", {})
    answers = of_flags(column or [], behaviour or [], rating, settings or [])
    named = {"interactions": interactions, "items": items, "users": users}
    chosen = {table: said for table, said in named.items() if said is not None}
    database = _database(given)
    tables = database and databases.samples(database, chosen)
    paths = [Path(each) for each in given]
    while True:
        plan = plan_of(*tables, answers, chosen) if tables else guess(paths, answers, chosen)
        tried = trial(plan.tables, plan.source, _over(cleaning, plan.cleaning))
        shown = drawn(plan, tried)
        if yes or dry_run or not plan.unsure:
            break
        ask(plan.unsure, shown, answers)
    encoder, why = reader(tried, now.get("encoder", {}).get("base", ""))
    shown += [sentence(why)] if why else []
    content = {**facts(plan, tried), "encoder": encoder, "written": False}
    if dry_run:
        return Answer(content, shown)
    if plan.unsure or tried.faults:
        asked = [sentence(f"  {each.path}: {each.why}{_ways(each)}") for each in plan.unsure]
        flags = "answer by --set SETTING=VALUE, --column, --behaviour or --rating, or run without --yes"
        end = sentence(
            ("Nothing was written. ", "bold"), f"Unsure or unreadable; {flags}; an empty value maps nothing:"
        )
        return Answer(content, [*shown, end, *asked], 2)
    if not yes:
        Console(stderr=True, highlight=False).print(*shown, sep="\n")
        typer.confirm("Write these settings?", default=True, abort=True, err=True)
    if database is not None:
        source = {"database": database, **plan.source}
        folder = params.parent / DATA / (name or databases.name_of(database))
        done, said = write(source, plan.cleaning, folder, params, encoder)
        following = "strata data pull"
    else:
        name = name or name_of(paths, plan.tables["interactions"].path)
        done, said = place_and_write(plan, name, params, encoder)
        following = "dvc repro"
    end = sentence(("Next: ", "bold"), following)
    return Answer({**content, **done, "next": following}, [*(shown if yes else []), *said, end])


def _ways(unsure: "Guess") -> str:
    """The flags by which a setting can be answered: what it seems to be, and a few others."""
    values = [each for each in (unsure.value, *unsure.choices) if each is not None]
    distinct = list(dict.fromkeys(_written(each) for each in values))[:WAYS]
    flags = [f"--set '{unsure.path}={each}'" for each in distinct]
    return f" ({' or '.join(flags)})" if flags else ""


def _written(value: Any) -> str:
    line = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1_000, sort_keys=False)
    return str(line).removesuffix("...\n").strip()


def _database(given: list[str]) -> str | None:
    """The one database that is to be looked at, null where files are."""
    from strata.data.guess.database import database
    from strata.errors import SettingsError

    found = [each for each in map(database, given) if each is not None]
    if found and len(given) > 1:
        raise SettingsError("give files, or one database and nothing else")
    return found[0] if found else None


def _over(below: Any, above: Any) -> Any:
    """`below` with the values of `above`, nested mappings, over it."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}
