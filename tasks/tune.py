"""Stage tune@CUT_OFF: tune all collaborative models on the window just before the cut-off."""

from strata.evaluation.split import SplitSettings
from strata.evaluation.tuning import tune
from strata.evaluation.window import Window
from strata.models.baselines import behavioural
from strata.models.fitted import TUNING
from strata.models.settings import CollaborativeSettings
from strata.ranking.settings import RecommendSettings
from strata.settings import read_settings
from strata.storage import write_json
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import progress, say

TUNED = ("validation", "backtest")
"""Cut-offs that are tuned for; `live` models use the settings of `backtest`."""


def main(cut_off: str) -> None:
    """Try some settings of each model; write all results and the best settings."""
    inputs = Inputs()
    settings = read_settings(CollaborativeSettings, "collaborate")
    repeats = read_settings(RecommendSettings, "recommend").repeats
    start, end = inputs.cut_offs.previous(cut_off), inputs.time(cut_off)
    least_users = read_settings(SplitSettings, "split").least_users
    window = Window.of(inputs.history, start, end, repeats=repeats, least_users=least_users)
    window = window.only(window.warm).sample(settings.users, settings.seed).within_reach()
    models = behavioural(settings, repeats=repeats)
    chosen, tried = {}, {}
    with progress(f"{cut_off}: tuning", len(models), "models") as advance:
        for name, model in models.items():
            chosen[name], tried[name] = tune(model.fit, model.grid, window, most=settings.trials, seed=settings.seed)
            advance(1)
    write_json({"users": len(window.users), "chosen": chosen, "tried": tried}, folder(cut_off) / TUNING)
    say(f"{cut_off}: " + "; ".join(f"{n} {max(t['ndcg@10'] for t in tried[n]):.4f}" for n in chosen) + " (NDCG@10)")


if __name__ == "__main__":
    run(main, one_of=TUNED)
