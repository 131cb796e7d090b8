"""Profiles of users drawn at random from several data sets, for people to judge by eye: docs/profiles.md.

python -m benchmarks.profiles movielens-100k=. complete-journey=.workspaces/complete-journey
"""

from pathlib import Path
from typing import Annotated, Final

import numpy as np
import polars as pl
import typer

from strata.cli.terminal import clear_errors, console
from strata.data.catalogue import Catalogue
from strata.data.schema import TIERS, USER_ROW
from strata.errors import SourceError
from strata.interests.phrases import shorten
from strata.interests.profiles import Profiles
from strata.storage import write_text

SEED: Final = 7
LEAST, MOST, DISLIKES = 3, 8, 3
"""Fewest points of a user who is drawn; most points and dislikes shown of one."""
LONGEST: Final = 45
"""Characters of an item's title."""
CUT_OFFS: Final = ("live", "backtest", "validation")
HEAD: Final = """# Profiles of users drawn at random

Printed by `python -m benchmarks.profiles DATA=FOLDER …` from workspaces of the pipeline (`python -m
benchmarks.workspaces`), with seed {seed}, among users with at least {least} interest points. Of each interest: share,
name, why it has its tier, and the items that stand for it.
"""


def drawn(profiles: Profiles, count: int) -> list[int]:
    """Rows of so many users with at least LEAST points, at random but always the same."""
    users, counts = np.unique(profiles.owners, return_counts=True)
    rich = users[counts >= LEAST]
    return np.sort(np.random.default_rng(SEED).permutation(rich)[:count]).tolist()


def shown(profiles: Profiles, catalogue: Catalogue, user: int) -> list[str]:
    """A user's points by tier, and dislikes, as lines of Markdown."""
    table = profiles.table[profiles.of(user)]
    lines = [f"### User {table['user_id'][0]}", ""]
    for tier in reversed(TIERS):
        for row in table.filter(tier=tier).head(MOST).iter_rows(named=True):
            read = "; ".join(shorten(catalogue.title_of(item), LONGEST) for item in row["evidence"])
            lines.append(f"- **{tier}** {row['share']:.0%} *{row['name']}* — {row['because']}. {read}")
    against = profiles.dislikes
    if against is not None:
        for row in against.table.filter(pl.col(USER_ROW) == user).head(DISLIKES).iter_rows(named=True):
            read = "; ".join(shorten(catalogue.title_of(item), LONGEST) for item in row["evidence"])
            lines.append(f"- *dislikes* {row['name']} — {read}")
    return [*lines, ""]


def profiles_in(folder: Path) -> Profiles:
    """The latest profiles of a workspace. Raises SourceError where stage `tier` has not run."""
    for cut_off in CUT_OFFS:
        if (made := folder / "artifacts" / "models" / cut_off / "profiles").exists():
            return Profiles.read(made)
    raise SourceError(f"{folder / 'artifacts/models'} holds no profiles; run dvc repro tier@live in {folder}")


@clear_errors
def main(
    data: Annotated[list[str], typer.Argument(help="DATA=FOLDER: a name and the workspace that has its artefacts.")],
    users: Annotated[int, typer.Option(help="Users of all data sets together.")] = 10,
    output: Annotated[Path, typer.Option(help="The page that is written.")] = Path("docs/profiles.md"),
) -> None:
    """Write the page."""
    lines = [HEAD.format(seed=SEED, least=LEAST)]
    for place, one in enumerate(data):
        name, _, folder = one.partition("=")
        profiles = profiles_in(Path(folder))
        catalogue = Catalogue.read(Path(folder) / "artifacts" / "tables" / "items.parquet")
        lines += [f"## {name}", ""]
        for user in drawn(profiles, (users + place) // len(data)):
            lines += shown(profiles, catalogue, user)
    write_text("\n".join(lines), output)
    console.print(f"{output} written")


if __name__ == "__main__":
    typer.run(main)
