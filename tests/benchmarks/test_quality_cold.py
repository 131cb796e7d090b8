"""Newcomers leave nothing in what is fitted, their picks lie before the cut-off, and new items have no past."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from benchmarks.quality.cold_items import judge_new, new_items, references, window_of_new
from benchmarks.quality.cold_users import (
    PICKS,
    ZERO_SHOT,
    judge_picks,
    judge_words,
    newcomers,
    part_of,
    picks_of,
    told,
    without,
)
from benchmarks.quality.site import MONTH, Site, compared, midnight, pooled
from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import USER, USERS
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.evaluation.report import OURS
from strata.evaluation.window import Window
from strata.interests.query_users import NewUsers, PastChoice
from strata.interests.settings import TierSettings
from strata.models.baselines import WINDOWED, behavioural
from strata.models.settings import CollaborativeSettings
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.settings import RankSettings, RecommendSettings
from tests.places import ROOT
from tests.strategies import N_ITEMS, TIME, catalogue, histories, profiler, vectors
from tests.tiny_recommender import write_tiny_encoder

N_USERS = 40
OUT = part_of(N_USERS) == 0
MIDDLE = TIME - 200 * DAY


def shop_history(seed: int = 1, n: int = 1_200) -> History:
    """Users who choose some items of the twelve, day by day; the last two are new after TIME."""
    rng = np.random.default_rng(seed)
    times = TIME + rng.uniform(-120, 30, n) * DAY
    items = rng.integers(0, np.where(times < TIME, N_ITEMS - 2, N_ITEMS), n)
    return History.from_columns(rng.integers(0, N_USERS, n), items, times, np.ones(n), n_users=N_USERS, n_items=N_ITEMS)


@pytest.fixture(scope="module")
def shop() -> Site:
    ids = np.array([f"u{n:02d}" for n in range(N_USERS)], object)
    accounts = [
        {"user_id": user, "profile_text": None, "attributes": [{"key": "home_size", "value": "2"}] if n % 2 else []}
        for n, user in enumerate(ids)
    ]
    settings = CollaborativeSettings(trials=2)
    chosen = {
        name: {key: values[0] for key, values in model.grid.items()}
        for name, model in behavioural(settings, repeats=True).items()
    }
    return Site(
        Path(), Catalogue(catalogue()), pl.DataFrame(accounts, schema=USERS), shop_history(), vectors(), vectors(),
        profiler(TierSettings(cut=0.8)), ItemIndex.build(vectors(), IndexSettings()), chosen,
        RecommendSettings(repeats=True), RankSettings(windows=1, horizon=1), 0,
    )  # fmt: skip


def test_users_left_out_leave_nothing_in_what_is_fitted(shop: Site) -> None:
    other = shop_history(seed=2)
    others = other.keep(OUT[other.users])
    kept = without(shop.history, OUT)
    assert not OUT[kept.users].any()
    columns = ("users", "items", "times", "weights")
    mixed = History.from_columns(
        *(np.concatenate([getattr(kept, name), getattr(others, name)]) for name in columns),
        n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip
    fitted = []
    for history in (shop.history, mixed):  # the same but for what those left out did
        window = shop.window(without(history, OUT), TIME)
        models = shop.models(window.past, TIME, window.users)
        fitted.append((window, models, shop.learn(window, models)))
    (window, models, learned), (window_too, models_too, learned_too) = fitted
    assert not OUT[window.users].any()
    assert not OUT[models.profiles.owners].any()
    assert models.profiles.table.equals(models_too.profiles.table)
    assert (window.users == window_too.users).all()
    assert (models.features.trends.keys == models_too.features.trends.keys).all()
    np.testing.assert_array_equal(learned.features, learned_too.features)


@given(histories())
def test_picks_are_distinct_items_chosen_before(history: History) -> None:
    recent = history.between(MIDDLE, TIME)
    picks = picks_of(recent, TIME)
    assert (picks.times < TIME).all()
    for user in range(history.n_users):
        liked = set(recent.items[recent.of(user)][recent.weights[recent.of(user)] > 0].tolist())
        mine = picks.items[picks.of(user)].tolist()
        assert len(mine) == len(set(mine)) == (PICKS if len(liked) >= PICKS else 0)
        assert set(mine) <= liked
    again = picks_of(recent, TIME)
    assert (again.items == picks.items).all()


def test_picks_become_the_person_that_a_visitor_becomes(shop: Site) -> None:
    picks = picks_of(shop.history.before(TIME), TIME)
    user = int(picks.users[0])
    mine = picks.items[picks.of(user)]
    new_users = NewUsers(shop.profiler, TIME, {})
    person = new_users.from_choices([PastChoice(shop.catalogue.ids[item]) for item in mine])
    profiles = shop.profiles(picks, TIME)
    rows = profiles.of(user)
    assert (person.history.times == picks.times[picks.of(user)]).all()
    assert profiles.table[rows].drop(USER, "user_row").equals(person.profiles.table.drop(USER, "user_row"))
    np.testing.assert_array_equal(profiles.vectors[rows], person.profiles.vectors)


def test_newcomers_are_known_by_their_picks_alone(shop: Site) -> None:
    month = shop.window(without(shop.history, OUT), TIME)
    picks = picks_of(shop.history.between(TIME - MONTH, TIME), TIME)
    window = newcomers(shop.history, month, OUT, picks)
    assert len(window.users)
    assert OUT[window.users].all()
    assert set(window.past.users.tolist()) <= set(np.flatnonzero(OUT).tolist())
    later = shop.history.between(TIME, TIME + MONTH)
    for row, user in enumerate(window.users):
        bought = set(later.items[later.of(int(user))].tolist()) & set(np.flatnonzero(month.items).tolist())
        assert set(window.relevant[row].indices.tolist()) == bought
        assert (window.past.items[window.past.of(int(user))] == picks.items[picks.of(int(user))]).all()
    assert (window.warm == (np.diff(picks.offsets)[window.users] > 0)).all()


@given(histories())
def test_new_items_have_no_past(history: History) -> None:
    pool = new_items(history, MIDDLE)
    assert not pool[history.before(MIDDLE).items].any()
    window = window_of_new(history, without(history, np.arange(history.n_users) == 0), MIDDLE)
    assert not window.items[window.past.items].any()
    assert pool[window.relevant.indices].all()
    assert window.warm.all()
    assert 0 not in window.users


@given(histories())
def test_within_drops_users_who_chose_nothing_of_what_counts(history: History) -> None:
    items = np.arange(N_ITEMS) % 2 == 0
    window = Window.of(history, MIDDLE, TIME, repeats=True)
    narrowed = window.among(items)
    even = [user for user, row in zip(window.users, window.relevant, strict=True) if (row.indices % 2 == 0).any()]
    assert narrowed.users.tolist() == even
    assert (narrowed.relevant.indices % 2 == 0).all()
    assert not (narrowed.items & ~items).any()


def test_newcomers_and_new_items_are_judged_by_every_method(shop: Site, tmp_path: Path) -> None:
    month = shop.window(without(shop.history, OUT), TIME)
    models = shop.models(month.past, TIME, month.users)
    names = models.features.names(models.names)
    trees = LambdaMart.fit([shop.learn(month, models)], names, shop.ranking.trees, apart=1, seeds=(1,))
    picked = newcomers(shop.history, month, OUT, picks_of(shop.history.before(TIME), TIME))
    users, values = judge_picks(shop, picked, month.past, models, trees, 30)
    assert users is picked.users
    assert set(values) == {OURS, WINDOWED, ZERO_SHOT}
    assert told(shop, [0, 1]) == ["", "home size 2"]
    nothing = shop.history.keep(np.zeros(len(shop.history), bool))
    silent = newcomers(shop.history, month, OUT, nothing)
    assert not silent.warm.any()
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    write_tiny_encoder(tmp_path / "artifacts" / "encoder")
    reading = replace(shop, folder=tmp_path)
    texts = (["I love garden films", "where is my parcel?"] * len(silent.users))[: len(silent.users)]
    _, of_words = judge_words(reading, silent, month.past, models, texts, 30)
    new = window_of_new(shop.history, without(shop.history, OUT), TIME)
    assert np.flatnonzero(new.items).tolist() == [N_ITEMS - 2, N_ITEMS - 1]
    chosen = shop.tune({name: references(shop)[name] for name in (WINDOWED, ZERO_SHOT)}, [month])
    _, of_new = judge_new(shop, new, models, trees, chosen)
    for each, window in ((values, picked), (of_words, silent), (of_new, new)):
        for value in each.values():
            assert value.shape == window.users.shape
            assert ((value >= 0) & (value <= 1)).all()
    assert (of_new[OURS] > 0.6).all()  # both new items are in every list


def test_rows_take_the_mean_over_the_cut_offs_a_user_is_judged_at(shop: Site) -> None:
    first = (np.array([0, 1]), {OURS: np.array([1.0, 0.5]), WINDOWED: np.array([0.5, 0.0])})
    second = (np.array([1, 2]), {OURS: np.array([0.0, 0.5]), WINDOWED: np.array([0.5, 1.0])})
    values = pooled(shop, [first, second])
    assert values[OURS].to_list() == [1.0, 0.25, 0.5]
    (row,) = compared("cold-user", "A shop", values, 8, "nobody.")
    assert (row.n, row.excluded, row.trials) == (3, "nobody.", 8)
    assert row.value == pytest.approx(1.75 / 3)
    assert row.reference == pytest.approx(1.75 / 3)
    assert row.inconclusive
    assert midnight("1970-01-02") == DAY
