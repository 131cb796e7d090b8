"""Machines, copied sequences and pushed items planted among people are flagged, and hardly anybody else."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from strata.data.cleaning import CleaningSettings
from strata.data.parts import Parts
from strata.data.suspicious import Suspicion, SuspicionSettings, suspicion
from tests.data.test_cleaning import RULES, cleaned

SETTINGS = SuspicionSettings()
DAY = 86_400.0
START, DAYS, PEOPLE, ITEMS = 1_600_000_000.0, 200, 400, 300
Event = tuple[str, int, float]
"""User, item, seconds since 1970."""


def popularity(items: int) -> np.ndarray:
    weights = 1 / np.arange(1, items + 1) ** 0.8
    return np.asarray(weights / weights.sum())


def people(rng: np.random.Generator, count: int = PEOPLE, items: int = ITEMS) -> list[Event]:
    """People who arrive over 200 days and choose about 30 items, popular ones more, in pages of a few at one second."""
    found = []
    for user in range(count):
        at = START + rng.uniform(0, DAYS) * DAY
        chosen = rng.choice(items, rng.integers(10, 60), replace=False, p=popularity(items))
        times = at + np.cumsum(rng.integers(0, 2, len(chosen)) * rng.exponential(40, len(chosen)).round())
        found += [(f"u{user}", int(item), float(time)) for item, time in zip(chosen, times, strict=True)]
    return found


def looked_at(events: Iterable[Event], behaviour: str = "view") -> Suspicion:
    users, items, seconds = zip(*events, strict=True)
    frame = pl.DataFrame({"user_id": users, "item_id": [f"i{item}" for item in items], "seconds": seconds})
    times = (pl.col("seconds") * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    named = pl.int_range(pl.len()).cast(pl.String)
    rows = frame.select("user_id", "item_id", behaviour=pl.lit(behaviour), timestamp=times, event_id=named)
    return suspicion(Parts.of(rows), SETTINGS)


def flagged(found: Suspicion, sign: str) -> list[str]:
    return found.signs.filter((pl.col("sign") == sign) & pl.col("certain"))["user_id"].unique().sort().to_list()


@pytest.fixture(scope="module")
def crowd() -> list[Event]:
    return people(np.random.default_rng(3))


def test_nobody_is_flagged_among_people(crowd: list[Event]) -> None:
    assert looked_at(crowd).signs.is_empty()


@pytest.mark.parametrize(
    ("count", "gap", "sign"), [(400, 1.3, "rate"), (150, 0.2, "rate"), (60, 30.0, "clockwork")], ids=str
)
def test_a_machine_is_flagged(crowd: list[Event], count: int, gap: float, sign: str) -> None:
    rng = np.random.default_rng(5)
    noise = 0.4 * gap if sign == "rate" else 0.0
    bot = [("bot", int(rng.integers(ITEMS)), START + 9 * DAY + n * gap + noise * rng.random()) for n in range(count)]
    found = looked_at([*crowd, *bot])
    assert flagged(found, sign) == ["bot"]
    assert found.signs["user_id"].unique().to_list() == ["bot"]
    assert found.events.height == count


def test_a_burst_of_somebody_leaves_their_other_events(crowd: list[Event]) -> None:
    burst = [("u7", n % ITEMS, START + 150 * DAY + n * 0.1) for n in range(120)]
    calm = [("u7", n, START + (150 + n + n % 7 / 9) * DAY) for n in range(1, 150)]
    found = looked_at([*crowd, *burst, *calm])
    assert flagged(found, "rate") == ["u7"]
    assert found.events.height == 120


def test_a_basket_and_events_dated_by_days_are_no_machine(crowd: list[Event]) -> None:
    basket = [("u7", n, START + 3600.0) for n in range(150)]
    assert looked_at(basket + crowd, "purchase").signs.is_empty()
    by_day = [(user, item, at // DAY * DAY) for user, item, at in crowd + [("u7", n, START) for n in range(150)]]
    assert looked_at(by_day).signs.is_empty()


def test_copies_of_a_sequence_are_flagged_though_a_few_items_differ(crowd: list[Event]) -> None:
    rng = np.random.default_rng(7)
    master = rng.permutation(ITEMS)[:40]
    copies = []
    for copier in range(10):
        items = master.copy()
        items[rng.integers(40, size=2)] = rng.integers(ITEMS, size=2)
        at = START + rng.uniform(0, DAYS) * DAY
        copies += [(f"copy{copier}", int(item), at + n * 17 + rng.uniform(0, 9)) for n, item in enumerate(items)]
    assert flagged(looked_at(crowd + copies), "copy") == [f"copy{n}" for n in range(10)]


def fakes(  # noqa: PLR0913
    rng: np.random.Generator, target: int, days: float, count: int = 50, items: int = ITEMS, day: float = 120
) -> list[Event]:
    """Users who arrive within some days from a day, each with the target among thirty items drawn by popularity."""
    found = []
    for fake in range(count):
        fillers = rng.choice(items, 30, replace=False, p=popularity(items))
        chosen = rng.permutation([*fillers[fillers != target], target])
        at = START + day * DAY + rng.uniform(0, days) * DAY
        found += [(f"fake{fake}", int(item), float(at + n * 23)) for n, item in enumerate(chosen)]
    return [(user, item, at + rng.uniform(0, 9)) for user, item, at in found]


@pytest.mark.parametrize("days", [0.1, 3.0])
@pytest.mark.parametrize("target", [20, 150])
def test_a_pushed_item_gives_its_pushers_away(crowd: list[Event], target: int, days: float) -> None:
    found = looked_at(crowd + fakes(np.random.default_rng(11), target, days))
    pushers = flagged(found, "flood")
    assert sum(name.startswith("fake") for name in pushers) >= 45
    assert sum(name.startswith("u") for name in pushers) <= 0.02 * PEOPLE
    assert set(found.signs["item_id"]) == {f"i{target}"}


@pytest.mark.parametrize("seed", range(1_000, 1_016))
def test_a_push_of_any_size_is_seen_to_its_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, items, pushers = (int(rng.integers(*ends)) for ends in ((300, 1_200), (150, 800), (30, 90)))
    days, target, day = float(rng.choice([0.1, 1, 3])), int(rng.integers(10, items)), rng.uniform(20, 180)
    found = looked_at(people(rng, count, items) + fakes(rng, target, days, pushers, items, day))
    names = flagged(found, "flood")
    assert sum(name.startswith("fake") for name in names) >= 0.95 * pushers
    assert sum(name.startswith("u") for name in names) <= 0.01 * count


@pytest.mark.parametrize("seed", range(1_100, 1_106))
def test_a_push_does_not_make_a_flood_of_what_was_popular_before_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    crowd, hit = people(rng, 900), ITEMS + 1
    first = {user: at for user, _, at in reversed(crowd)}
    rates = {user: 0.8 if at > START + 100 * DAY else 0.3 for user, at in first.items()}
    crowd += [(user, hit, first[user] + 5) for user, rate in rates.items() if rng.random() < rate]
    assert looked_at(crowd).signs.is_empty()
    found = looked_at(crowd + fakes(rng, 150, 1.0, 100))
    assert set(found.signs["item_id"]) == {"i150"}


def test_who_comes_for_what_is_new_and_who_comes_back_are_not_certain(crowd: list[Event]) -> None:
    rng = np.random.default_rng(12)
    opening = fakes(rng, ITEMS + 1, 1.0, items=ITEMS + 2)  # nobody chose it before
    found = looked_at(crowd + opening)
    assert set(found.signs["item_id"]) == {f"i{ITEMS + 1}"}
    assert not found.signs["certain"].any()
    assert found.events.is_empty()
    pushers = fakes(rng, 150, 1.0)
    back = [
        (user, int(rng.integers(ITEMS)), at + day * DAY) for user, item, at in pushers if item == 150 for day in (9, 20)
    ]
    regular = {f"fake{n}" for n in range(10)}
    found = looked_at(crowd + pushers + [event for event in back if event[0] in regular])
    sure = dict(found.signs.select("user_id", "certain").iter_rows())
    assert not any(sure[name] for name in regular & set(sure))
    assert sum(sure.values()) >= 35


def test_an_item_that_becomes_popular_is_no_flood(crowd: list[Event]) -> None:
    rng = np.random.default_rng(13)
    first = {user: at for user, _, at in reversed(crowd)}
    hit = [(user, ITEMS + 1, at + 5) for user, at in first.items() if at > START + 90 * DAY and rng.random() < 0.7]
    assert looked_at(crowd + hit).signs.is_empty()


def test_many_who_share_hardly_any_item_are_no_flood() -> None:
    rng = np.random.default_rng(17)
    apart = [
        (f"u{n}", n % 23 if n % 90 == 0 else 1_000 + n, START + n * 3_600 + rng.uniform(0, 9)) for n in range(4_000)
    ]
    shared = [(user, 0 if user.endswith("00") else item, at) for user, item, at in apart]
    assert looked_at(shared).signs.is_empty()


def test_a_habit_of_many_is_listed_and_not_certain(crowd: list[Event]) -> None:
    played = [(f"p{user}", n, START + user * DAY + n * 200 + user) for user in range(150) for n in range(60)]
    found = looked_at(crowd + played)
    assert set(found.signs["sign"]) >= {"clockwork", "copy"}
    assert found.events.is_empty()


@pytest.mark.parametrize("setting", ["exclude", "keep"])
def test_what_is_flagged_is_kept_out_by_a_setting_and_told_either_way(tmp_path: Path, setting: str) -> None:
    rules = CleaningSettings(**{**RULES.model_dump(), "suspicious": setting, "quarantine_at_most": 1.0})
    bot = [
        {"user_id": "bot", "item_id": "a", "behaviour": "view", "timestamp": f"2024-01-01T00:{n // 60:02}:{n % 60:02}"}
        for n in range(360)
    ]
    result = cleaned(tmp_path, [*bot, bot[0] | {"user_id": "u"}], rules=rules)
    assert result.suspicious.select("user_id", "sign").rows() == [("bot", "clockwork"), ("bot", "rate")]
    told = [each.what for each in result.counts["interactions"].findings if each.what.startswith("suspicious")]
    kept = "excluded" if setting == "exclude" else "kept"
    assert len(told) == 2
    assert all(what.endswith(kept) for what in told)
    assert result.interactions.height == (1 if setting == "exclude" else 361)
    refused = {"suspicious: clockwork": 360} if setting == "exclude" else {}
    assert result.counts["interactions"].reasons == refused
