"""Stage collaborate@CUT_OFF: models of behaviour alone, tuned on the window before the cut-off, fitted up to it."""

from strata.baselines import behavioural
from strata.behaviour import Behaviour
from strata.collaborative import CollaborativeSettings
from strata.history import SplitSettings
from strata.recommend_settings import RecommendSettings
from strata.schema import CUT_OFFS
from strata.settings import read_settings
from strata.tuning import Window, tune
from tasks import run
from tasks.inputs import Inputs, folder
from tasks.reporting import progress, say


def main(cut_off: str) -> None:
    """Tune all behavioural models with the same number of trials; keep the ones that recommending uses."""
    inputs = Inputs()
    settings = read_settings(CollaborativeSettings, "collaborate")
    time, history = inputs.time(cut_off), inputs.history
    repeats = read_settings(RecommendSettings, "recommend").repeats
    start = inputs.cut_offs.previous(cut_off)
    least_users = read_settings(SplitSettings, "split").least_users
    window = Window.of(history, start, time, repeats=repeats, least_users=least_users)
    window = window.only(window.warm).sample(settings.users, settings.seed).within_reach()
    models = behavioural(settings, repeats=repeats)
    chosen, tried = {}, {}
    with progress(f"{cut_off}: tuning", len(models), "models") as advance:
        for name, model in models.items():
            chosen[name], tried[name] = tune(model.fit, model.grid, window, most=settings.trials, seed=settings.seed)
            advance(1)
    behaviour = Behaviour.fit(history.before(time), time, chosen)
    tuning = {"users": len(window.users), "chosen": chosen, "tried": tried}
    behaviour.write(folder(cut_off) / "collaborative", tuning)
    say(f"{cut_off}: " + "; ".join(f"{n} {max(t['ndcg@10'] for t in tried[n]):.4f}" for n in chosen) + " (NDCG@10)")


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
