"""The commands beyond lists of items: who is alike, whom an item concerns, what rises, whom to follow."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from strata.cli.profiles import COLOURS, RELEASE, CorrectionsFile, ReleaseFolder, UserId
from strata.cli.terminal import clear_errors, console

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer()

Number = Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")]


@app.command()
@clear_errors
def similar_users(
    user_id: UserId, k: Number = 10, corrections: CorrectionsFile = None, release: ReleaseFolder = RELEASE
) -> None:
    """Show the users whose interests are likest, and what they share."""
    from strata.recommendation.recommender import Recommender

    found = Recommender.load(release, corrections).similar_users(user_id, k)
    rows = [(user.user_id, f"{user.similarity:.2f}", user.text) for user in found]
    _show(f"Users like {user_id}", ("user", "similarity", "because"), rows)


@app.command()
@clear_errors
def audience(
    item_id: Annotated[str | None, typer.Argument(help="An item's id.")] = None,
    text: Annotated[str | None, typer.Option(help="What it is about, in place of an item.")] = None,
    k: Number = 10,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Show the users whom an item or a text concerns most; who had the item is left out."""
    from strata.recommendation.recommender import Recommender

    if (item_id is None) == (text is None):
        raise typer.BadParameter("name an item, or say with --text what it is about")
    recommender = Recommender.load(release, corrections)
    if text is not None:
        found, what = recommender.audience(_vector(text, release), k), f"'{text}'"
    else:
        found, what = recommender.audience(str(item_id), k), recommender.catalogue.title_of(str(item_id))
    rows = [(member.user_id, f"{member.score:.2f}", _tier(member.tier), member.text) for member in found]
    _show(f"Audience of {what}", ("user", "score", "tier", "because"), rows)


@app.command()
@clear_errors
def hot_topics(
    user_id: UserId, k: Number = 10, corrections: CorrectionsFile = None, release: ReleaseFolder = RELEASE
) -> None:
    """Show the topics on the rise among a user's interests, with the items that lead them."""
    from strata.recommendation.recommender import Recommender

    found = Recommender.load(release, corrections).hot_topics(user_id, k)
    rows = [(topic.name, topic.topic_id, _tier(topic.tier), topic.text) for topic in found]
    _show(f"Hot for user {user_id}", ("topic", "id", "tier", "because"), rows)


@app.command()
@clear_errors
def brands(
    user_id: UserId, k: Number = 10, corrections: CorrectionsFile = None, release: ReleaseFolder = RELEASE
) -> None:
    """Show brands, creators or shops near to a user's interests and new to them."""
    from strata.recommendation.recommender import Recommender

    found = Recommender.load(release, corrections).brands_to_follow(user_id, k)
    rows = [(brand.name, f"{brand.score:.2f}", _tier(brand.tier), brand.text) for brand in found]
    _show(f"Brands for user {user_id}", ("brand", "score", "tier", "because"), rows)


def _vector(text: str, release: Path) -> "np.ndarray":
    """The text as the release's own language model reads it."""
    import numpy as np

    from strata.embeddings.encoder import Encoder, EncoderSettings
    from strata.settings import read_settings

    settings = read_settings(EncoderSettings, "encoder", release / "params.yaml")
    return np.asarray(Encoder.load(release / "encoder", settings).encode([text])[0])


def _tier(tier: str) -> str:
    return f"[{COLOURS[tier]}]{tier}[/]"


def _show(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table over the whole width; the last column takes what the others leave, and tiers come with their colour."""
    table = Table(title=escape(title), title_justify="left", expand=True)
    for name in columns:
        table.add_column(name, overflow="fold", ratio=1 if name == columns[-1] else None)
    for row in rows:
        table.add_row(*(cell if name == "tier" else escape(cell) for name, cell in zip(columns, row, strict=True)))
    console.print(table if rows else f"{escape(title)}: none found.")
