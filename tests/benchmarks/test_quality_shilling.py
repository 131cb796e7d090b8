"""Fake users stand in the files as people do, and places are compared for those whom both windows have."""

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.quality.shilling import FAKES, FILLERS, INTERACTIONS, USERS, compared, plant, pushed


def rated(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / INTERACTIONS, separator="\t", infer_schema=False)


def write_films(folder: Path) -> pl.DataFrame:
    """A hundred people, thirty ratings each."""
    rng = np.random.default_rng(1)
    columns = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    films = rng.integers(1, 80, 3_000) ** 2 // 80 + 1
    values = (np.arange(3_000) // 30, films, rng.integers(1, 6, 3_000), np.arange(3_000))
    before = pl.DataFrame({name: [str(value) for value in each] for name, each in zip(columns, values, strict=True)})
    before.write_csv(folder / INTERACTIONS, separator="\t")
    people = pl.DataFrame({"user_id:token": [str(n) for n in range(100)], "age:token": ["30"] * 100})
    people.write_csv(folder / USERS, separator="\t")
    return before


def test_fakes_rate_the_item_best_among_films_drawn_by_popularity(tmp_path: Path) -> None:
    before = write_films(tmp_path)
    plant(tmp_path, "9", 1_000.0)
    after = rated(tmp_path)
    assert after.head(3_000).equals(before)
    fakes = after.tail(-3_000)
    assert fakes["user_id:token"].n_unique() == FAKES
    assert fakes.group_by("user_id:token").len()["len"].unique().to_list() == [FILLERS + 1]
    assert fakes.filter(pl.col("item_id:token") == "9")["rating:float"].to_list() == ["5"] * FAKES
    assert fakes.unique(["user_id:token", "item_id:token"]).height == fakes.height
    assert pl.read_csv(tmp_path / USERS, separator="\t", infer_schema=False).height == 100 + FAKES


def test_users_like_them_arrive_as_they_do_and_push_nothing(tmp_path: Path) -> None:
    n_before = write_films(tmp_path).height
    plant(tmp_path, None, 1_000.0)
    added = rated(tmp_path).tail(-n_before)
    assert added.group_by("user_id:token").len()["len"].to_list() == [FILLERS + 1] * FAKES
    assert added.unique(["user_id:token", "item_id:token"]).height == added.height
    assert 0 < added.filter(pl.col("item_id:token") == "9").height < FAKES


def test_the_pushed_item_has_most_to_gain_and_users_of_one_window_do_not_count() -> None:
    before = pl.DataFrame({"user_id": [f"u{n}" for n in range(30)] * 2, "item_id": ["a"] * 30 + ["b"] * 21 + ["c"] * 9})
    assert pushed(before) == ("b", 21)
    after = pl.DataFrame({"user_id": ["u0", "u29", "new"], "item_id": ["b", "b", "b"]})
    assert compared(before, after, "b").rows() == [("u0", 1, 1), ("u29", 0, 1)]
