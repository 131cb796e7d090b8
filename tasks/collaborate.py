"""Stage collaborate@CUT_OFF: collaborative models, fitted on everything before the cut-off."""

from strata.data.schema import CUT_OFFS
from strata.models.fitted import TUNING, CollaborativeModels
from strata.storage import read_json
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import say

SETTINGS_OF = {"validation": "validation", "backtest": "backtest", "live": "backtest"}
"""The cut-off whose tuned settings each cut-off's models are fitted with.

The ranker learns from models with the settings of `backtest`, so the models that are evaluated and that serve have the
same: other windows or half-lives would change the scale of its features.
"""


def main(cut_off: str) -> None:
    """Write the models that recommending uses, and what tuning tried and chose."""
    inputs = Inputs()
    tuned = read_json(folder(SETTINGS_OF[cut_off]) / TUNING)
    time = inputs.time(cut_off)
    collaborative = CollaborativeModels.fit(inputs.history.before(time), time, tuned["chosen"])
    collaborative.write(folder(cut_off) / "collaborative", tuned)
    say(f"{cut_off}: " + "; ".join(collaborative.item_models))


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
