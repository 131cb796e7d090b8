"""The command `strata search`: items for a text."""

from typing import Annotated

import typer

from strata.cli.items import draw_recommended, recommended
from strata.cli.profiles import RELEASE, ReleaseFolder
from strata.cli.related import Number, vector_of
from strata.cli.terminal import Answer, draws


@draws
def search(
    text: Annotated[str, typer.Argument(help="What to look for, such as 'sci-fi horror' or 'like Star Wars'.")],
    k: Number = 10,
    category: Annotated[list[str] | None, typer.Option(help="Only items of this category; may be repeated.")] = None,
    release: ReleaseFolder = RELEASE,
) -> Answer:
    """Find items by the words of a text, by what they mean, and like the item it names."""
    from strata.data.filters import Filters
    from strata.recommendation.loading import load_recommender

    recommender = load_recommender(release)
    found = recommender.search(text, vector_of(text, release), k, filters=Filters(categories=category or None))
    items = recommended(found, recommender.catalogue)
    content = {"release": recommender.manifest.id, "text": text, "items": items}
    return Answer(content, [draw_recommended(found, f"Found for '{text}'")])
