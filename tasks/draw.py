"""Stage draw: pictures of a release: the catalogue's themes, and one user's interests over time."""

import numpy as np
import polars as pl

from strata.data.history import DAY
from strata.data.schema import USER
from strata.interests.drawing import ENDINGS, draw
from strata.interests.pictures import SwimLanes, ThemeMap
from strata.interests.profiles import Profiles, showcase
from strata.interests.profiling import Profiler
from strata.interests.settings import tier_settings
from strata.interests.themes import Themes
from strata.interests.timeline import moments, timeline_of
from strata.storage import write_json
from tasks import PICTURES, run
from tasks.inputs import Inputs, folder
from tasks.reporting import say
from tasks.spaces import space_of


def main() -> None:
    """Draw the theme map alone and with a user's points, and that user's tiers over time."""
    inputs = Inputs()
    themes, profiles = Themes.read(folder("live") / "themes"), Profiles.read(folder("live") / "profiles")
    layout = pl.read_parquet(folder("live") / "themes" / "map.parquet")
    user_id = showcase(profiles.table)
    whose = f"user {user_id}"
    points = profiles.table.filter(pl.col(USER) == user_id)
    _write(ThemeMap.of(layout, themes), "themes")
    _write(ThemeMap.of(layout, themes, points, whose), "interests")
    _write(SwimLanes.of(_timeline(inputs, themes, user_id), whose), "tiers-over-time")
    say(f"themes, and the interests of {whose}, drawn in {PICTURES}")


def _timeline(inputs: Inputs, themes: Themes, user_id: str) -> pl.DataFrame:
    profiler = Profiler.of(inputs.catalogue, space_of("live"), themes, tier_settings())
    row = int(np.flatnonzero(inputs.user_ids == user_id)[0])
    own = inputs.history.of_users(row, row + 1)

    def interests(time: float) -> pl.DataFrame:
        return profiler.profiles(own, time)[0].table

    steps = 12 if own.times.max() - own.times.min() < 366 * DAY else None
    return timeline_of(interests, moments(float(own.times.min()), float(own.times.max()) + 1, steps), themes)


def _write(picture: SwimLanes | ThemeMap, name: str) -> None:
    """Write the picture, and its content as JSON for other programs to draw."""
    write_json(picture.model_dump(mode="json"), PICTURES / f"{name}.json")
    for ending in ENDINGS:
        draw(picture, PICTURES / f"{name}{ending}")


if __name__ == "__main__":
    run(main)
