"""Stage rank: how much each generator counts, chosen on the validation window."""

from strata.ranking import Ranker, RankSettings
from strata.settings import read_settings
from strata.tuning import Window
from tasks import RANKER, run
from tasks.inputs import Inputs
from tasks.reporting import say


def main() -> None:
    """Tune the weights on users whose past the validation models know."""
    inputs = Inputs()
    start, end = inputs.time("validation"), inputs.time("backtest")
    window = Window.of(inputs.history, start, end, repeats=inputs.settings.repeats)
    window = window.only(window.warm)
    ranker = Ranker.tune(inputs.table("validation", window), window, read_settings(RankSettings, "rank"))
    ranker.write(RANKER)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in ranker.weights.items())
    say(f"weights: {weights}; NDCG@10 {ranker.report['ndcg@10']:.4f} on {len(window.users)} users of validation")


if __name__ == "__main__":
    run(main)
