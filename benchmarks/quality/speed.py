"""What a library call costs over what it cannot do without, and how much a batch saves."""

import time
from pathlib import Path

import faiss
import numba
import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED
from strata._kernels.threads import cores
from strata.evaluation.metrics import Interval
from strata.ranking.by_kind import ByKind
from strata.ranking.candidates import propose
from strata.ranking.choosing import TREES
from strata.ranking.generators.interests import NearestToInterests
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.query import query_batch
from strata.recommendation.batches import recommend_many
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

USERS, LISTED, REPEATS, BATCH = 60, 10, 20, 1_000


def rows() -> tuple[list[Row], str]:
    """Rows call-over-floor and batch-speedup, on the release of `make demo`, on one core."""
    faiss.omp_set_num_threads(1)
    numba.set_num_threads(1)
    recommender = load_recommender(Path("artifacts/release"))
    drawn = np.random.default_rng(SEED).permutation(sorted(recommender.users))[:USERS].tolist()
    found = np.array([_one(recommender, user) for user in drawn])
    found = found[(found > 0).all(1)]
    ratios, explained = found[:, 0] / found[:, 1], found[:, 2] / found[:, 1]
    asked = np.random.default_rng(SEED).choice(sorted(recommender.users), BATCH).tolist()
    batch = _least(lambda: recommend_many(recommender, asked, ListRequest(k=LISTED))) / BATCH
    speedup = found[:, 0] / batch
    timings = pl.DataFrame(found, schema=["call", "floor", "explained"])
    return [
        _row("call-over-floor", "A call for one user over its floor: the FAISS searches and one LightGBM predict over "
             "the candidates, alone", ratios, timings, f"Floor {np.median(found[:, 1]) * 1e3:.2f} ms."),
        _row("explained-call-over-floor", "The same with reasons", explained, timings, ""),
        _row("batch-speedup", f"Seconds of a call for one user, without reasons, over those of a user among {BATCH:,} "
             f"(some of them twice) in one batch on {cores()} cores", speedup, timings,
             f"Batch {batch * 1e3:.2f} ms a user, call {np.median(found[:, 0]) * 1e3:.2f} ms."),
    ], recommender.manifest.id  # fmt: skip


def _one(recommender: Recommender, user: str) -> tuple[float, float, float]:
    """Seconds of a call without reasons, of its floor, and of a call with reasons: the least of some tries each."""
    person, settings, models = recommender.user(user), recommender.settings, recommender.models
    batch = query_batch(
        np.array([person.row]), person.history, person.profiles, settings.tier_weights, recommender.new_users.time,
        allowed=recommender.admitted(), exclude_seen=not settings.repeats, dislike=settings.dislike,
        index=recommender.models.index,
    )  # fmt: skip
    table = propose(batch, models.generators, settings.candidates)
    features = models.features.of(table, batch)
    interests, ranker = NearestToInterests(models.index), recommender.ranker
    trees = ranker.rankers.get(TREES) if isinstance(ranker, ByKind) else ranker
    if not (batch.weights > 0).any() or not isinstance(trees, LambdaMart):
        return 0.0, 0.0, 0.0
    boosters = trees.boosters

    def floor() -> None:
        list(interests.search(batch, settings.candidates))
        for booster in boosters:
            booster.predict(features, num_threads=1)

    return (
        _least(lambda: recommender.recommend(user, ListRequest(k=LISTED, explain=False))),
        _least(floor),
        _least(lambda: recommender.recommend(user, ListRequest(k=LISTED))),
    )


def _least(run, times: int = REPEATS) -> float:  # noqa: ANN001
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _row(name: str, what: str, ratios: np.ndarray, timings: pl.DataFrame, more: str) -> Row:
    low, high = np.quantile(ratios, [0.025, 0.975])
    found = Interval(float(np.median(ratios)), float(low), float(high))
    return Row.of(
        name, f"{what}; median over users, and where 95 % of them lie; calls on one core. {more}".strip(), found,
        "times", len(ratios), seeds=(SEED,), per_user=timings,
    )  # fmt: skip
