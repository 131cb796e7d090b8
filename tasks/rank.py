"""Stage rank: train the tree ranker on earlier windows, and tune an interpretable weighted sum."""

from functools import partial

import numpy as np

from strata.embeddings.index import ItemIndex
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.settings import TierSettings
from strata.interests.themes import Themes
from strata.models.fitted import TUNING, CollaborativeModels
from strata.ranking.candidates import Table
from strata.ranking.examples import Examples
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.lambdamart import LambdaMart, n_fits
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.training_windows import training_examples, training_windows
from strata.ranking.two_stage import Models, tables
from strata.ranking.weighted_sum import WeightedSum
from strata.settings import read_settings
from strata.storage import read_json
from tasks import INDEX, RANKER, run
from tasks.inputs import Inputs, folder
from tasks.reporting import progress, say
from tasks.window import least_users, models_at, window_between


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
    profiler, found, names = _profiler(inputs), [], []
    n_users = len(inputs.user_ids)
    if rank.most_learners(n_users) < n_users:
        say(f"trees learn from at most {rank.learners:,} users of each window (rank.learners; {n_users:,} in all)")
    with progress("candidates of earlier windows", len(windows), "windows") as advance:
        for window in windows:
            models = _models_before(window, profiler, inputs, recommend)
            available = inputs.catalogue.available(window.time, window.past)
            profiled = partial(_profiles, profiler=profiler)
            found.append(
                training_examples(window, models, profiled, recommend, available, rank, least_users=least_users())
            )
            names = list(models.features.names(models.names))
            advance(1)
    return [one for one in found if one.chosen.any()], names


def _profiler(inputs: Inputs) -> Profiler:
    themes = Themes.read(folder("validation") / "themes")
    return Profiler.of(inputs.catalogue, inputs.vectors, themes, read_settings(TierSettings, "tier"))


def _models_before(window: Window, profiler: Profiler, inputs: Inputs, recommend: RecommendSettings) -> Models:
    """Models fitted before a window, with the settings of those that are evaluated and that serve."""
    vectors, topics, profiles = inputs.vectors, profiler.themes.of_item[:, 0], _profiles(window, profiler)
    chosen = read_json(folder("backtest") / TUNING)["chosen"]
    collaborative = CollaborativeModels.fit(window.past, window.time, chosen)
    known = GeneratorInputs(inputs.catalogue, ItemIndex.read(INDEX), collaborative, topics, window.past, recommend)
    return Models.of(profiles, known, vectors)


def _profiles(window: Window, profiler: Profiler) -> Profiles:
    """Profiles of a window's users by its past."""
    theirs = window.past.keep(np.isin(window.past.users, window.users))
    return profiler.profiles(theirs, window.time)[0]


if __name__ == "__main__":
    run(main)
