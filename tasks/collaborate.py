"""Stage collaborate@CUT_OFF: models of behaviour alone, tuned on the window before the cut-off, fitted up to it."""

import numpy as np

from strata.baselines import DECAYED_EASE, DECAYED_NEIGHBOURS, WINDOWED, behavioural
from strata.collaborative import CollaborativeSettings, Ease, ItemNeighbours, save_model
from strata.popularity import popularity
from strata.recommend import RecommendSettings
from strata.schema import CUT_OFFS
from strata.settings import read_settings
from strata.storage import write_array, write_json
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
    window = Window.of(history, inputs.cut_offs.previous(cut_off), time, repeats=repeats)
    with_ease = len(inputs.catalogue) <= settings.ease_max_items
    models = behavioural(settings.neighbours, with_ease=with_ease)
    chosen, tried = {}, {}
    with progress(f"{cut_off}: tuning", len(models), "models") as advance:
        for name, model in models.items():
            chosen[name], tried[name] = tune(model.fit, model.grid, window, most=settings.trials, seed=settings.seed)
            advance(1)
    past = history.before(time)
    target = folder(cut_off) / "collaborative"
    if with_ease:
        save_model(Ease.fit(past, **chosen[DECAYED_EASE]), target / "ease.safetensors")
    else:
        say(f"{len(inputs.catalogue):,} items: above collaborate.ease_max_items, so item neighbours serve without EASE")
    save_model(ItemNeighbours.fit(past, **chosen[DECAYED_NEIGHBOURS]), target / "neighbours.safetensors")
    write_array(popularity(past, time, chosen[WINDOWED]["window_days"]).astype(np.float32), target / "popularity.npy")
    write_json({"users": int(window.warm.sum()), "chosen": chosen, "tried": tried}, target / "tuning.json")
    say(f"{cut_off}: " + "; ".join(f"{n} {max(t['ndcg@10'] for t in tried[n]):.4f}" for n in chosen) + " (NDCG@10)")


if __name__ == "__main__":
    run(main, one_of=CUT_OFFS)
