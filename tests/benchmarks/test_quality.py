"""Quality rows follow from per-user values, and leave-one-out knows nothing of what it asks for."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from benchmarks.quality import never_worse
from benchmarks.quality.split import SPLIT, write_split
from benchmarks.quality.time_split import Judged, rows
from strata.data.history import History
from strata.data.schema import ITEM, TIME, TIMESTAMP, USER, VALUE
from strata.evaluation.report import OURS
from strata.evaluation.window import Window
from strata.models.baselines import WINDOWED
from strata.storage import write_table
from tests.strategies import histories


@given(histories())
def test_leaving_out_asks_for_one_event_of_which_nothing_is_known(history: History) -> None:
    everything, history = history, history.choices  # what is hidden is never asked for
    for place in (0, 1, 2):
        window = Window.leaving_out(everything, place)
        assert (np.diff(window.relevant.indptr) == 1).all()
        assert window.asked is not None
        for row, user in enumerate(window.users):
            events = history.of(int(user))
            out = events.stop - 1 - place
            assert window.relevant.indices[row] == history.items[out]
            known = window.past.of(int(user))
            assert (window.past.items[known] == history.items[events.start : out]).all()
            assert window.asked[row] <= history.times[out] + 1
        part = window.only(np.arange(len(window.users)) % 2 == 0)
        assert part.asked is not None
        assert len(part.asked) == len(part.users) == part.relevant.shape[0]


def test_rows_compare_with_the_best_baseline_and_name_the_others() -> None:
    rng = np.random.default_rng(1)
    values = pl.DataFrame(
        {USER: [f"u{n}" for n in range(90)], "warm": [n % 3 > 0 for n in range(90)], "popularity": rng.random(90) / 2,
         "EASE + decay": rng.random(90) / 3, OURS: rng.random(90)}
    )  # fmt: skip
    judged = Judged(values, "split", 8, 30)
    best, other = rows(judged, "shop", "A shop", only_warm=True)
    assert (best.id, other.id) == ("shop", "shop-ease-decay")
    warm = values.filter(pl.col("warm"))
    assert best.n == 60
    assert best.excluded == "30 users without a past."
    assert best.value == pytest.approx(warm[OURS].mean())
    assert best.reference == pytest.approx(warm["popularity"].mean())
    assert best.low < best.value - best.reference < best.high


def test_rows_by_likes_are_of_the_same_lists_and_count_who_liked_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    values = pl.DataFrame(
        {USER: [f"u{n}" for n in range(60)], "warm": [n % 3 > 0 for n in range(60)], "popularity": rng.random(60) / 2,
         OURS: rng.random(60)}
    )  # fmt: skip
    liked = values.filter(~pl.col(USER).is_in(["u0", "u1"]))
    write_table(liked, tmp_path / "artifacts" / "evaluation" / "per_user_likes.parquet")
    by_likes = Judged(values, "split", 8, 20).by_likes(tmp_path)
    warm, everybody = (rows(by_likes, "films-likes", "Films", only_warm=only)[0] for only in (True, False))
    assert (warm.n, everybody.n) == (39, 58)
    assert warm.excluded == "19 users without a past. 1 users who liked nothing of it."
    assert everybody.excluded == "2 users who liked nothing of it."
    assert everybody.value == pytest.approx(liked[OURS].mean())


def test_the_split_that_peers_get_holds_every_event_once(tmp_path) -> None:
    n = 12
    table = pl.DataFrame(
        {
            USER: ["a"] * 5 + ["b"] * 4 + ["c"] * 3,
            ITEM: [f"i{k}" for k in range(n)],
            TIMESTAMP: pl.Series(range(n)).cast(TIME),
            VALUE: [3.0] * n,
        }
    )
    write_split(table, tmp_path)
    parts = [pl.read_parquet(tmp_path / f"{part}.parquet") for part in SPLIT]
    assert [len(part) for part in parts] == [6, 3, 3]
    assert sorted(pl.concat(parts)[ITEM]) == sorted(table[ITEM])
    assert parts[2][ITEM].to_list() == ["i4", "i8", "i11"]


def test_few_users_make_a_row_inconclusive_and_newcomers_have_one_of_their_own() -> None:
    rng = np.random.default_rng(1)
    values = pl.DataFrame(
        {USER: [f"u{n}" for n in range(160)], "warm": [n < 120 for n in range(160)], WINDOWED: rng.random(160) / 2,
         OURS: rng.random(160)}
    )  # fmt: skip
    judged = Judged(values, "split", 8, 40)
    known = never_worse.row(judged, "never-worse-shop", "A shop", WINDOWED, warm=True)
    new = never_worse.row(judged, "never-worse-shop-newcomers", "A shop", WINDOWED, warm=False)
    assert (known.n, known.inconclusive) == (120, "")
    assert (new.n, new.inconclusive) == (40, "40 users are too few.")
    assert known.low < known.value - known.reference < known.high
