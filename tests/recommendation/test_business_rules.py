"""Business rules hold in every list: nothing forbidden, caps kept, must-includes there and in their place."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.schema import BRAND, CATEGORIES, CREATED, ITEMS
from strata.errors import SettingsError, UnknownId
from strata.recommendation.business_rules import Boost, BusinessRules, Places, apply_rules, boost
from tests.strategies import N_ITEMS, TIME, catalogue, themes

THEMES = themes()
BRANDS = [None, "Acme", "Bolt"]
NOW = datetime.fromtimestamp(TIME, UTC)
SHOP = Catalogue(
    catalogue().with_columns(
        pl.Series(BRAND, [BRANDS[n % 3] for n in range(N_ITEMS)]),
        pl.Series(CREATED, [None, *(NOW - timedelta(days=10 * n) for n in range(1, N_ITEMS))], dtype=ITEMS[CREATED]),
    )
)
IDS = SHOP.ids.tolist()
KINDS = {
    "brand": lambda row: [BRANDS[row % 3]] if BRANDS[row % 3] else [],
    "category": lambda row: SHOP.items[CATEGORIES][row].to_list(),
    "theme": lambda row: [int(THEMES.of_item[row, 2])],
}

masks = st.lists(st.booleans(), min_size=N_ITEMS, max_size=N_ITEMS).map(np.array)
rankings = st.integers(0, N_ITEMS).flatmap(
    lambda n: st.permutations(range(N_ITEMS)).map(lambda rows: np.array([*rows[:n], *[NOTHING] * (N_ITEMS - n)]))
)
caps = st.dictionaries(st.sampled_from(sorted(KINDS)), st.integers(1, 4))
musts = st.dictionaries(st.sampled_from(IDS), st.builds(Places, best=st.integers(1, 6)), max_size=3)


def held(kind: str, listed: np.ndarray) -> Counter:
    return Counter(group for row in listed.tolist() for group in KINDS[kind](row))


@given(rankings, st.integers(1, N_ITEMS), caps, musts, masks)
def test_every_rule_holds_in_every_list(ranked, k, limits, must_include, allowed) -> None:
    rules = BusinessRules(caps=limits, must_include=must_include)
    rows = [row for row in map(IDS.index, must_include) if allowed[row]]
    if any(n > limits[kind] for kind in limits for n in held(kind, np.array(rows, int)).values()):
        with pytest.raises(SettingsError, match=r"must_include holds \d items of .*; raise the cap or drop one"):
            apply_rules(ranked, k, rules, SHOP, THEMES, allowed)
        return
    listed = apply_rules(ranked, k, rules, SHOP, THEMES, allowed)
    assert allowed[listed].all()
    assert len(set(listed)) == len(listed)
    assert set(rows) <= set(listed)
    assert all(n <= limits[kind] for kind in limits for n in held(kind, listed).values())
    others = [row for row in listed if row not in rows]
    assert others == [row for row in ranked if row in others], "the others keep their order"
    if not limits:
        assert len(listed) == len({*rows} | {row for row in ranked[ranked != NOTHING] if allowed[row]})
    if len(rows) == 1:
        places = must_include[IDS[rows[0]]]
        latest = places.best if places.worst is None and k < places.best else places.last(k)
        assert listed.tolist().index(rows[0]) < latest


@given(rankings, st.integers(1, N_ITEMS), st.integers(1, N_ITEMS), caps, musts, masks)
def test_candidates_that_are_added_at_the_end_move_nothing_before_them(
    ranked, n, k, limits, must_include, allowed
) -> None:
    musts = set(map(IDS.index, must_include))
    ranked = np.array([*ranked[:n], *[NOTHING if row in musts else row for row in ranked[n:]]])
    rules = BusinessRules(caps=limits, must_include=must_include)
    try:
        whole = apply_rules(ranked, k, rules, SHOP, THEMES, allowed).tolist()
    except SettingsError:
        return
    part = apply_rules(ranked[:n], k, rules, SHOP, THEMES, allowed).tolist()
    others = sum(row not in musts for row in part)
    assert part[:others] == whole[:others]


@given(rankings, st.integers(1, N_ITEMS), st.integers(1, N_ITEMS), musts)
def test_enough_candidates_give_the_first_places(ranked, n, k, must_include) -> None:
    rules, allowed = BusinessRules(must_include=must_include), np.ones(N_ITEMS, bool)
    whole = apply_rules(ranked, k, rules, SHOP, THEMES, allowed).tolist()
    part = apply_rules(ranked[: n + len(must_include)], k, rules, SHOP, THEMES, allowed).tolist()
    assert part[:n] == whole[:n]


@pytest.mark.parametrize(("k", "place"), [(3, 3), (10, 10), (200, 10)])
def test_a_must_include_without_a_last_place_is_on_the_first_page(k: int, place: int) -> None:
    rules = BusinessRules(must_include={IDS[11]: Places()})
    listed = apply_rules(np.arange(N_ITEMS), k, rules, SHOP, THEMES, np.ones(N_ITEMS, bool))
    assert listed.tolist().index(11) + 1 == place


@given(rankings, st.integers(1, N_ITEMS))
def test_without_rules_the_list_stays_as_it_is(ranked: np.ndarray, k: int) -> None:
    listed = apply_rules(ranked, k, BusinessRules(), SHOP, THEMES, np.ones(N_ITEMS, bool))
    assert listed.tolist() == ranked[ranked != NOTHING].tolist()


@given(st.permutations(range(N_ITEMS)), st.integers(1, 6), st.integers(0, 3), st.sampled_from(range(N_ITEMS)))
def test_a_must_include_has_a_place_it_may_have_and_the_one_it_earned_if_it_may(
    ranked: list[int], best: int, more: int, row: int
) -> None:
    rules = BusinessRules(must_include={IDS[row]: Places(best=best, worst=best + more)})
    listed = apply_rules(np.array(ranked), 10, rules, SHOP, THEMES, np.ones(N_ITEMS, bool))
    assert listed.tolist().index(row) + 1 == np.clip(ranked.index(row) + 1, best, best + more)


def test_must_includes_of_one_place_are_refused() -> None:
    rules = BusinessRules(must_include={IDS[row]: Places(worst=1) for row in (9, 10)})
    with pytest.raises(SettingsError, match="no place up to 1 is left"):
        apply_rules(np.arange(8), 5, rules, SHOP, THEMES, np.ones(N_ITEMS, bool))


def test_of_the_usual_places_must_includes_take_the_next_free_ones() -> None:
    rules = BusinessRules(must_include={IDS[9]: Places(), IDS[10]: Places(worst=1), IDS[11]: Places()})
    listed = apply_rules(np.arange(8), 1, rules, SHOP, THEMES, np.ones(N_ITEMS, bool))
    assert listed[0] == 10  # the place that was asked for goes before those that are usual
    assert sorted(listed[:3].tolist()) == [9, 10, 11]
    assert listed[3:].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


windows = st.tuples(st.integers(1, 5), st.integers(0, 4)).map(lambda pair: (pair[0], sum(pair)))


@given(st.lists(windows, min_size=1, max_size=5), st.permutations(range(N_ITEMS)))
def test_places_hold_wherever_they_can_and_are_refused_where_they_cannot(
    spans: list[tuple[int, int]], ranked: list[int]
) -> None:
    rules = BusinessRules(
        must_include={IDS[n]: Places(best=best, worst=worst) for n, (best, worst) in enumerate(spans)}
    )
    can = any(len(set(places)) == len(spans) for places in product(*(range(a, b + 1) for a, b in spans)))
    try:
        listed = apply_rules(np.array(ranked), 10, rules, SHOP, THEMES, np.ones(N_ITEMS, bool)).tolist()
    except SettingsError:
        assert not can
        return
    assert can
    assert all(best <= listed.index(n) + 1 <= worst for n, (best, worst) in enumerate(spans))


def test_caps_count_must_includes_and_let_others_take_the_place_of_what_they_drop() -> None:
    rules = BusinessRules(caps={"brand": 1}, must_include={IDS[4]: Places(best=2, worst=2)})
    listed = apply_rules(np.arange(N_ITEMS), 4, rules, SHOP, THEMES, np.ones(N_ITEMS, bool))
    assert listed.tolist() == [0, 4, 2, 3, 6, 9]  # 1 is of the brand of 4


def test_items_that_do_not_exist_are_named() -> None:
    rules = BusinessRules(must_include={"nowhere": Places()})
    with pytest.raises(UnknownId, match=r"1 of 1 items are not among the 12 of this release: 'nowhere'"):
        apply_rules(np.arange(3), 3, rules, SHOP, THEMES, np.ones(N_ITEMS, bool))
    with pytest.raises(UnknownId, match="'nowhere'"):
        rules.check(SHOP, THEMES)


def test_rules_that_can_never_hold_are_found_before_any_list_is_made() -> None:
    music = [IDS[row] for row in (1, 4)]
    rules = BusinessRules(caps={"category": 1}, must_include=dict.fromkeys(music, Places()))
    with pytest.raises(SettingsError, match="must_include holds 2 items of category 'music', and caps.category is 1"):
        rules.check(SHOP, THEMES)
    BusinessRules(caps={"category": 2}, must_include=rules.must_include).check(SHOP, THEMES)


def test_what_is_asked_replaces_the_rule_of_its_name_and_leaves_the_others() -> None:
    usual = BusinessRules(caps={"brand": 2}, must_include={IDS[0]: Places()})
    assert usual.but(None) == usual
    asked = BusinessRules(must_include={})
    assert usual.but(asked) == BusinessRules(caps={"brand": 2})


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"boosts": [{"times": 2}]}, "needs newer_than_days or chosen_by_at_most"),
        ({"boosts": [{"newer_than_days": 3, "times": -1}]}, "greater than or equal to 0"),
        ({"caps": {"brand": 0}}, "greater than or equal to 1"),
        ({"caps": {"colour": 2}}, "Extra inputs"),
        ({"must_include": {"i01": {"place": 1}}}, "Extra inputs"),
        ({"boost": []}, "Extra inputs"),
    ],
)
def test_rules_that_say_nothing_sensible_are_refused(rules: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BusinessRules.model_validate(rules)


def boosted(rule: Boost, items: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chosen_by = np.arange(N_ITEMS) % 4
    return boost(items, scores, BusinessRules(boosts=[rule]), SHOP, TIME, chosen_by)


@given(st.lists(rankings, min_size=1, max_size=3).map(np.array), st.floats(0, 3), st.floats(-1, 2))
def test_boosts_move_items_that_meet_every_condition_and_no_others(
    items: np.ndarray, times: float, plus: float
) -> None:
    scores = -np.tile(np.arange(N_ITEMS), (len(items), 1))
    after, values = boosted(Boost(newer_than_days=65, chosen_by_at_most=2, times=times, plus=plus), items, scores)
    assert (np.sort(after) == np.sort(items)).all()
    assert ((after == NOTHING) == (items == NOTHING)).all(), "padding stays behind"
    assert (values[:, :-1] >= values[:, 1:]).all()
    meets = {1, 2, 4, 5, 6}  # 3 is chosen by three, 0 is of unknown age, 7 and those after it are old
    for before, now in zip(items.tolist(), after.tolist(), strict=True):
        for one in ({*range(N_ITEMS)} - meets, meets if times > 0 else set()):
            assert [row for row in now if row in one] == [row for row in before if row in one]


def test_a_plus_above_1_puts_new_items_before_all_others() -> None:
    items = np.array([[5, 11, 1, 8, 2]])
    after, _ = boosted(Boost(newer_than_days=25, plus=1.1), items, np.array([[9.0, 8.0, 7.0, 6.0, 5.0]]))
    assert after.tolist() == [[1, 2, 5, 11, 8]]


def test_without_boosts_scores_come_back_as_they_are() -> None:
    items, scores = np.array([[2, 1, NOTHING]]), np.array([[0.3, 0.1, 0.0]])
    after, values = boost(items, scores, BusinessRules(), SHOP, TIME, np.zeros(N_ITEMS))
    assert (after == items).all()
    assert (values == scores).all()


def test_a_release_whose_rules_ask_for_a_last_place_before_the_first_is_refused() -> None:
    rules = BusinessRules(must_include={"i01": Places(best=3, worst=2)})
    with pytest.raises(SettingsError, match="worst place 2 comes before best place 3; swap them"):
        rules.check(SHOP, THEMES)
