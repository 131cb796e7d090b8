"""Newcomers: users left out of all that is learned, known by a few picks or by what is told of them, and no more."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.evidence.intervals import SEED
from benchmarks.quality.site import LISTED, MONTH, Site, Values, judge, judge_baseline
from strata.data.history import History
from strata.data.schema import ATTRIBUTES, USER_ROW
from strata.evaluation.report import OURS
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.interests.query_users import NewUsers, QueryUser
from strata.language.opinions import things
from strata.models.baselines import WINDOWED, behavioural, mean_vector
from strata.ranking.ranker import Ranker
from strata.ranking.training_windows import session
from strata.ranking.two_stage import Models, rank
from strata.ranking.weighted_sum import WeightedSum

PARTS = 5
"""One part in so many of all users is left out."""
PICKS = 3
"""Items that are known of a newcomer."""
ZERO_SHOT = "zero-shot text"


def part_of(n_users: int) -> np.ndarray:
    """Which of PARTS each user (n_users,) belongs to, always the same."""
    return np.random.default_rng(SEED).permutation(n_users) % PARTS


def without(history: History, out: np.ndarray) -> History:
    """What all users but those left `out` (n_users,) bool did."""
    return history.keep(~out[history.users])


def picks_of(recent: History, time: float) -> History:
    """PICKS distinct items of each user's `recent` events, drawn at random, as one session that ended before `time`.

    Users with fewer have none.
    """
    pairs = recent.positive().matrix()
    users = np.repeat(np.arange(recent.n_users), np.diff(pairs.indptr))
    found = session(users, pairs.indices, time, np.random.default_rng(SEED), most=PICKS, like=recent)
    return found.keep(np.diff(found.offsets)[found.users] == PICKS)


def newcomers(history: History, known: Window, users: np.ndarray, picks: History) -> Window:
    """Those of `users` (n_users,) bool who choose something in the month, their `picks` all that is known of them.

    `known`: the window of those that are learned from; it says which items count.
    """
    later = history.between(known.time, known.time + MONTH)
    told, later = picks.keep(users[picks.users]), later.keep(users[later.users])
    columns = [np.concatenate([getattr(told, name), getattr(later, name)]) for name in COLUMNS]
    theirs = History.from_columns(*columns, n_users=history.n_users, n_items=history.n_items)
    return Window.of(theirs, known.time, known.time + MONTH, repeats=known.repeats).among(known.items)


COLUMNS = ("users", "items", "times", "weights")
EQUAL = 1e9
"""Half-life, in events, with which all picks count alike."""


def judge_picks(
    site: Site, window: Window, past: History, models: Models, ranker: Ranker, popular_days: float | None
) -> Values:
    """The whole recommender, popularity and zero-shot text for newcomers of a window; `past`: what models know."""
    theirs = replace(models, profiles=site.profiles(window.past, window.time))
    ranked = rank(window, theirs, ranker, site.recommend, site.available(replace(window, past=past)), LISTED)
    tuning = site.tuning
    popular = behavioural(tuning, repeats=window.repeats)[WINDOWED]
    text = mean_vector(site.zero_shot, tuning.grids.mean_vector)
    return window.users, {
        OURS: judge(ranked, window),
        WINDOWED: judge_baseline(popular, past, window, {"window_days": popular_days}),
        ZERO_SHOT: judge_baseline(text, window.past, window, {"half_life": EQUAL}),
    }


def judge_words(
    site: Site, window: Window, past: History, models: Models, texts: Sequence[str], popular_days: float | None
) -> Values:
    """The same for users of whom only a text is known, read as the product reads a bio.

    Whom it says nothing about gets what is popular, as in the product.
    """
    available = site.available(replace(window, past=past))
    people = _heard(site, available, window.time, texts)
    profiles = _side_by_side([person.profiles for person in people], window.users)
    theirs, ranker = replace(models, profiles=profiles), WeightedSum.in_proportion(site.recommend.of_bio)
    ranked = rank(window, theirs, ranker, site.recommend, available, LISTED)
    silent = np.array([person.says_nothing for person in people])
    counts = np.where(available & window.items, models.popularity, -np.inf)
    ranked[silent] = np.argsort(-counts, kind="stable")[:LISTED]
    popular = behavioural(site.tuning, repeats=window.repeats)[WINDOWED]
    return window.users, {
        OURS: judge(ranked, window),
        WINDOWED: judge_baseline(popular, past, window, {"window_days": popular_days}),
    }


def _heard(site: Site, known: np.ndarray, time: float, texts: Sequence[str]) -> list[QueryUser]:
    """What texts say of their writers, where the items `known` (n_items,) bool are those there are."""
    new_users = NewUsers(site.profiler, time, {}, reader=site.reader(known))
    said = [things([text]) for text in texts]
    to_read = [new_users.to_read(opinions) for opinions in said]
    distinct = list(dict.fromkeys(each for one in to_read for each in one))
    place = {text: row for row, text in enumerate(distinct)}
    vectors = site.encode(distinct) if distinct else np.zeros((0, site.texts.shape[1]), np.float32)
    rows = ([place[text] for text in one] for one in to_read)
    return [
        new_users.from_opinions(opinions, vectors[each], query=False) for opinions, each in zip(said, rows, strict=True)
    ]


def _side_by_side(profiles: Sequence[Profiles], users: np.ndarray) -> Profiles:
    """Profiles of one person each as those of the users (B,) of a window, with what they are against."""
    dislikes = [each.dislikes for each in profiles if each.dislikes is not None]
    against = None
    if len(dislikes) == len(profiles):
        against = Profiles(_of_users(dislikes, users), np.concatenate([each.vectors for each in dislikes]))
    return Profiles(_of_users(profiles, users), np.concatenate([each.vectors for each in profiles]), against)


def _of_users(profiles: Sequence[Profiles], users: np.ndarray) -> pl.DataFrame:
    tables = zip(users, profiles, strict=True)
    return pl.concat([one.table.with_columns(pl.lit(user, pl.Int32).alias(USER_ROW)) for user, one in tables])


def told(site: Site, users: Sequence[int] | np.ndarray) -> list[str]:
    """What the accounts of users say as text, empty where they say nothing."""
    attributes = site.accounts[ATTRIBUTES].to_list()
    return [
        ", ".join(f"{pair['key'].replace('_', ' ')} {pair['value']}" for pair in attributes[user]) for user in users
    ]
