"""The main job on ratings without any time, some of them -1 for "seen, not rated", by `strata init` alone."""

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml

from tests.conftest import SMALL, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
KINDS = {
    "Space": ("Sci-Fi, Mecha", ["Galaxy", "Orbit", "Nova", "Comet"]),
    "School": ("Comedy, School", ["Classroom", "Club", "Homeroom", "Festival"]),
    "Fantasy": ("Adventure, Magic", ["Dragon", "Witch", "Sword", "Rune"]),
}
ENDS = ["Chronicle", "Diary", "Legend", "Days", "Song", "Hunter", "Zero", "Reborn"]


def write_series(folder: Path, users: int = 120) -> None:
    """96 series of three kinds; each user rates most of one kind, the others lower."""
    drawn, kinds = random.Random(5), list(KINDS)
    folder.mkdir(parents=True)
    titles = [(kind, f"{word} {end}") for kind in kinds for word in KINDS[kind][1] for end in ENDS]
    series = [{"anime_id": 1000 + n, "name": name, "genre": KINDS[kind][0]} for n, (kind, name) in enumerate(titles)]
    pl.DataFrame(series).write_csv(folder / "anime.csv")
    rows = []
    for user in range(1, users + 1):
        for n in drawn.sample(range(len(series)), 40):
            likes = n // 32 == user % 3
            if likes or drawn.random() < 0.15:
                rating = -1 if drawn.random() < 0.2 else min(10, max(1, round(drawn.gauss(8 if likes else 4, 1.5))))
                rows.append({"user_id": user, "anime_id": series[n]["anime_id"], "rating": rating})
    pl.DataFrame(rows).write_csv(folder / "rating.csv")


def test_ratings_without_times_become_lists_and_nothing_speaks_of_days(
    new_workspace: Callable[[str], Workspace], tmp_path: Path
) -> None:
    made = new_workspace("series")
    write_series(tmp_path / "series")
    made.run("strata", "init", "--yes", str(tmp_path / "series"))
    source = yaml.safe_load((made.folder / "params.yaml").read_text(encoding="utf-8"))["source"]
    assert (source["interactions"]["time"], source["interactions"]["unrated"]) == ("none", {-1: "view"})
    made.set_params({**SMALL, "finetune": {"tune": "none"}, "source": source})
    made.commit()
    ran = made.run("dvc", "repro")
    done = ran.stdout + ran.stderr
    assert "live: the data have no times" in done
    assert "tiers tell little apart" not in done
    shown = made.run("strata", "user", "3").stdout
    assert "the data have no times, so nothing says how long it lasts" in shown
    assert "Interests of user 3, by share" in shown
    assert "momentary" not in shown
    assert "nothing tells what is on the rise" in made.run("strata", "hot-topics", "3").stdout
    for command in (["similar-users", "3"], ["audience", "1000"]):
        related = made.run("strata", *command).stdout
        assert "your " in related or "their " in related
        assert "momentary" not in related
    lists = made.run("strata", "recommend", "3", "-k", "5").stdout
    assert "your interest" in lists
    for said in ("momentary", "these days", "2001"):
        assert said not in lists
    top = pl.read_parquet(made.folder / "artifacts" / "release" / "profiles" / "profiles.parquet")
    counted = top.group_by("user_id").agg(share=pl.col("share").sum(), items=pl.col("items").sum())
    assert counted["share"].to_list() == pytest.approx([1.0] * counted.height, abs=1e-4)
    assert "year 2001" in made.run("strata", "user", "3", "--timeline").stdout
