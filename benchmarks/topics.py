"""The topics of a workspace with their most chosen items, for people to judge by eye: docs/topics.md.

python -m benchmarks.topics movielens-100k=.
"""

from pathlib import Path
from typing import Annotated, Final

import numpy as np
import polars as pl
import typer

from strata.cli.terminal import clear_errors, console
from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import LEVELS
from strata.errors import SourceError
from strata.interests.phrases import shorten
from strata.interests.themes import Themes
from strata.release.layout import Part
from strata.storage import write_text

MEMBERS: Final = 6
LONGEST: Final = 45
"""Characters of an item's title."""
HEAD: Final = """# Topics and their most chosen items

Printed by `python -m benchmarks.topics DATA=FOLDER` from a workspace of the pipeline, for anybody to judge whether a
topic reads as one kind of things. Of each topic: its name, how many items it holds, and the {members} that most events
chose, different titles only.

| topic | items | most chosen |
|---|---|---|
"""


def most_chosen(themes: Themes, history: History, catalogue: Catalogue) -> list[list[str]]:
    """Titles of each topic's most chosen items, different ones only."""
    chosen = np.bincount(history.items[history.chosen], minlength=len(catalogue))
    by_choices = np.argsort(-chosen, kind="stable")
    titles: list[dict[str, None]] = [{} for _ in range(themes.at(LEVELS[0]).height)]
    for item in by_choices.tolist():
        mine = titles[themes.of_item[item, 0]]
        if len(mine) < MEMBERS and chosen[item]:
            mine[shorten(catalogue.titles[item], LONGEST)] = None
    return [list(each) for each in titles]


@clear_errors
def main(
    data: Annotated[str, typer.Argument(help="DATA=FOLDER: a name and the workspace that has its artefacts.")],
    output: Annotated[Path, typer.Option(help="The page that is written.")] = Path("docs/topics.md"),
) -> None:
    """Write the page."""
    name, _, folder = data.partition("=")
    release = Path(folder) / "artifacts" / "release"
    if not release.exists():
        raise SourceError(f"{release} does not exist; run dvc repro in {folder}")
    catalogue, themes = Catalogue.read(release / Part.ITEMS), Themes.read(release / Part.THEMES)
    users = pl.scan_parquet(release / Part.USERS).select(pl.len()).collect().item()
    history = History.read(release / Part.HISTORY, n_users=users, n_items=len(catalogue))
    topics = themes.at(LEVELS[0])
    lines = [
        f"| {row['name']} | {row['items']} | {'; '.join(titles)} |"
        for row, titles in zip(topics.iter_rows(named=True), most_chosen(themes, history, catalogue), strict=True)
    ]
    head = HEAD.format(members=MEMBERS).replace("# Topics", f"# Topics of {name}")
    write_text(head + "\n".join(lines) + "\n", output)
    console.print(f"{output}: {len(lines)} topics")


if __name__ == "__main__":
    typer.run(main)
