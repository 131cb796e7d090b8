"""What tiers are worth: the same recommender over profiles with and without them, every one learned and tuned alike.

A profile says something of every topic; trees learn on earlier windows how many items of a topic somebody with such a
profile goes on to choose, and popularity and nearness say which. The candidates are the best by that alone. In the
final list LambdaMART orders them and what the user's own history ranks, seeing the same of the profile: what was
chosen before, with decay, where things are chosen again, and EASE where they are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import lightgbm
import numpy as np
import optuna
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.evidence.profiles_before import HALF_LIVES, VARIANTS, Before
from strata._kernels.selection import top_k
from strata.data.history import DAY
from strata.evaluation.metrics import bootstrap, ndcg_at_k, recall_at_k
from strata.ranking.examples import Examples
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.settings import TreeSettings

TRIALS = 30
USERS = 1_000
"""Users, at most, on whom a window's models are learned and settings tried."""
FITTED, TUNED, JUDGED = 2, 1, 2
"""Windows, in time order, of equal shares of all events."""
CANDIDATES, LISTED, NEGATIVES = 100, 10, 60
AT_ONCE = 256
"""Users scored at once."""
WANTING = {
    "objective": "poisson", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 200, "feature_fraction": 0.8,
    "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0, "seed": SEED, "deterministic": True,
    "force_row_wise": True, "verbose": -1,
}  # fmt: skip
ROUNDS = 150


@dataclass(frozen=True)
class Candidates:
    """How candidates are found from one kind of profile: trees for topics, then within them by settings.

    `popular`: power of an item's popularity; `sharp`: what nearness to the profile's vector adds; `half_life` of it.
    """

    variant: str
    trees: lightgbm.Booster
    popular: float = 1.0
    sharp: float = 2.0
    half_life: float = HALF_LIVES[-1]

    def topics(self, before: Before) -> np.ndarray:
        """Logarithm of how many items of each topic each user is thought to choose: (B, t)."""
        told = _told(before, self.variant)
        return np.log(np.maximum(self.trees.predict(told), 1e-9)).reshape(before.wanted.shape).astype(np.float32)

    def scores(self, before: Before, topics: np.ndarray, users: slice) -> np.ndarray:
        """Score of each item for some of the users, −inf where it must not come back: (len(users), m)."""
        of_item = before.topics[before.items]
        mass = before.popularity**self.popular
        within = np.log(mass) - np.log(np.bincount(of_item, mass, before.n_topics)[of_item])
        scores = (
            topics[users][:, of_item] + within + self.sharp * _nearness(before, self.variant, self.half_life, users)
        )
        if not before.repeats:
            scores[before.had(users).nonzero()] = -np.inf
        return np.asarray(scores, np.float32)


def rows(context: Context, name: str, *, repeats: bool) -> list[Row]:
    """Rows ablation-NAME-recall (candidates) and ablation-NAME (final list), and one for each profile without tiers."""
    bounds = _bounds(context)
    early = [Before.at(context, *pair, repeats=repeats, users=USERS) for pair in bounds[: FITTED + TUNED]]
    judged = [Before.at(context, *pair, repeats=repeats) for pair in bounds[FITTED + TUNED :]]
    recall: dict[str, np.ndarray] = {}
    ndcg: dict[str, np.ndarray] = {}
    for variant in VARIANTS:
        finder = _tune(variant, early)
        trees = _learn(finder, early)
        found = [_judge(finder, trees, before) for before in judged]
        users = np.concatenate([before.users for before in judged])
        recall[variant], ndcg[variant] = (_by_user(users, [both[i] for both in found]) for i in (0, 1))
        context.say(f"{variant}: recall@{CANDIDATES} {recall[variant].mean():.4f}, NDCG@{LISTED} "
                    f"{ndcg[variant].mean():.4f}; {trees.report['chosen']}")  # fmt: skip
    days = [(end - start) / DAY for start, end in bounds[FITTED + TUNED :]]
    over = (
        f"over what users chose in the next {' and '.join(f'{d:.0f}' for d in days)} days from {len(judged)} times on"
    )
    return _rows(f"ablation-{name}-recall", recall, f"Candidates: mean recall@{CANDIDATES}", over) + _rows(
        f"ablation-{name}", ndcg, f"Final list: mean NDCG@{LISTED}", over
    )


def _bounds(context: Context) -> list[tuple[float, float]]:
    """Start and end of each window in seconds, in time order; those that are judged lie after the backtest cut-off.

    Where at least half of all events came after that cut-off, all of them do: what judges learned from none of it.
    """
    times, cut_offs = np.sort(context.history.times), context.cut_offs
    n = FITTED + TUNED + JUDGED
    after = np.searchsorted(times, cut_offs.backtest)
    step = (len(times) - after) // (n if len(times) - after >= len(times) / 2 else JUDGED)
    places = len(times) - step * np.arange(n, -1, -1)
    edges = [*times[places[:-1]].tolist(), cut_offs.live]
    return list(zip(edges[:-1], edges[1:], strict=True))


def _told(before: Before, variant: str) -> np.ndarray:
    """What a profile says of each user and topic, one row each: (B · t, f)."""
    told = np.concatenate([before.shared, before.of_topics(variant)], axis=2)
    return told.reshape(-1, told.shape[2]).astype(np.float32)


def _nearness(before: Before, variant: str, half_life: float, part: slice) -> np.ndarray:
    return before.nearest_medoid[part] if variant == "medoids" else before.cosines(half_life, part)


def _tune(variant: str, early: list[Before]) -> Candidates:
    """Trees learned on the first windows and the best of TRIALS settings on the one after, from the same start."""
    fitted, tuned = early[:FITTED], early[FITTED]
    told = np.concatenate([_told(before, variant) for before in fitted])
    wanted = np.concatenate([before.wanted.ravel() for before in fitted])
    trees = lightgbm.train(WANTING, lightgbm.Dataset(told, wanted, params={"verbose": -1}), ROUNDS)
    topics = Candidates(variant, trees).topics(tuned)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED, n_startup_trials=8))
    study.enqueue_trial({"popular": 1.0, "sharp": 2.0, "half_life": HALF_LIVES[-1]})

    def objective(trial: optuna.Trial) -> float:
        finder = Candidates(variant, trees, **_settings(trial, variant))
        return float(np.mean([value for part in _parts(tuned) for value in _recalled(finder, tuned, topics, part)]))

    study.optimize(objective, n_trials=TRIALS)
    return Candidates(variant, trees, **study.best_params)


def _settings(trial: optuna.Trial, variant: str) -> dict[str, float]:
    drawn = {"popular": trial.suggest_float("popular", 0.2, 1.6), "sharp": trial.suggest_float("sharp", 0, 8)}
    if variant == "decayed mean":
        drawn["half_life"] = trial.suggest_categorical("half_life", HALF_LIVES)
    return drawn


def _recalled(finder: Candidates, before: Before, topics: np.ndarray, part: slice) -> np.ndarray:
    ranked = top_k(finder.scores(before, topics, part), CANDIDATES)[0]
    return recall_at_k(ranked, before.relevant[part], CANDIDATES)


def _parts(before: Before) -> Iterator[slice]:
    for start in range(0, len(before.users), AT_ONCE):
        yield slice(start, min(start + AT_ONCE, len(before.users)))


def _pool(
    finder: Candidates, before: Before, told: np.ndarray, topics: np.ndarray, part: slice
) -> tuple[np.ndarray, ...]:
    """Users (n,) of a part, columns (n,) of the items they may be shown, and what is known of each pair (n, F).

    The best candidates, and as many of what their own history ranks highest.
    """
    scores, own = finder.scores(before, topics, part), before.own(part)
    ranked = np.where(own[..., 0] > 0, own[..., 1 if before.repeats else 0], -np.inf)
    chosen = np.zeros(scores.shape, bool)
    for best in (top_k(scores, CANDIDATES)[0], top_k(ranked, CANDIDATES)[0]):
        user, place = np.nonzero(best >= 0)
        chosen[user, best[user, place]] = True
    user, item = np.nonzero(chosen)
    of_item = before.topics[before.items[item]]
    known = [own[user, item], scores[user, item, None], np.log(before.popularity[item])[:, None]]
    return user, item, np.concatenate([*known, told[part][user, of_item]], axis=1)


def _learn(finder: Candidates, early: list[Before]) -> LambdaMart:
    """LambdaMART on what was chosen of the pools of the earlier windows, its size found by leaving windows out."""
    windows, rng = [], np.random.default_rng(SEED)
    for before in early:
        told, topics = _told(before, finder.variant).reshape(*before.wanted.shape, -1), finder.topics(before)
        queries, features, chosen = [], [], []
        for part in _parts(before):
            user, item, known = _pool(finder, before, told, topics, part)
            hit = np.asarray(before.relevant[part][user, item]).ravel() > 0
            others = np.bincount(user[~hit], minlength=part.stop - part.start)
            kept = hit | (rng.random(len(hit)) < NEGATIVES / np.maximum(others, 1)[user])
            queries.append(user[kept] + part.start)
            features.append(known[kept])
            chosen.append(hit[kept])
        n_chosen = np.diff(before.relevant.indptr)
        windows.append(Examples(np.concatenate(queries), np.concatenate(features), np.concatenate(chosen), n_chosen))
    names = [f"feature {n}" for n in range(windows[0].features.shape[1])]
    return LambdaMart.fit(windows, names, TreeSettings(), apart=1, seeds=(SEED,))


def _judge(finder: Candidates, trees: LambdaMart, before: Before) -> tuple[np.ndarray, np.ndarray]:
    """Recall of the candidates and NDCG of the final list of each user of a window: two of (B,)."""
    told, topics = _told(before, finder.variant).reshape(*before.wanted.shape, -1), finder.topics(before)
    recalled, gained = [], []
    for part in _parts(before):
        recalled.append(_recalled(finder, before, topics, part))
        user, item, known = _pool(finder, before, told, topics, part)
        scores = np.full((part.stop - part.start, len(before.items)), -np.inf, np.float32)
        scores[user, item] = trees.scores(known)
        gained.append(ndcg_at_k(top_k(scores, LISTED)[0], before.relevant[part], LISTED))
    return np.concatenate(recalled), np.concatenate(gained)


def _by_user(users: np.ndarray, values: list[np.ndarray]) -> np.ndarray:
    """Mean over the windows in which each user was judged, by user row: (distinct users,)."""
    _, place = np.unique(users, return_inverse=True)
    return np.asarray(np.bincount(place, np.concatenate(values)) / np.bincount(place))


def _rows(name: str, values: dict[str, np.ndarray], what: str, over: str) -> list[Row]:
    ours, others = values["tiers"], [variant for variant in VARIANTS if variant != "tiers"]
    best = max(others, key=lambda variant: values[variant].mean())
    table = pl.DataFrame({variant: values[variant] for variant in VARIANTS})
    named = [(name, best), *((f"{name}-{other.replace(' ', '-')}", other) for other in others)]
    return [
        Row.of(
            row,
            f"{what} of the profile with tiers, against {other}, {over}; learned and tuned alike before.",
            bootstrap(ours - values[other], samples=SAMPLES, seed=SEED),
            what.split()[-1],
            len(ours),
            value=float(ours.mean()),
            reference=float(values[other].mean()),
            reference_name=other,
            trials=TRIALS,
            seeds=(SEED,),
            per_user=table,
        )
        for row, other in named
    ]
