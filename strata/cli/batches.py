"""The command that writes the recommendation lists of all users to a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from strata.cli.profiles import RELEASE, CorrectionsFile, ReleaseFolder, list_request
from strata.cli.terminal import Answer, sentence, states

app = typer.Typer()

FORMATS = (".parquet", ".csv")


@app.command()
@states
def recommend_all(
    file: Annotated[Path, typer.Argument(help="Where to write the lists: a .parquet or .csv file.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many for each.")] = 10,
    category: Annotated[list[str] | None, typer.Option(help="Only items of this category; may be repeated.")] = None,
    more: Annotated[list[str] | None, typer.Option(help="Move the tier mix, such as momentary=3.")] = None,
    diversity: Annotated[float | None, typer.Option(min=0, max=1, help="1: as varied as can be.")] = None,
    calibration: Annotated[float | None, typer.Option(min=0, max=1, help="1: each user's own mix.")] = None,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> Answer:
    """Write the lists of all users into a file: user_id, place, item_id, score; for newsletters and nightly jobs."""
    from strata.recommendation.batches import recommend_many
    from strata.recommendation.loading import load_recommender
    from strata.storage import replacing, write_table

    if file.suffix not in FORMATS:
        raise typer.BadParameter(f"{file}: end the name in {' or '.join(FORMATS)}", param_hint="FILE")
    recommender = load_recommender(release, corrections)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("users", total=len(recommender.users))
        lists = recommend_many(
            recommender,
            list(recommender.users),
            list_request(k, category, more, diversity, calibration),
            advance=lambda users: bar.advance(task, users),
        )
    if file.suffix == ".parquet":
        write_table(lists, file)
    else:
        with replacing(file) as temporary:
            lists.write_csv(temporary)
    users = lists["user_id"].n_unique()
    content = {"release": recommender.manifest.id, "file": file, "rows": len(lists), "users": users}
    return Answer(content, [sentence(f"{file}: {len(lists):,} rows for {users:,} users")])
