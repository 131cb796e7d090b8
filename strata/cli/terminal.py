"""Shared by all commands: a command returns an `Answer`, printed as wrapped text or as one JSON document."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.text import Text

from strata.errors import StrataError

console = Console(highlight=False)
"""For programs other than `strata`, whose commands make their own console with the current width."""

AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document: the same fields, and ids.")]
WIDE = Annotated[bool, typer.Option("--wide", help="One row a line, however long: for pipes and `less -S`.")]


@dataclass(frozen=True)
class Answer:
    """Output of a command: `content`, a JSON document; `drawn`, the same for people; `status`, the exit code."""

    content: Mapping[str, Any]
    drawn: Sequence[RenderableType]
    status: int = 0


def states(command: Callable[..., Answer]) -> Callable[..., None]:
    """Make a typer command with --json from a function whose answer is a sentence or two."""
    return _printing(command, {"as_json": AS_JSON})


def draws(command: Callable[..., Answer]) -> Callable[..., None]:
    """Make a typer command with --json and --wide from a function whose answer has rows."""
    return _printing(command, {"wide": WIDE, "as_json": AS_JSON})


@dataclass(frozen=True)
class Sentence:
    """Text that wraps between words only, so that long paths and commands can be copied whole."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Draw it."""
        yield from wrapped(self.text, console, options.max_width, options)


def sentence(*parts: str | tuple[str, str]) -> Sentence:
    """A sentence from texts and (text, style) pairs."""
    return Sentence(Text.assemble(*parts, overflow="ignore"))


def wrapped(text: Text, console: Console, width: int, options: ConsoleOptions) -> Iterator[Text]:
    """The lines of a text, `width` columns wide (10 at least); one line where the options say not to wrap."""
    for line in text.wrap(console, max(width, 10), no_wrap=options.no_wrap):
        line.rstrip()
        yield line


def clear_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Show an expected error on stderr, without a traceback, and leave with exit code 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except StrataError as error:
            Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {escape(str(error))}", soft_wrap=True)
            raise typer.Exit(1) from None

    return run


def _printing(command: Callable[..., Answer], options: Mapping[str, Any]) -> Callable[..., None]:
    """The command with `options` (name → annotation) added, printing its answer."""

    @wraps(command)
    def run(*args: Any, as_json: bool = False, wide: bool = False, **kwargs: Any) -> None:
        answer = command(*args, **kwargs)
        if as_json:
            _print_json(answer.content)
        else:
            Console(highlight=False).print(*answer.drawn, sep="\n", soft_wrap=wide, crop=False)
        if answer.status:
            raise typer.Exit(answer.status)

    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
             for name, annotation in options.items()]  # fmt: skip
    own = inspect.signature(command).parameters.values()
    run.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]  # where typer looks
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *added)}
    return clear_errors(run)


def _print_json(content: Mapping[str, Any]) -> None:
    """Print a document as UTF-8, whatever the terminal's encoding; NaN and infinities become null."""
    from pydantic_core import to_json

    typer.echo(to_json(content, indent=2, inf_nan_mode="null"))
