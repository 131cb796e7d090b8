"""Earlier windows that the ranker learns from: what was known before, what was proposed, and what was chosen next."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from strata.data.history import History, looked_up
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.ranking.examples import Examples
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.two_stage import Models, tables


def training_windows(history: History, end: float, settings: RankSettings, *, repeats: bool) -> list[Window]:
    """Windows of equal shares of all interactions, each one step later; the last ends at `end` (seconds).

    Large sets of users are sampled, as the examples of all windows are in memory at once.
    """
    times = np.sort(history.times)
    step = max(int(settings.window_share * len(times)), 1)
    last = int(np.searchsorted(times, end))
    bounds = [last - step * n for n in range(settings.windows + settings.horizon - 1, -1, -1)]
    moments = [float(times[place]) if place < len(times) else end for place in bounds if place > 0]
    moments[-1:] = [end]
    windows = [
        Window.of(history, start, stop, repeats=repeats)
        for start, stop in zip(moments, moments[settings.horizon :], strict=False)
        if start < stop
    ]
    most = settings.most_learners(history.n_users)
    return [window.sample(most, settings.seed) for window in windows if len(window.users)]


def newcomers(window: Window, settings: RankSettings) -> Window:
    """A sample of one in `newcomers` users, with only `newcomer_items` items of their past as history.

    Trees that learned from long histories only are worse than popularity for users with a few items. Users and items
    are drawn with the settings' seed.
    """
    rng, n_items = np.random.default_rng(settings.seed), settings.newcomer_items
    pairs = window.past.positive().matrix()[window.users]
    drawn = rng.random(len(window.users)) < 1 / settings.newcomers
    told = np.flatnonzero((np.diff(pairs.indptr) >= 2 * n_items) & drawn)
    users = np.repeat(window.users[told], np.diff(pairs.indptr)[told])
    past = session(users, pairs[told].indices, window.time, rng, most=n_items, like=window.past)
    return replace(window.only(np.isin(np.arange(len(window.users)), told)), past=past)


def session(
    users: np.ndarray, items: np.ndarray, time: float, rng: np.random.Generator, *, most: int, like: History
) -> History:
    """Up to `most` random items of each user, from pairs `users` (n,), `items` (n,), as one session just before `time`.

    Times are as `NewUsers.from_choices` sets them for choices without time. `like`: history whose users and items these
    are.
    """
    order = np.lexsort((rng.random(len(users)), users))
    users, items = users[order], items[order]
    place = np.arange(len(users)) - np.searchsorted(users, users)
    kept = place < most
    return History.from_columns(
        users[kept], items[kept], time - most + place[kept], np.ones(kept.sum()),
        n_users=like.n_users, n_items=like.n_items,
    )  # fmt: skip


def asked_for_arrivals(window: Window, arrivals: np.ndarray, settings: RankSettings) -> Window:
    """One in `newcomers` of the users who chose new items, with only these as candidates; `arrivals`: their rows.

    Among all candidates new items are chosen too rarely for trees to learn which of them are good.
    """
    fresh = window.only(window.warm).among(np.isin(np.arange(window.past.n_items), arrivals))
    return fresh.only(np.random.default_rng(settings.seed).random(len(fresh.users)) < 1 / settings.newcomers)


def training_examples(
    window: Window,
    models: Models,
    profiled: Callable[[Window], Profiles],
    settings: RecommendSettings,
    available: np.ndarray,
    ranking: RankSettings,
    *,
    least_users: int,
) -> Examples:
    """Examples of a window's users, of some again with only new items as candidates, and of some again as newcomers.

    `profiled` gives profiles from a window's past. Only items that `least_users` users chose before are candidates,
    except where new items are the only ones.
    """
    chosen_by = np.bincount(window.past.choices.matrix().indices, minlength=window.past.n_items)
    usual = window.among(chosen_by >= least_users)
    negatives, seed = ranking.negatives, ranking.seed
    taken = partial(examples, settings=settings, available=available, negatives=negatives, seed=seed)
    taught = taken(usual, models)
    fresh = asked_for_arrivals(window, models.new_items, ranking)
    if len(fresh.users):
        taught = taught.and_those_of(taken(fresh, models))
    new = newcomers(usual, ranking)
    if len(new.users):
        theirs = replace(models, profiles=profiled(new))
        taught = taught.and_those_of(taken(new, theirs, had=window.past))
    return taught


def examples(
    window: Window,
    models: Models,
    settings: RecommendSettings,
    available: np.ndarray,
    *,
    negatives: int,
    seed: int,
    had: History | None = None,
) -> Examples:
    """The candidates of a window's users with their features: all that were chosen, and a sample of the others.

    `had`: the users' full history, where the window's past is cut: unless items may be recommended again, items in it
    are no negatives.
    """
    rng = np.random.default_rng(seed)
    queries, features, chosen = [], [], []
    for part, batch, table in tables(window, models, settings, available):
        relevant = window.relevant[part]
        hit = np.asarray(relevant[table.users, table.items]).ravel() > 0
        others = np.bincount(table.users[~hit], minlength=len(batch))
        kept = hit | (rng.random(len(hit)) < negatives / np.maximum(others, 1)[table.users])
        if had is not None and not window.repeats:
            pairs = window.users[part][table.users] * np.int64(had.n_items) + table.items
            kept &= hit | (looked_up(pairs, had.pairs) < 0)
        small = table.only(kept)
        queries.append(small.users + part.start)
        features.append(models.features.of(small, batch))
        chosen.append(hit[kept])
    return Examples(
        np.concatenate(queries),
        np.concatenate(features),
        np.concatenate(chosen),
        np.diff(window.relevant.indptr),
        window.end,
    )
