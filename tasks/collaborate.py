"""Stage collaborate@CUT_OFF: models of behaviour alone, fitted on all that came before the cut-off."""

from strata.data.schema import CUT_OFFS
from strata.models.fitted import TUNING, CollaborativeModels
from strata.storage import read_json
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import say

SETTINGS_OF = {"validation": "validation", "backtest": "backtest", "live": "backtest"}
"""The cut-off by whose tuning each one's models are fitted.

The ranker learns from models with the settings of `backtest`. Those that are judged and those that serve have the same:
a window of other days or another half-life would show it numbers of another size.
"""


def main(cut_off: str) -> None:
    """Keep the models that recommending uses, and beside them what was tuned."""
    inputs = Inputs()
    tuned = read_json(folder(SETTINGS_OF[cut_off]) / TUNING)
    time = inputs.time(cut_off)
    collaborative = CollaborativeModels.fit(inputs.history.before(time), time, tuned["chosen"])
    collaborative.write(folder(cut_off) / "collaborative", tuned)
    say(f"{cut_off}: " + "; ".join(collaborative.item_models))


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
