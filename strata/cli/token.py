"""The command `strata token`: who may call the service, and what for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.text import Text

from strata.cli.rows import Columns, Rows
from strata.cli.terminal import Answer, draws, sentence, states
from strata.online.tokens import Scope, Token, TokenFile, default_file

app = typer.Typer(help=__doc__, no_args_is_help=True)
File = Annotated[
    Path, typer.Option("--file", envvar="STRATA_TOKENS", help="The file of the tokens.", default_factory=default_file)
]
Name = Annotated[str, typer.Argument(help="Whose it is: it stands in the service's log.")]


@app.command()
@states
def create(
    name: Name,
    scope: Annotated[list[str], typer.Option(help="read, write, analyst or admin; may be given several times.")],
    file: File,
) -> Answer:
    """Make a token and show it, this once: only its SHA-256 is kept."""
    value = TokenFile(file).create(name, cast(list[Scope], scope))
    said = sentence("This is shown once. Send it as `Authorization: Bearer`:")
    return Answer({"name": name, "scopes": scope, "file": file, "token": value}, [said, sentence(value)])


@app.command("list")
@draws
def list_tokens(file: File) -> Answer:
    """List the tokens: names, scopes, and since when; never the tokens themselves."""
    tokens = TokenFile(file).read()
    content = {"file": file, "tokens": [_entry(token) for token in tokens]}
    if not tokens:
        return Answer(content, [sentence(f"{file} holds no token yet; `strata token create NAME --scope read`.")])
    columns: Columns = {"name": "name", "scopes": "text", "created": "fact", "state": "id"}
    rows = [(token.name, ", ".join(token.scopes), _day(token.created), _state(token)) for token in tokens]
    return Answer(content, [Rows(f"Tokens in {file}", columns, rows)])


@app.command()
@states
def revoke(name: Name, file: File) -> Answer:
    """End a token: running services refuse it from their next request on."""
    TokenFile(file).revoke(name)
    return Answer({"name": name, "file": file, "revoked": True}, [sentence(f"{name} is revoked")])


def _entry(token: Token) -> dict[str, object]:
    return {
        "name": token.name,
        "scopes": [*token.scopes],
        "created": _day(token.created),
        "revoked": None if token.revoked is None else _day(token.revoked),
    }


def _state(token: Token) -> Text:
    return Text("holds", "green") if token.revoked is None else Text(f"revoked {_day(token.revoked)}", "red")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
