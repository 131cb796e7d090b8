"""What every command shares: one console, and an expected error as one line with exit code 1."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from strata.errors import StrataError

console = Console(highlight=False)


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
