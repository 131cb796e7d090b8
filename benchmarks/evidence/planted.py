"""Planted interests: whether tiers are the right ones, begin and end in time, and part what was planted."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.disentangled import baselines, divided, information
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED, pooled, share
from benchmarks.evidence.readings import (
    GRACE_PERIODS,
    MOMENTARY,
    Profiler,
    Replay,
    by_points,
    confusion,
    false_alarms,
    macro_f1,
    own_points,
    predicted_tiers,
)
from benchmarks.simulate import LABELS, Simulation, SimulationSettings, simulate
from strata.data.history import DAY
from strata.data.schema import TIERS, USER_ROW, Method
from strata.evaluation.metrics import bootstrap

NOW = 1_500_000_000.0
USERS, VALIDATION_USERS = 400, 100
"""Users of each seed."""
VALIDATION_SEED, TEST_SEEDS = 1, (2, 3, 4)
NOISES = (0.2, 0.4)
OTHERS: tuple[Method, ...] = ("k-means", "hdbscan")
"""Ways to group topics into points that are held against Ward's."""
FIRST_EVENTS = 3
MOMENTS = 2
"""Random times, in the second half of what a user did, at which false alarms are counted as well."""


def rows(context: Context) -> list[Row]:
    """Every row of the section: what is tuned sees the validation seed only, what is judged the test seeds only."""
    profiler = profiler_of(context, "ward")
    context.say(f"{USERS} users of each of {len(TEST_SEEDS)} seeds, once among less noise and once among more")
    some, much = ([planted_in(context, USERS, noise, seed) for seed in TEST_SEEDS] for noise in NOISES)
    ours, causes = judged(some, profiler)
    found = [_f1_row(ours, NOISES[0]), _f1_row(judged(much, profiler)[0], NOISES[1])]
    context.say("replaying how interests began and ended")
    found += [*_onset_rows(some, profiler), _offset_row(some, profiler)]
    for method in OTHERS:
        context.say(f"grouping by {method} instead of Ward's method")
        found += _method_rows(method, *judged(some, profiler_of(context, method)), ours, causes)
    context.say("clustering raw vectors, tuned on the validation seed")
    validation = planted_in(context, VALIDATION_USERS, NOISES[0], VALIDATION_SEED)
    return [*found, _disentangled_row(context, some, causes, validation)]


def planted_in(context: Context, users: int, noise: float, seed: int) -> Simulation:
    """Users of the context's catalogue at NOW."""
    settings = SimulationSettings(users=users, noise=noise, seed=seed)
    return simulate(context.groups, context.popularity, settings, time=NOW)


def profiler_of(context: Context, method: Method) -> Profiler:
    """Points grouped by `method`, everything else as it ships."""
    settings = context.settings.model_copy(update={"method": method})
    return by_points(context.vectors, context.topics["backtest"], settings)


def judged(simulations: Sequence[Simulation], profiler: Profiler) -> tuple[np.ndarray, np.ndarray]:
    """Of each user of all simulations: labels by tiers seen (n, 16), and information on the causes of events (n,)."""
    readings = [profiler(simulation.history, NOW) for simulation in simulations]
    pairs = list(zip(simulations, readings, strict=True))
    counts = np.concatenate([confusion(*pair) for pair in pairs])
    causes = np.concatenate([information(simulation, reading.of_event) for simulation, reading in pairs])
    return counts.reshape(len(counts), -1), causes


def _f1_row(counts: np.ndarray, noise: float) -> Row:
    return Row.of(
        f"planted-f1-{noise * 100:.0f}",
        f"Macro-F1 over momentary, stable and core of the interests planted among {noise:.0%} noise, by label and "
        "tier seen, summed over users.",
        pooled(counts, macro_f1), "macro-F1", len(counts), seeds=TEST_SEEDS,
        per_user=pl.DataFrame(counts.astype(np.int16), schema=_labels()),
    )  # fmt: skip


def _method_rows(
    method: Method, counts: np.ndarray, causes: np.ndarray, ours: np.ndarray, our_causes: np.ndarray
) -> list[Row]:
    """What another way to group topics gives, with Ward's as the reference."""
    both = np.concatenate([counts, ours], axis=1)
    gap = pooled(both, lambda sums: macro_f1(sums[..., : counts.shape[1]]) - macro_f1(sums[..., counts.shape[1] :]))
    gain = bootstrap(causes - our_causes, samples=SAMPLES, seed=SEED)
    against = {"reference_name": "Ward", "seeds": TEST_SEEDS}
    return [
        Row.of(
            f"planted-{method}-f1", f"As planted-f1-{NOISES[0] * 100:.0f} where {method} groups a user's topics.",
            gap, "macro-F1", len(both), value=float(macro_f1(counts.sum(0))), reference=float(macro_f1(ours.sum(0))),
            per_user=pl.DataFrame(both.astype(np.int16), schema=[*_labels(), *_labels("ward_")]), **against,
        ),
        Row.of(
            f"planted-{method}-nmi", f"As disentangled-nmi where {method} groups a user's topics.",
            gain, "NMI", len(causes), value=float(causes.mean()), reference=float(our_causes.mean()),
            per_user=pl.DataFrame({method: causes, "ward": our_causes}), **against,
        ),
    ]  # fmt: skip


def _disentangled_row(
    context: Context, simulations: Sequence[Simulation], ours: np.ndarray, validation: Simulation
) -> Row:
    ways, trials = baselines(validation, context.vectors)
    theirs = {
        name: np.concatenate([information(s, divided(s.history, context.vectors, way)) for s in simulations])
        for name, way in ways.items()
    }
    best = max(theirs, key=lambda name: theirs[name].mean())
    gain = bootstrap(ours - theirs[best], samples=SAMPLES, seed=SEED)
    means = ", ".join(f"{name} {values.mean():.3f}" for name, values in theirs.items())
    return Row.of(
        "disentangled-nmi",
        "Mean over users of the normalised mutual information of planted causes (interests, popularity, noise) "
        f"and points; the reference is the best of: {means}.",
        gain, "NMI", len(ours), value=float(ours.mean()), reference=float(theirs[best].mean()), reference_name=best,
        trials=trials, seeds=TEST_SEEDS, per_user=pl.DataFrame({"Strata": ours, **theirs}),
    )  # fmt: skip


def _onset_rows(simulations: Sequence[Simulation], profiler: Profiler) -> list[Row]:
    found = [onsets(simulation, profiler) for simulation in simulations]
    onset, alarms = (np.concatenate([one[part] for one in found]) for part in range(2))
    return [
        _share_row(
            "planted-onset", onset,
            f"Momentary interests that were seen by their event {FIRST_EVENTS}: most events of one of the user's "
            "momentary points are theirs. hits / cases.",
            excluded=f"{sum(one[2] for one in found)} interests with fewer than {FIRST_EVENTS} events.",
        ),
        _share_row(
            "planted-false-alarm", alarms,
            "Momentary points at those onsets and at random times of which no living "
            f"interest (until {GRACE_PERIODS:g} periods after its end) has most events. hits / cases.",
        ),
    ]  # fmt: skip


def _offset_row(simulations: Sequence[Simulation], profiler: Profiler) -> Row:
    return _share_row(
        "planted-offset", np.concatenate([offsets(simulation, profiler) for simulation in simulations]),
        f"Momentary interests that ended and, {GRACE_PERIODS:g} periods later, are momentary no more. hits / cases.",
    )  # fmt: skip


def onsets(simulation: Simulation, profiler: Profiler) -> tuple[np.ndarray, np.ndarray, int]:
    """Momentary interests seen in time and false alarms of each user, with their cases (n, 2); interests left out."""
    interests = simulation.interests
    counts = np.bincount(simulation.factor[simulation.factor >= 0], minlength=interests.height)
    new = (interests["tier"] == "momentary").to_numpy()
    cases = np.flatnonzero(new & (counts >= FIRST_EVENTS))
    by_interest = np.argsort(simulation.factor, kind="stable")[(simulation.factor < 0).sum() :]
    firsts = by_interest[(np.cumsum(counts) - counts)[cases][:, None] + np.arange(FIRST_EVENTS)]
    replay = Replay.of(simulation, firsts.ravel(), simulation.history.times[firsts.ravel()] + 1)
    reading = profiler(replay.history, simulation.time)

    planted = np.repeat(cases, FIRST_EVENTS)
    own = own_points(reading, replay.factor == planted[replay.history.users])
    seen = np.zeros(len(planted), bool)
    seen[reading.users[own & (reading.tiers == MOMENTARY)]] = True
    owners = interests[USER_ROW].to_numpy()[cases]
    onset = _hits_and_cases(owners, seen.reshape(-1, FIRST_EVENTS).any(1), simulation)

    random_replay = Replay.of(simulation, *_moments(simulation))
    random_reading = profiler(random_replay.history, simulation.time)
    alarms = false_alarms(simulation, replay, reading) + false_alarms(simulation, random_replay, random_reading)
    return onset, alarms, int(new.sum()) - len(cases)


def offsets(simulation: Simulation, profiler: Profiler) -> np.ndarray:
    """Momentary interests of each user that ended and are seen as over, and all of them: (n, 2)."""
    over = simulation.interests.filter(tier="ended", kind="momentary")
    at = (over["end"] + GRACE_PERIODS * DAY * over["period_days"]).to_numpy()
    owners, times = over[USER_ROW].to_numpy(), simulation.history.times
    last = np.array([np.searchsorted(times[simulation.history.of(u)], t) for u, t in zip(owners, at, strict=True)])
    replay = Replay.of(simulation, simulation.history.offsets[owners] + last - 1, at)
    reading = profiler(replay.history, simulation.time)
    planted, n_interests = replay.factor >= 0, simulation.interests.height
    cause = replay.history.users.astype(np.int64) * n_interests + replay.factor
    distinct, interest = np.unique(cause[planted], return_inverse=True)
    tiers = predicted_tiers(reading.of_event[planted], interest, reading.tiers, len(distinct))
    own = np.searchsorted(distinct, np.arange(over.height) * n_interests + over["interest"].to_numpy())
    return _hits_and_cases(owners, tiers[own] != MOMENTARY, simulation)


def _moments(simulation: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """Latest event before, and time of, MOMENTS random times of each user."""
    history = simulation.history
    rng = np.random.default_rng(SEED)
    users = np.repeat(history.active_users(), MOMENTS)
    first = history.times[history.offsets[users]]
    at = first + (simulation.time - first) * rng.uniform(0.5, 1, len(users))
    last = [np.searchsorted(history.times[history.of(u)], t) - 1 for u, t in zip(users, at, strict=True)]
    return history.offsets[users] + np.array(last), at


def _hits_and_cases(owners: np.ndarray, hits: np.ndarray, simulation: Simulation) -> np.ndarray:
    n = simulation.history.n_users
    return np.stack([np.bincount(owners, hits, minlength=n), np.bincount(owners, minlength=n)], axis=1)


def _labels(prefix: str = "") -> list[str]:
    return [f"{prefix}{true}_as_{seen}" for true in LABELS for seen in (*TIERS, "none")]


def _share_row(name: str, counts: np.ndarray, what: str, excluded: str = "") -> Row:
    return Row.of(
        name, what, pooled(counts, share), "share", int(counts[:, 1].sum()), excluded=excluded, seeds=TEST_SEEDS,
        per_user=pl.DataFrame(counts.astype(np.int32), schema=["hits", "cases"]),
    )  # fmt: skip
