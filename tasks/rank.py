"""Stage rank: train the tree ranker on earlier windows, and tune an interpretable weighted sum."""

from functools import partial

from strata.interests.naming import Namer
from strata.ranking.candidates import Table
from strata.ranking.examples import Examples
from strata.ranking.lambdamart import LambdaMart, n_fits
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.training_windows import training_examples, training_windows
from strata.ranking.two_stage import tables
from strata.ranking.weighted_sum import WeightedSum
from strata.settings import read_settings
from tasks import RANKER, run
from tasks.inputs import Inputs
from tasks.models import models_at, models_before, profiler_before, profiles_before
from tasks.reporting import progress, say
from tasks.window import least_users, window_between


def main() -> None:
    """Learn both from choices before the test window."""
    inputs = Inputs()
    rank, recommend = read_settings(RankSettings, "rank"), read_settings(RecommendSettings, "recommend")
    weighted = _weighted_sum(inputs, rank, recommend)
    weighted.write(RANKER)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in weighted.weights.items())
    say(f"sum: {weights}; NDCG@10 {weighted.report['ndcg@10']:.4f} on {weighted.report['users']} users of validation")
    learned, names = examples(inputs, rank, recommend)
    if not learned:
        say("nothing proposed was chosen in earlier windows: no trees, the sum ranks; a longer history helps")
        return
    n_models = n_fits(learned, rank.trees, apart=rank.horizon, seeds=rank.models)
    with progress("learning to rank", n_models, "models") as advance:
        trees = LambdaMart.fit(learned, names, rank.trees, apart=rank.horizon, seeds=rank.seeds, advance=advance)
    trees.write(RANKER)
    best = trees.report["chosen"]
    size = f"{rank.models} x {best['rounds']} of {best['leaves']} leaves"
    most = ", ".join(list(trees.report["gain"])[:5])
    say(f"trees: {size}, NDCG@10 {best['ndcg@10']:.4f} on windows left out; most by {most}")


def _weighted_sum(inputs: Inputs, rank: RankSettings, recommend: RecommendSettings) -> WeightedSum:
    """The weighted sum, tuned on warm users of the validation window."""
    window = window_between(inputs, "validation", "backtest")
    window = window.only(window.warm).sample(rank.users, rank.seed)
    available = inputs.catalogue.available(window.time, window.past)
    blocks = tables(window, models_at(inputs, "validation"), recommend, available)
    return WeightedSum.tune(Table.stacked((part.start, table) for part, _, table in blocks), window, rank)


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
    return [one for one in found if one.chosen.any()], names


if __name__ == "__main__":
    run(main)
