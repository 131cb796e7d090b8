"""What a person answers `strata init`: flags, and questions at the terminal, as settings."""

from typing import Any

import typer
import yaml
from rich.console import Console, RenderableType

Answers = dict[tuple[str, ...], Any]
"""Path of a setting → its value."""


def of_flags(columns: list[str], behaviours: list[str], rating: str | None, settings: list[str]) -> Answers:
    """What flags say, by the setting that each fills."""
    from strata.data.schema import INTERACTIONS, ITEMS

    answers: Answers = {}
    for flag in columns:
        ours, theirs = _divided("--column", flag)
        table, _, name = ours.rpartition(".")
        table = table or ("interactions" if name in INTERACTIONS else "items" if name in ITEMS else "users")
        answers[table, "columns", name] = theirs
    for flag in behaviours:
        name, meant = _divided("--behaviour", flag)
        answers["interactions", "behaviours", name] = meant
    if rating is not None:
        answers["cleaning", "rating"] = _scale(rating)
    for flag in settings:
        path, value = _divided("--set", flag)
        key = tuple(path.removeprefix("source.").split(".", 2))
        answers[key] = _value(value, key)
    return answers


def _divided(option: str, flag: str) -> tuple[str, str | None]:
    left, mark, right = flag.partition("=")
    if not mark or not left:
        raise typer.BadParameter(f"{flag!r} has no '='; write {option} LEFT=RIGHT")
    return left, right or None


def _scale(said: str) -> dict[str, float]:
    try:
        numbers = [float(each) for each in said.split(",")]
        lowest, highest = numbers[:2]
    except ValueError:
        raise typer.BadParameter(f"--rating {said!r}: write LOWEST,HIGHEST or LOWEST,HIGHEST,NEUTRAL") from None
    neutral = numbers[2] if len(numbers) > 2 else (lowest + highest) / 2
    return {"lowest": lowest, "highest": highest, "neutral": neutral}


def _value(said: str | None, key: tuple[str, ...]) -> Any:
    try:
        value = None if said is None else yaml.safe_load(said)
    except yaml.YAMLError:  # such as %d/%m/%Y
        return said
    named = key[1:2] == ("columns",) and type(value) is int  # a column of a file without a header
    return str(value) if named else value


def ask(unsure: list[Any], shown: list[RenderableType], answers: Answers) -> None:
    """Show what is understood, and take an answer to each question."""
    from strata.cli.understood import choices, question

    console = Console(stderr=True, highlight=False)
    console.print(*shown, sep="\n")
    for each in unsure:
        console.print(*question(each), sep="\n")
        known = choices(each)
        first = next(iter(known))
        asked = "A number, or another value" if first.isdigit() else "A letter, or another value"
        said = str(typer.prompt(asked, default=first, err=True)).strip()
        answers[each.key] = known[said] if said in known else _value(said, each.key)
