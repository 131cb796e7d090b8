"""The command that writes down what is recommended to everybody."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from strata.cli.profiles import RELEASE, CorrectionsFile, ReleaseFolder, tier_mix
from strata.cli.terminal import clear_errors, console

app = typer.Typer()

FORMATS = (".parquet", ".csv")


@app.command()
@clear_errors
def recommend_all(
    file: Annotated[Path, typer.Argument(help="Where to write the lists: a .parquet or .csv file.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many for each.")] = 10,
    category: Annotated[list[str] | None, typer.Option(help="Only items of this category; may be repeated.")] = None,
    more: Annotated[list[str] | None, typer.Option(help="Move the tier mix, such as momentary=3.")] = None,
    diversity: Annotated[float | None, typer.Option(min=0, max=1, help="1: as varied as can be.")] = None,
    calibration: Annotated[float | None, typer.Option(min=0, max=1, help="1: each user's own mix.")] = None,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Write the lists of all users into a file: user_id, place, item_id, score; for newsletters and nightly jobs."""
    from strata.data.filters import Filters
    from strata.recommendation.batches import recommend_many
    from strata.recommendation.recommender import Recommender
    from strata.storage import replacing, write_table

    if file.suffix not in FORMATS:
        raise typer.BadParameter(f"{file}: end the name in {' or '.join(FORMATS)}", param_hint="FILE")
    recommender = Recommender.load(release, corrections)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("users", total=len(recommender.users))
        lists = recommend_many(
            recommender,
            list(recommender.users),
            k,
            tier_weights=tier_mix(more or []),
            filters=Filters(categories=category),
            diversity=diversity,
            calibration=calibration,
            advance=lambda users: bar.advance(task, users),
        )
    if file.suffix == ".parquet":
        write_table(lists, file)
    else:
        with replacing(file) as temporary:
            lists.write_csv(temporary)
    console.print(f"{file}: {len(lists):,} rows for {lists['user_id'].n_unique():,} users", soft_wrap=True)
