"""Cold start on Complete Journey: newcomers known by three purchases or by their household's data, and new products.

A fifth of all households is left out of all that is fitted here and shown as newcomers; the others are shown new
products. Trees are learned once, before the first cut-off; all other models are made anew at each.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.quality.cold_items import judge_new, references, window_of_new
from benchmarks.quality.cold_users import (
    PARTS,
    PICKS,
    judge_picks,
    judge_words,
    newcomers,
    part_of,
    picks_of,
    told,
    without,
)
from benchmarks.quality.site import MONTH, Site, Values, compared, midnight, pooled, split_of
from strata.cli.terminal import console
from strata.data.history import History
from strata.evaluation.window import Window
from strata.models.baselines import WINDOWED
from strata.ranking.examples import Examples
from strata.ranking.lambdamart import LambdaMart

TAUGHT: Final = ("2017-07-01", "2017-08-01", "2017-09-01")
"""Months that teach the trees; all that is tuned is tuned on the last of them."""
CUT_OFFS: Final = ("2017-10-01", "2017-11-01", "2017-12-01")
TEACHERS = 400
"""Households, at most, that teach in each month."""
WHAT = (
    f"Complete Journey (published as simulated), 30 days after each of {', '.join(CUT_OFFS)}; trees learned in July to "
    "September from four fifths of the households, but settings tuned on September and the language model, which "
    "learned before, saw all of them"
)
Say = Callable[[str], None]


def workspace(root: Path, **settings: Mapping[str, Any]) -> Path:
    """The workspace of the section `journey`, as far as it is needed here."""
    overrides = {**settings, "recommend": {"repeats": True}}
    stages = ["themes@validation", "collaborate@validation"]
    return workspaces.workspace("complete-journey", overrides=overrides, stages=stages, root=root)


def rows(folder: Path, say: Say = console.print) -> tuple[list[Row], str]:
    """Rows cold-user-journey, cold-user-journey-bio and cold-item-journey, and one for each other reference."""
    site = Site.read(folder, "validation")
    out = part_of(len(site.accounts)) == 0
    known = without(site.history, out)
    texts = told(site, np.arange(len(out)))
    speaking = np.flatnonzero(out & np.array([bool(text) for text in texts]))
    bios = speaking, [texts[user] for user in speaking]
    chosen = _tuned(site, known)
    trees = teach(site, known, say)
    found: dict[str, list[Values]] = {"user": [], "user-bio": [], "item": []}
    windows: list[Window] = []
    for day in CUT_OFFS:
        judged = _judge(site, known, bios, midnight(day), trees, chosen)
        for name, (window, values) in judged.items():
            found[name].append(values)
            windows.append(window)
            say(f"{day}, {name}: " + ", ".join(f"{key} {value.mean():.4f}" for key, value in values[1].items()))
    return _rows(site, known, found), split_of(windows)


def teach(site: Site, known: History, say: Say) -> LambdaMart:
    """Trees that learned as those of the product do, from what the households of `known` bought in earlier months."""
    learned: list[Examples] = []
    names: tuple[str, ...] = ()
    for day in TAUGHT:
        window = site.window(known, midnight(day), least_users=0)
        window = window.only(window.warm).sample(TEACHERS, site.ranking.seed)
        then = site.at(window.past, window.time)
        models = then.models(window.past, window.time, window.users)
        names = models.features.names(models.names)
        learned.append(then.learn(window, models))
        say(f"{day}: {len(window.users)} households teach the trees")
    return LambdaMart.fit(learned, names, site.ranking.trees, apart=1, seeds=site.ranking.seeds)


def _tuned(site: Site, known: History) -> dict[str, Any]:
    """Settings of the references, for what counts as usual and for new items, tuned on the last month that teaches."""
    last = midnight(TAUGHT[-1])
    usual = site.window(known, last)
    usual = usual.only(usual.warm).sample(TEACHERS, site.ranking.seed)
    popular = {WINDOWED: references(site)[WINDOWED]}
    new = window_of_new(site.history, known, last)
    return {"usual": site.tune(popular, [usual]), "new": site.tune(references(site), [new])}


def _judge(
    site: Site,
    known: History,
    bios: tuple[np.ndarray, Sequence[str]],
    time: float,
    trees: LambdaMart,
    chosen: Mapping[str, Any],
) -> dict[str, tuple[Window, Values]]:
    """Newcomers by their picks, newcomers by what they tell (rows and texts in `bios`), and new items, at a time."""
    new = window_of_new(site.history, known, time)
    site = site.at(new.past, time)
    models = site.models(new.past, time, new.users)
    month, days = site.window(known, time), chosen["usual"][WINDOWED]["window_days"]
    out = part_of(len(site.accounts)) == 0
    picked = newcomers(site.history, month, out, picks_of(site.history.between(time - MONTH, time), time))
    picked = picked.only(picked.warm)
    nothing = site.history.keep(np.zeros(len(site.history), bool))
    silent = newcomers(site.history, month, np.isin(np.arange(len(out)), bios[0]), nothing)
    said = [bios[1][place] for place in np.searchsorted(bios[0], silent.users)]
    return {
        "user": (picked, judge_picks(site, picked, month.past, models, trees, days)),
        "user-bio": (silent, judge_words(site, silent, month.past, models, said, days)),
        "item": (new, judge_new(site, new, models, trees, chosen["new"])),
    }


def _rows(site: Site, known: History, found: Mapping[str, list[Values]]) -> list[Row]:
    """All rows; households that are judged at no cut-off are counted in what is left out."""
    last = midnight(CUT_OFFS[-1])
    values = {name: pooled(site, each) for name, each in found.items()}
    n_out = len(site.history.before(last).active_users()) - len(known.before(last).active_users())
    n_known, trials = len(known.before(last).active_users()), site.tuning.trials
    shown = f"of households left out of all that is fitted (one in {PARTS}, drawn at random)"
    return [
        *compared(
            "cold-user-journey",
            f"{WHAT}: all purchases {shown}, known by {PICKS} random purchases of the 30 days before alone",
            values["user"], trials,
            f"{n_out - len(values['user'])} of them, with fewer than {PICKS} products in those 30 days or none later.",
        ),
        *compared(
            "cold-user-journey-bio",
            f"{WHAT}: all purchases {shown}, known by the text of their demographics alone",
            values["user-bio"], trials,
            f"{n_out - len(values['user-bio'])} of them, who tell nothing or buy nothing later.",
        ),
        *compared(
            "cold-item-journey",
            f"{WHAT}: products that nobody had bought before and somebody did then (first sale stands for release, of "
            "which nothing is known), ranked for the other households with a past; popularity knows nothing of them, "
            "ties by item",
            values["item"], trials, f"{n_known - len(values['item'])} households that bought none of them.",
        ),
    ]  # fmt: skip
