"""Commands for similar users, audiences, hot topics and brands to follow."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from strata.cli.items import with_titles
from strata.cli.profiles import RELEASE, CorrectionsFile, ReleaseFolder, UserId
from strata.cli.rows import Columns, Rows, tier
from strata.cli.terminal import Answer, draws, sentence
from strata.release.layout import Part

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer()

Number = Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")]


@app.command()
@draws
def similar_users(
    user_id: UserId, k: Number = 10, corrections: CorrectionsFile = None, release: ReleaseFolder = RELEASE
) -> Answer:
    """Show the users whose interests are likest, and what they share."""
    from strata.recommendation.loading import load_recommender

    recommender = load_recommender(release, corrections)
    found = recommender.similar_users(user_id, k)
    content = {"release": recommender.manifest.id, "user_id": user_id, "users": [asdict(user) for user in found]}
    columns: Columns = {"similarity": "mark", "user": "name", "because": "text"}
    rows = [(f"{user.similarity:.2f}", user.user_id, user.text) for user in found]
    return Answer(content, _drawn(Rows(f"Users like {user_id}, by similarity", columns, rows)))


@app.command()
@draws
def audience(
    item_id: Annotated[str | None, typer.Argument(help="An item's id.")] = None,
    text: Annotated[str | None, typer.Option(help="What it is about, in place of an item.")] = None,
    k: Number = 10,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> Answer:
    """Show the users whom an item or a text concerns most; who had the item is left out."""
    from strata.recommendation.loading import load_recommender

    if (item_id is None) == (text is None):
        raise typer.BadParameter("name an item, or say with --text what it is about")
    recommender = load_recommender(release, corrections)
    if text is not None:
        found, what = recommender.audience(vector_of(text, release), k), f"'{text}'"
    else:
        found, what = recommender.audience(str(item_id), k), recommender.catalogue.title_of(str(item_id))
    users = with_titles(found, "evidence", recommender.catalogue)
    content = {"release": recommender.manifest.id, "item_id": item_id, "text": text, "users": users}
    columns: Columns = {"score": "mark", "user": "name", "tier": "id", "because": "text"}
    rows = [
        (f"{member.score:.2f}", member.user_id, tier(member.tier, timed=recommender.timed), member.text)
        for member in found
    ]
    return Answer(content, _drawn(Rows(f"Audience of {what}, by score", columns, rows)))


@app.command()
@draws
def hot_topics(
    user_id: UserId, k: Number = 10, corrections: CorrectionsFile = None, release: ReleaseFolder = RELEASE
) -> Answer:
    """Show the topics on the rise among a user's interests, with the items that lead them."""
    from strata.recommendation.loading import load_recommender

    recommender = load_recommender(release, corrections)
    found = recommender.hot_topics(user_id, k)
    topics = with_titles(found, "items", recommender.catalogue)
    content = {"release": recommender.manifest.id, "user_id": user_id, "topics": topics}
    columns: Columns = {"place": "mark", "topic": "name", "id": "id", "tier": "id", "because": "text"}
    rows = [(str(place), hot.name, hot.topic_id, tier(hot.tier), hot.text) for place, hot in enumerate(found, 1)]
    if not recommender.timed:
        return Answer(content, [sentence("The data have no times, so nothing tells what is on the rise.")])
    return Answer(content, _drawn(Rows(f"Hot for user {user_id}", columns, rows)))


@app.command()
@draws
def brands(
    user_id: UserId, k: Number = 10, corrections: CorrectionsFile = None, release: ReleaseFolder = RELEASE
) -> Answer:
    """Show brands, creators or shops near to a user's interests and new to them."""
    from strata.recommendation.loading import load_recommender

    recommender = load_recommender(release, corrections)
    found = recommender.brands_to_follow(user_id, k)
    named = with_titles(found, "items", recommender.catalogue)
    content = {"release": recommender.manifest.id, "user_id": user_id, "brands": named}
    columns: Columns = {"score": "mark", "brand": "name", "tier": "id", "because": "text"}
    rows = [
        (f"{brand.score:.2f}", brand.name, tier(brand.tier, timed=recommender.timed), brand.text) for brand in found
    ]
    return Answer(content, _drawn(Rows(f"Brands for user {user_id}", columns, rows)))


def vector_of(text: str, release: Path) -> "np.ndarray":
    """The text's vector (d,) by the release's own language model."""
    import numpy as np

    from strata.embeddings.encoder import Encoder, EncoderSettings
    from strata.settings import read_settings

    settings = read_settings(EncoderSettings, "encoder", release / Part.PARAMS)
    return np.asarray(Encoder.load(release / Part.ENCODER, settings).encode([text])[0])


def _drawn(rows: Rows) -> list[RenderableType]:
    return [rows if rows.rows else sentence(f"{rows.title}: none found.")]
