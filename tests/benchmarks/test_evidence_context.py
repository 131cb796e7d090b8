"""What evidence is measured on: a workspace as the stages left it, judged at times that lie after what was learned."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence.context import TIMES, Context
from benchmarks.evidence.standing import standing, standings
from benchmarks.simulate import SimulationSettings, simulate
from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import ITEM_ROW, ITEMS, TIERS, TIME, TIMESTAMP, USER_ROW, WEIGHT
from strata.embeddings.vectors import unit
from strata.errors import SourceError
from strata.evaluation.split import CutOffs
from strata.interests.naming import Namer
from strata.interests.settings import TierSettings
from strata.interests.shards import shards
from strata.interests.themes import ThemeSettings, learn_themes
from tests import strategies
from tests.places import ROOT
from tests.strategies import text_space

NOW = 17_400 * DAY
KINDS = [
    f"{how} {what}"
    for how in ("green", "black", "dried", "frozen", "fresh", "spicy", "sweet", "canned")
    for what in ("tea", "bread", "cheese", "pasta", "soup", "juice", "fish", "salad")
]
GROUPS = np.repeat(np.arange(len(KINDS)), 10)


def vectors() -> np.ndarray:
    """Items of a kind lie near each other."""
    rng = np.random.default_rng(3)
    return unit(rng.normal(size=(len(KINDS), 48))[GROUPS] + 0.3 * rng.normal(size=(len(GROUPS), 48)))


def items() -> pl.DataFrame:
    rows = [
        {"item_id": f"i{row:03d}", "title": f"{KINDS[kind].title()} number {row}", "categories": [KINDS[kind]]}
        for row, kind in enumerate(GROUPS)
    ]
    return pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)


def small_context(users: int = 40, seed: int = 3, folder: Path = Path()) -> Context:
    """A year of users with planted interests in kinds of goods, topics that are these kinds, a test of 220 days."""
    simulation = simulate(GROUPS, np.ones(len(GROUPS), int), SimulationSettings(users=users, seed=seed), time=NOW)
    return Context(
        Catalogue(items()),
        simulation.history,
        CutOffs(NOW - 300 * DAY, NOW - 260 * DAY, NOW - 220 * DAY, NOW),
        {"validation": vectors(), "backtest": vectors()},
        {"validation": GROUPS, "backtest": GROUPS},
        TierSettings(cut=1.0),
        folder,
    )


CONTEXT = small_context()


def write_workspace(folder: Path, context: Context = CONTEXT) -> Path:
    """What the stages leave of a small context, and an event against an item."""
    artifacts, history = folder / "artifacts", context.history
    for name in ("tables", "history"):
        (artifacts / name).mkdir(parents=True)
    context.catalogue.items.write_parquet(artifacts / "tables" / "items.parquet")
    pl.DataFrame({"user_id": np.arange(history.n_users).astype(str)}).write_parquet(
        artifacts / "tables" / "users.parquet"
    )
    columns = {
        USER_ROW: history.users,
        ITEM_ROW: history.items,
        TIMESTAMP: history.times * 1e6,
        WEIGHT: history.weights,
    }
    events = pl.DataFrame(columns).with_columns(pl.col(TIMESTAMP).cast(pl.Int64).cast(TIME))
    against = events[:1].with_columns(pl.lit(-1.0, pl.Float32).alias(WEIGHT))
    pl.concat([events, against]).write_parquet(artifacts / "history" / "interactions.parquet")
    context.cut_offs.write(artifacts / "history" / "cut_offs.json")
    known, namer = np.ones(len(GROUPS), bool), Namer.of(context.catalogue.items)
    for name, topics in (("validation", 8), ("backtest", 64)):
        themes = learn_themes(context.vectors, known, namer, ThemeSettings(topics=topics))
        themes.write(artifacts / "models" / name / "themes")
        text_space(context.vectors).write(artifacts / "models" / name / "space")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    return folder


def test_a_workspace_is_read_as_the_stages_left_it(tmp_path: Path) -> None:
    read = Context.read(write_workspace(tmp_path), print)
    assert len(read.history) == len(CONTEXT.history), "what speaks against an item is no interest"
    assert (read.history.items == CONTEXT.history.items).all()
    assert (read.groups == np.argsort(np.argsort(KINDS))[GROUPS]).all()
    assert (read.popularity == np.bincount(CONTEXT.history.items, minlength=len(GROUPS))).all()
    before, after = (read.cut_offs.backtest + shift for shift in (-1, 0))
    assert len(np.unique(read.topics_at(before))) == 8
    assert len(np.unique(read.topics_at(after))) == 58


def test_a_workspace_whose_stages_have_not_run_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"validation/themes does not exist; run dvc repro themes@validation themes@backtest"
    ):
        Context.read(tmp_path, print)
    shutil.rmtree(write_workspace(tmp_path) / "artifacts" / "models" / "backtest")
    with pytest.raises(SourceError, match="backtest/themes does not exist"):
        Context.read(tmp_path, print)


@given(st.floats(1, 900), st.floats(0, 300))
def test_times_lie_after_what_was_learned_and_leave_the_days_asked_for(length: float, days: float) -> None:
    start = NOW + 0.3 * DAY
    cut_offs = CutOffs(start - 2 * DAY, start - DAY, start, start + length * DAY)
    found = replace(CONTEXT, cut_offs=cut_offs).times("backtest", days)
    assert len(found) <= TIMES
    assert found == sorted(set(found))
    for time in found:
        assert time % DAY == 0
        assert cut_offs.backtest <= time <= cut_offs.live - days * DAY
    assert found or length < days + 1


def test_equal_hashes_mean_equal_behaviour() -> None:
    assert small_context().split == CONTEXT.split
    assert small_context(seed=4).split != CONTEXT.split
    assert replace(CONTEXT, cut_offs=replace(CONTEXT.cut_offs, backtest=NOW - 219 * DAY)).split != CONTEXT.split


@given(strategies.histories(positive=True))
def test_what_is_judged_is_what_profiles_hold(history: History) -> None:
    settings = TierSettings(cut=1.0, min_periods=2)
    profiler = strategies.profiler(settings)
    topics = profiler.themes.of_item[:, 0]
    cut_offs = CutOffs(0, 0, 0, strategies.TIME)
    by_cut_off = {"validation": topics, "backtest": topics}
    spaces = dict.fromkeys(by_cut_off, strategies.vectors())
    context = Context(Catalogue(strategies.catalogue()), history, cut_offs, spaces, by_cut_off, settings, ROOT)
    found = standing(context, history, strategies.TIME)
    profiles, _ = profiler.profiles(history, strategies.TIME)
    ours = zip(
        found.users[found.kept],
        np.array(TIERS)[found.tiers[found.kept]],
        found.statistics.strength[found.kept].round(6),
        context.catalogue.ids[found.points.medoids[found.kept]],
        strict=True,
    )
    assert sorted(ours) == sorted(profiles.table.select("user_row", "tier", "strength", "medoid").iter_rows())


def test_users_are_judged_a_shard_at_a_time_and_as_if_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    time = CONTEXT.cut_offs.backtest
    whole = standing(CONTEXT, CONTEXT.history.before(time), time)
    monkeypatch.setattr("benchmarks.evidence.standing.shards", partial(shards, events_at_once=300))
    parts = list(standings(CONTEXT, time))
    assert len(parts) > 3
    for name in ("users", "tiers", "short"):
        assert (np.concatenate([getattr(part, name) for part in parts]) == getattr(whole, name)).all()
