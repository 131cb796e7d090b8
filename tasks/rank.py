"""Stage rank: train the tree ranker on earlier windows, tune an interpretable weighted sum, and choose among them."""

from functools import partial

import numpy as np

from strata.interests.naming import Namer
from strata.ranking.choosing import POPULAR, SUM, TREES, Choice
from strata.ranking.examples import Examples
from strata.ranking.judging import Judged
from strata.ranking.lambdamart import LambdaMart, n_fits
from strata.ranking.rankers import BEST
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.training_windows import training_examples, training_windows
from strata.ranking.weighted_sum import BY_POPULARITY, WeightedSum, tuned_apart
from strata.settings import read_settings
from tasks import RANKER, run
from tasks.inputs import Inputs
from tasks.models import models_at, models_before, profiler_before, profiles_before
from tasks.reporting import progress, say
from tasks.window import least_users, window_between


def main() -> None:
    """Learn both from choices before the test window, and write which is best for which kind of user."""
    inputs = Inputs()
    rank, recommend = read_settings(RankSettings, "rank"), read_settings(RecommendSettings, "recommend")
    learned, names = examples(inputs, rank, recommend)
    trees = _trees(learned, names, rank) if learned else None
    early = [one for one in learned if one.end <= inputs.time("validation")]
    earlier = None
    if trees and early and rank.method == BEST:  # to be compared with the sum; one seed tells what they are worth
        earlier = trees.learned_from(early, rank.trees, rank.seeds[:1])
    warm, cold = _judged(inputs, rank, recommend, earlier)
    weighted = WeightedSum.tune(warm.table, warm.window, rank)
    weighted.write(RANKER)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in weighted.weights.items())
    say(f"sum: {weights}; NDCG@10 {weighted.report['ndcg@10']:.4f} on {weighted.report['users']} users of validation")
    if rank.method == BEST:
        _choose(warm, cold, weighted, rank)


def _trees(learned: list[Examples], names: list[str], rank: RankSettings) -> LambdaMart:
    """The trees, learned from all windows."""
    n_models = n_fits(learned, rank.trees, apart=rank.horizon, seeds=rank.models)
    with progress("learning to rank", n_models, "models") as advance:
        trees = LambdaMart.fit(learned, names, rank.trees, apart=rank.horizon, seeds=rank.seeds, advance=advance)
    trees.write(RANKER)
    best = trees.report["chosen"]
    size = f"{rank.models} x {best['rounds']} of {best['leaves']} leaves"
    most = ", ".join(list(trees.report["gain"])[:5])
    say(f"trees: {size}, NDCG@10 {best['ndcg@10']:.4f} on windows left out; most by {most}")
    return trees


def _judged(
    inputs: Inputs, rank: RankSettings, recommend: RecommendSettings, trees: LambdaMart | None
) -> tuple[Judged, Judged]:
    """Candidates for users of the validation window, those with a past and those without, with scores by `trees`."""
    window, models = window_between(inputs, "validation", "backtest"), models_at(inputs, "validation")
    available = inputs.catalogue.available(window.time, window.past)
    known, new = (window.only(mask).sample(rank.users, rank.seed) for mask in (window.warm, ~window.warm))
    return (
        Judged.of(known, models, recommend, available, trees),
        Judged.of(new, models, recommend, available, trees),
    )


def _choose(warm: Judged, cold: Judged, weighted: WeightedSum, rank: RankSettings) -> None:
    """Choose by users of whom neither the trees that are judged nor the weights for them learned."""
    values = {
        POPULAR: [one.ndcg(BY_POPULARITY.scores(one.table)) for one in (warm, cold)],
        SUM: [tuned_apart(warm.table, warm.window, rank), cold.ndcg(weighted.scores(cold.table))],
    }
    if warm.scores is not None and cold.scores is not None:
        values[TREES] = [warm.ndcg(warm.scores), cold.ndcg(cold.scores)]
    else:
        say("trees cannot be judged, so are not chosen: no window of theirs ended before validation; see rank.windows")
    both = {name: np.concatenate(each) for name, each in values.items()}
    choice = Choice.of(both, np.concatenate([warm.n_choices, cold.n_choices]), rank.choose)
    choice.write(RANKER)
    say(f"ranks: {choice}")


def examples(inputs: Inputs, rank: RankSettings, recommend: RecommendSettings) -> tuple[list[Examples], list[str]]:
    """Training examples of each window that has any, and the names of the features.

    A window's models are fitted only on what came before it.
    """
    windows = training_windows(inputs.history, inputs.time("backtest"), rank, repeats=recommend.repeats)
    found: list[Examples] = []
    names, namer = [], Namer.of(inputs.catalogue.items)
    n_users = len(inputs.user_ids)
    if rank.most_learners(n_users) < n_users:
        say(f"trees learn from at most {rank.learners:,} users of each window (rank.learners; {n_users:,} in all)")
    with progress("candidates of earlier windows", len(windows), "windows") as advance:
        for window in windows:
            profiler = profiler_before(window, inputs, namer)
            profiled = partial(profiles_before, profiler=profiler)
            models = models_before(window, profiler, profiled(window), inputs)
            available = inputs.catalogue.available(window.time, window.past)
            found.append(
                training_examples(window, models, profiled, recommend, available, rank, least_users=least_users())
            )
            names = list(models.features.names(models.names))
            advance(1)
    if learned := [one for one in found if one.chosen.any()]:
        return learned, names
    say("nothing proposed was chosen in earlier windows: no trees; a longer history helps")
    return learned, names


if __name__ == "__main__":
    run(main)
