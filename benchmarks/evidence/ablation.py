"""What tiers are worth: the same recommender over profiles with and without them, every one tuned alike.

A profile says which topics or vectors a user wants and how much; popularity says which of the items there. Candidates
are the best by that alone; in the final list it fills up what the user's own history ranks: what was bought before,
with decay, where things are bought again, and EASE where they are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import optuna
import polars as pl
from scipy import sparse

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from strata.collaborative import Ease
from strata.history import DAY, CutOffs, History
from strata.interests import find_points, unit
from strata.metrics import bootstrap, ndcg_at_k, recall_at_k, top_k
from strata.tiers import assign, measure

TRIALS = 30
TUNED_ON = 500
"""Users on whom settings are tried."""
LONGEST = 90 * DAY
FEWEST_BUYERS = 5
HALF_LIVES = (30.0, 90.0, 1e9)
CANDIDATES, LISTED = 100, 10
MEDOIDS = 8
VARIANTS = ("one vector", "decayed mean", "medoids", "no tiers", "tiers")
Settings = Mapping[str, float]


@dataclass(frozen=True)
class Task:
    """B users at a time and what they chose afterwards, over the m items that enough users had chosen before.

    `relevant` (B, m) CSR; `cosines[name]` (B, m) by half-life; `medoids` (B, m); `strength[half-life]`,
    `persistence`, `tier` (B, n_topics): of the point that holds each topic; `own` (B, m): what the user's own history
    ranks, 0 or more, −inf for what must not come back; `topics` (m,), `popularity` (m,) logarithms.
    """

    relevant: sparse.csr_matrix
    cosines: dict[float, np.ndarray]
    medoids: np.ndarray
    strength: dict[float, np.ndarray]
    persistence: np.ndarray
    tier: np.ndarray
    own: np.ndarray
    topics: np.ndarray
    popularity: np.ndarray

    @classmethod
    def at(cls, context: Context, time: float, length: float, *, repeats: bool, users: int | None) -> "Task":
        """Users with a past and a future around `time` (seconds), at most so many, drawn by SEED."""
        past, future = context.history.before(time), context.history.between(time, time + length)
        buyers = past.matrix()
        items = np.flatnonzero(np.bincount(buyers.indices, minlength=past.n_items) >= FEWEST_BUYERS)
        relevant = future.matrix()
        if not repeats:
            relevant = (relevant - relevant.multiply(buyers)).tocsr()
            relevant.eliminate_zeros()
        chosen = np.flatnonzero((np.diff(relevant[:, items].indptr) > 0) & (np.diff(past.offsets) > 0))
        if users is not None and len(chosen) > users:
            chosen = np.sort(np.random.default_rng(SEED).choice(chosen, users, replace=False))
        return cls(
            relevant=relevant[chosen][:, items].tocsr(),
            **_profile(context, past, time, chosen, items),
            own=_own(past, time, chosen, items, repeats=repeats),
            topics=context.topics_at(time)[items],
            popularity=_popularity(past, time, items),
        )


def rows(context: Context, name: str, *, repeats: bool) -> list[Row]:
    """Rows ablation-NAME-recall (candidates) and ablation-NAME (final list), and one for each profile without tiers."""
    start, test, length = _windows(context.cut_offs)
    tuned_on = Task.at(context, start, length, repeats=repeats, users=TUNED_ON)
    judged = Task.at(context, test, length, repeats=repeats, users=None)
    found: list[Row] = []
    for final in (False, True):
        values = {}
        for variant in VARIANTS:
            settings = _tune(tuned_on, variant, final=final)
            values[variant] = _judge(judged, variant, settings, final=final)
            context.say(f"{'final list' if final else 'candidates'}, {variant}: {values[variant].mean():.4f}")
        found += _rows(f"ablation-{name}" if final else f"ablation-{name}-recall", values, length, final=final)
    return found


def _windows(cut_offs: CutOffs) -> tuple[float, float, float]:
    """Start of the window that settings are tuned on, start of the one that is judged, and their length in seconds.

    The last two windows of LONGEST that lie after the backtest cut-off, where there is room for both, so that
    profiles have a history to speak of; else as much as both of the pipeline's own windows have.
    """
    start, test, end = cut_offs.validation, cut_offs.backtest, cut_offs.live
    if end - test >= 2 * LONGEST:
        return end - 2 * LONGEST, end - LONGEST, LONGEST
    return start, test, min(test - start, end - test)


def _rows(name: str, values: dict[str, np.ndarray], length: float, *, final: bool) -> list[Row]:
    unit_name = f"NDCG@{LISTED}" if final else f"recall@{CANDIDATES}"
    ours, others = values["tiers"], [variant for variant in VARIANTS if variant != "tiers"]
    best = max(others, key=lambda variant: values[variant].mean())
    table = pl.DataFrame({variant: values[variant] for variant in VARIANTS})
    found = []
    for other in [best, *others]:
        gain = bootstrap(ours - values[other], samples=SAMPLES, seed=SEED)
        found.append(
            Row(
                id=name if other == best and not found else f"{name}-{other.replace(' ', '-')}",
                what=f"{'Final list' if final else 'Candidates'}: mean {unit_name} of the profile "
                f"with tiers, against {other}, over what users chose in {length / DAY:.0f} days; tuned on "
                "as many days before.",
                value=float(ours.mean()),
                low=gain.low,
                high=gain.high,
                unit=unit_name,
                n=len(ours),
                reference=float(values[other].mean()),
                reference_name=other,
                trials=TRIALS,
                seeds=(SEED,),
                per_user=table,
            )  # fmt: skip
        )
    return found


def _tune(task: Task, variant: str, *, final: bool) -> dict[str, float]:
    """The best of TRIALS settings for a variant, every variant from the same start."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED, multivariate=True, n_startup_trials=8)
    )
    study.enqueue_trial({"sharp": 2.0, "popular": 1.0, "strong": 1.0, "fill": 0.3, "half_life": 90.0})

    def objective(trial: optuna.Trial) -> float:
        return float(_judge(task, variant, _settings(trial, variant, final=final), final=final).mean())

    study.optimize(objective, n_trials=TRIALS)
    return dict(study.best_params)


def _settings(trial: optuna.Trial, variant: str, *, final: bool) -> dict[str, float]:
    drawn = {"sharp": trial.suggest_float("sharp", 0, 8), "popular": trial.suggest_float("popular", 0.2, 1.6)}
    if variant in ("decayed mean", "no tiers", "tiers"):
        drawn["half_life"] = trial.suggest_categorical("half_life", HALF_LIVES)
    if variant in ("no tiers", "tiers"):
        drawn["strong"] = trial.suggest_float("strong", 0, 1.6)
    if variant == "tiers":
        drawn["persistent"] = trial.suggest_float("persistent", 0, 1.2)
        for tier in ("momentary", "stable", "core"):
            drawn[tier] = trial.suggest_float(tier, -0.5, 1)
    if final:
        drawn["fill"] = trial.suggest_float("fill", 0.01, 3, log=True)
    return drawn


def _scores(task: Task, variant: str, settings: Settings, *, final: bool) -> np.ndarray:
    """Score of each user and item (B, m)."""
    wanted = settings["sharp"] * _nearness(task, variant, settings)
    if variant in ("no tiers", "tiers"):
        wanted = wanted + _weights(task, variant, settings)[:, task.topics]
    scores = wanted + settings["popular"] * task.popularity
    if final:
        likely = np.exp(scores - scores.max(1, keepdims=True))
        likely /= likely.sum(1, keepdims=True)
        known = np.maximum(task.own, 0)
        scores = np.log(known + 100 * settings["fill"] * likely)
    return np.where(np.isneginf(task.own), -np.inf, scores)


def _nearness(task: Task, variant: str, settings: Settings) -> np.ndarray:
    if variant == "medoids":
        return task.medoids
    return task.cosines[settings["half_life"] if variant == "decayed mean" else HALF_LIVES[-1]]


def _weights(task: Task, variant: str, settings: Settings) -> np.ndarray:
    """Logarithm of how much each user wants each topic (B, n_topics)."""
    strength = task.strength[settings["half_life"]]
    share = strength / np.maximum(strength.sum(1, keepdims=True), 1e-9)
    weights = settings["strong"] * np.log(share + 2e-3)
    if variant == "tiers":
        of_tier = np.array([0, 0, settings["momentary"], settings["stable"], settings["core"]], np.float32)
        weights = weights + settings["persistent"] * np.log(task.persistence + 0.02) + of_tier[task.tier]
    return np.asarray(weights, np.float32)


def _judge(task: Task, variant: str, settings: Settings, *, final: bool) -> np.ndarray:
    metric: Callable[..., np.ndarray] = ndcg_at_k if final else recall_at_k
    k = LISTED if final else CANDIDATES
    return metric(top_k(_scores(task, variant, settings, final=final), k)[0], task.relevant, k)


def _profile(context: Context, past: History, time: float, users: np.ndarray, items: np.ndarray) -> dict[str, object]:
    """Everything a profile says of `users`, over `items` and over topics."""
    topics, vectors, candidates = context.topics_at(time), context.vectors, context.vectors[items]
    row = np.full(past.n_users, -1)
    row[users] = np.arange(len(users))
    events = past.keep(row[past.users] >= 0)
    points = find_points(events, vectors, topics, height=context.height)
    statistics = measure(events, points, time, context.settings)
    tiers = assign(statistics, context.settings) + 2  # 0: no point, 1: faded
    leaf_users, shape = row[points.users[points.of_leaf]], (len(users), int(topics.max()) + 1)
    age = (time - events.times) / DAY

    def dense(values: np.ndarray) -> np.ndarray:
        found = np.zeros(shape, np.float32)
        found[leaf_users, points.topics] = values
        return found

    cell = row[events.users] * shape[1] + topics[events.items]
    strength, cosines = {}, {}
    for half_life in HALF_LIVES:
        decayed = (events.weights * np.exp2(-age / half_life)).astype(np.float32)
        strength[half_life] = np.bincount(cell, decayed, shape[0] * shape[1]).reshape(shape).astype(np.float32)
        means = sparse.csr_matrix((decayed, (row[events.users], events.items)), (len(users), past.n_items)) @ vectors
        cosines[half_life] = unit(means) @ candidates.T
    return {
        "cosines": cosines,
        "medoids": _nearest_medoid(vectors, candidates, points.medoids, row[points.users], statistics.strength),
        "strength": strength,
        "persistence": dense(statistics.persistence[points.of_leaf]),
        "tier": dense(tiers[points.of_leaf]).astype(np.int8),
    }


def _nearest_medoid(
    vectors: np.ndarray, candidates: np.ndarray, medoids: np.ndarray, owners: np.ndarray, importance: np.ndarray
) -> np.ndarray:
    """Largest cosine of each item to the medoids of each user's MEDOIDS most important points (B, m)."""
    order = np.lexsort((-importance, owners))
    place = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
    nearest = np.full((int(owners.max()) + 1, len(candidates)), -1, np.float32)
    for rank in range(MEDOIDS):
        chosen = order[place == rank]
        found = vectors[medoids[chosen]] @ candidates.T
        nearest[owners[chosen]] = np.maximum(nearest[owners[chosen]], found)
    return nearest


def _own(past: History, time: float, users: np.ndarray, items: np.ndarray, *, repeats: bool) -> np.ndarray:
    if repeats:
        decayed = np.exp2(-(time - past.times) / DAY / 120).astype(np.float32)
        shape = (past.n_users, past.n_items)
        counted = sparse.csr_matrix((decayed, (past.users, past.items)), shape)
        return np.asarray(counted[users][:, items].toarray())
    scores = Ease.fit(past, penalty=500, half_life=None).scores(past.matrix()[users])[:, items]
    scores[past.matrix()[users][:, items].nonzero()] = -np.inf
    return scores


def _popularity(past: History, time: float, items: np.ndarray) -> np.ndarray:
    """Logarithm of the decayed count (half-life 30 days) of each item (m,)."""
    counts = np.bincount(past.items, np.exp2(-(time - past.times) / DAY / 30), past.n_items)[items]
    return np.log(counts + 1e-2).astype(np.float32)
