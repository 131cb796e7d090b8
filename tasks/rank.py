"""Stage rank: how much each generator counts, chosen on the validation window."""

from strata.ranking import Ranker, RankSettings
from strata.settings import read_settings
from tasks import RANKER, run
from tasks.inputs import Inputs
from tasks.reporting import say
from tasks.window import candidates_for, window_between


def main() -> None:
    """Tune the weights on users whose past the validation models know."""
    inputs = Inputs()
    window = window_between(inputs, "validation", "backtest")
    window = window.only(window.warm)
    table = candidates_for(inputs, window, "validation")
    ranker = Ranker.tune(table, window, read_settings(RankSettings, "rank"))
    ranker.write(RANKER)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in ranker.weights.items())
    say(f"weights: {weights}; NDCG@10 {ranker.report['ndcg@10']:.4f} on {len(window.users)} users of validation")


if __name__ == "__main__":
    run(main)
