"""Stage draw: pictures of what the release knows: the catalogue's themes, and one user's interests over time."""

import numpy as np
import polars as pl

from strata.data.history import DAY
from strata.data.schema import USER
from strata.interests.map_picture import draw_map
from strata.interests.pictures import ENDINGS, Picture
from strata.interests.profiles import Profiles, showcase
from strata.interests.profiling import Profiler
from strata.interests.settings import TierSettings
from strata.interests.swim_lanes import draw_swim_lanes
from strata.interests.themes import Themes
from strata.interests.timeline import course_of, moments
from strata.settings import read_settings
from tasks import PICTURES, run
from tasks.inputs import Inputs, folder
from tasks.reporting import say


def main() -> None:
    """Draw the map alone and with a user's points on it, and that user's tiers over time."""
    inputs = Inputs()
    themes, profiles = Themes.read(folder("live") / "themes"), Profiles.read(folder("live") / "profiles")
    layout = pl.read_parquet(folder("live") / "themes" / "map.parquet")
    user_id = showcase(profiles.table)
    whose = f"user {user_id}"
    points = profiles.table.filter(pl.col(USER) == user_id)
    _write(draw_map(layout, themes), "themes")
    _write(draw_map(layout, themes, points, whose), "interests")
    _write(draw_swim_lanes(_course(inputs, themes, user_id), whose), "tiers-over-time")
    say(f"themes, and the interests of {whose}, drawn in {PICTURES}")


def _course(inputs: Inputs, themes: Themes, user_id: str) -> pl.DataFrame:
    profiler = Profiler.of(inputs.catalogue, inputs.vectors, themes, read_settings(TierSettings, "tier"))
    row = int(np.flatnonzero(inputs.user_ids == user_id)[0])
    own = inputs.history.of_users(row, row + 1)

    def interests(time: float) -> pl.DataFrame:
        return profiler.profiles(own, time)[0].table

    steps = 12 if own.times.max() - own.times.min() < 366 * DAY else None
    return course_of(interests, moments(float(own.times.min()), float(own.times.max()) + 1, steps), themes)


def _write(picture: Picture, name: str) -> None:
    for ending in ENDINGS:
        picture.write(PICTURES / f"{name}{ending}")


if __name__ == "__main__":
    run(main)
