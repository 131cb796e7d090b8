"""The Stack Exchange dump: which questions people engage with next, what newcomers get, and new questions.

The dump comes in no package: rows are made where its files lie in ../shared/data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from scipy import sparse

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.quality.cold_items import judge_new, references, window_of_new
from benchmarks.quality.cold_users import (
    PARTS,
    PICKS,
    ZERO_SHOT,
    judge_picks,
    judge_words,
    newcomers,
    part_of,
    picks_of,
    without,
)
from benchmarks.quality.site import (
    LISTED,
    MONTH,
    Site,
    Values,
    compared,
    judge,
    judge_baseline,
    midnight,
    pooled,
    split_of,
)
from benchmarks.quality.time_split import WEIGHTED
from strata.cli.terminal import console
from strata.data.history import History
from strata.data.schema import BEHAVIOUR, PROFILE_TEXT
from strata.errors import SourceError
from strata.evaluation.report import OURS
from strata.evaluation.window import Window
from strata.models.baselines import WINDOWED, Baseline, behavioural, mean_vector
from strata.ranking.candidates import Table
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.training_windows import training_windows
from strata.ranking.two_stage import rank, tables
from strata.ranking.weighted_sum import WeightedSum

DUMP = Path("..") / "shared" / "data" / "stackexchange-alcohol"
SPLIT: Final = {"dates": ["2014-09-01", "2014-12-01", "2015-01-01", "2016-12-11"]}
"""The language model learns until September 2014, topics until the end of that year."""
TUNED = tuple(np.arange(midnight("2014-06-01"), midnight("2014-12-02"), MONTH).tolist())
"""Cut-offs of the months on which everything is tuned."""
CUT_OFFS = tuple(np.arange(midnight("2015-01-01"), midnight("2016-11-10"), MONTH).tolist())
RELEARNED = 6
"""Cut-offs for which trees serve before new ones are learned."""
WHAT = (
    "Beer, Wine & Spirits of Stack Exchange, what users engage with in the 30 days after each of "
    f"{len(CUT_OFFS)} cut-offs in 2015 and 2016; everything tuned on 2014"
)
Say = Callable[[str], None]


def workspace(root: Path) -> Path:
    """The pipeline up to vectors and topics on the dump. Raises SourceError where the dump is not there."""
    overrides = {"split": SPLIT}
    return workspaces.workspace(
        "stack-exchange", data=dump(), overrides=overrides, stages=["themes@backtest"], root=root
    )


def dump() -> Path:
    """The folder of the dump. Raises SourceError where it is not there."""
    if not DUMP.is_dir():
        raise SourceError(f"{DUMP} does not exist; put the XML files of the Stack Exchange dump there")
    return DUMP


def rows(folder: Path, say: Say = console.print) -> tuple[list[Row], str]:
    """Rows stackexchange-next, cold-user-stackexchange, …-bio and cold-item-stackexchange, and one for each other."""
    site = Site.read(folder, "backtest")
    tuned_on = [_open(site, site.history, time) for time in TUNED]
    tuned_on = [window.only(window.warm) for window in tuned_on]
    chosen = site.tune(_baselines(site), tuned_on)
    site = replace(site, chosen=chosen)
    weighted = _weighted(site, tuned_on)
    new = [window_of_new(site.history, _without_asks(site, time), time) for time in TUNED]
    chosen_new = site.tune(references(site), new)
    say("tuned: " + "; ".join(f"{name} {settings}" for name, settings in chosen.items()))
    found: dict[str, list[Values]] = {"next": [], "user": [], "bio": [], "item": []}
    windows: list[Window] = []
    for number, time in enumerate(CUT_OFFS):
        if number % RELEARNED == 0:
            trees = _trees(site, site.history, time)
            say(f"cut-off {number + 1} of {len(CUT_OFFS)}: trees learned")
        window = _open(site, site.history, time)
        window = window.only(window.warm)
        windows.append(window)
        found["next"].append(_judge_next(site, window, trees, weighted))
        found["bio"] += _judge_bios(site, time)
        found["item"] += _judge_new(site, time, trees, chosen_new)
    for part in range(PARTS):
        found["user"] += _judge_newcomers(site, part)
        say(f"newcomers: {part + 1} of {PARTS} parts")
    return _rows(site, found), split_of(windows)


def _open(site: Site, history: History, time: float) -> Window:
    """The window after a cut-off; only questions that have been asked before it count."""
    window = site.window(history, time)
    return window.among(site.available(window))


def _without_asks(site: Site, time: float) -> History:
    """Everything but questions asked after `time`: who asks a question needs no recommendation of it."""
    behaviours = pl.read_parquet(site.folder / "artifacts" / "history" / "interactions.parquet", columns=[BEHAVIOUR])
    asked = (behaviours[BEHAVIOUR] == "ask").to_numpy()  # in the order of the history
    return site.history.keep(~asked | (site.history.times < time))


def _baselines(site: Site) -> dict[str, Baseline]:
    tuning = site.tuning
    return {
        **behavioural(tuning, repeats=False),
        ZERO_SHOT: mean_vector(site.zero_shot, tuning.grids.mean_vector),
        "fine-tuned text": mean_vector(site.texts, tuning.grids.mean_vector),
    }


def _weighted(site: Site, windows: Sequence[Window]) -> WeightedSum:
    """The sum of generators that does best over several windows."""
    blocks: list[tuple[int, Table]] = []
    start = 0
    for window in windows:
        models = site.at(window.past, window.time).models(window.past, window.time, window.users)
        found = tables(window, models, site.recommend, site.available(window))
        blocks += [(start + part.start, table) for part, _, table in found]
        start += len(window.users)
    relevant = sparse.vstack([window.relevant for window in windows], format="csr")
    users = np.concatenate([window.users for window in windows])
    together = replace(windows[0], users=users, relevant=relevant, warm=np.ones(len(users), bool))
    return WeightedSum.tune(Table.stacked(blocks), together, site.ranking)


def _trees(site: Site, history: History, time: float) -> LambdaMart:
    """Trees that learned from the windows that the product would learn from at `time`."""
    settings, learned = site.ranking, []
    names: tuple[str, ...] = ()
    for window in training_windows(history.before(time), time, settings, repeats=False):
        then = site.at(window.past, window.time)
        models = then.models(window.past, window.time, window.users)
        names = models.features.names(models.names)
        learned.append(then.learn(window, models))
    learned = [one for one in learned if one.chosen.any()]
    return LambdaMart.fit(learned, names, settings.trees, apart=settings.horizon, seeds=settings.seeds)


def _judge_next(site: Site, window: Window, trees: LambdaMart, weighted: WeightedSum) -> Values:
    then = site.at(window.past, window.time)
    models, available = then.models(window.past, window.time, window.users), site.available(window)
    values = {
        name: judge_baseline(model, window.past, window, site.chosen[name]) for name, model in _baselines(site).items()
    }
    for name, ranker in ((WEIGHTED, weighted), (OURS, trees)):
        values[name] = judge(rank(window, models, ranker, site.recommend, available, LISTED), window)
    return window.users, values


def _judge_newcomers(site: Site, part: int) -> list[Values]:
    """One part of the users as newcomers to a site that never saw them: trees are learned once, before all cut-offs."""
    out = part_of(len(site.accounts)) == part
    known = without(site.history, out)
    trees, found = _trees(site, known, CUT_OFFS[0]), []
    for time in CUT_OFFS:
        month = _counting(site, known, time)
        window = newcomers(site.history, month, out, picks_of(site.history.before(time), time))
        window = window.only(window.warm)
        if len(window.users):
            then = site.at(month.past, time)
            models = then.models(month.past, time, window.users)
            days = site.chosen[WINDOWED]["window_days"]
            found.append(judge_picks(then, window, month.past, models, trees, days))
    return found


def _judge_new(site: Site, time: float, trees: LambdaMart, chosen: Mapping[str, Mapping[str, Any]]) -> list[Values]:
    window = window_of_new(site.history, _without_asks(site, time), time)
    if not len(window.users):
        return []
    then = site.at(window.past, time)
    return [judge_new(then, window, then.models(window.past, time, window.users), trees, chosen)]


def _judge_bios(site: Site, time: float) -> list[Values]:
    """Users who did nothing before a cut-off and say something of themselves."""
    texts = site.accounts[PROFILE_TEXT].fill_null("").to_list()
    writers = np.flatnonzero(np.array([bool(text.strip()) for text in texts]))
    month = _counting(site, site.history, time)
    new = np.diff(month.past.offsets) == 0
    new &= np.isin(np.arange(len(new)), writers)
    nothing = site.history.keep(np.zeros(len(site.history), bool))
    window = newcomers(site.history, month, new, nothing)
    if not len(window.users):
        return []
    site = site.at(month.past, time)
    models = site.models(month.past, time, window.users)
    days = site.chosen[WINDOWED]["window_days"]
    said = [texts[user] for user in window.users]
    return [judge_words(site, window, month.past, models, said, days)]


def _counting(site: Site, known: History, time: float) -> Window:
    """The window of `known` whose items are those that exist."""
    window = site.window(known, time)
    return replace(window, items=site.available(site.window(site.history, time)))


def _rows(site: Site, found: Mapping[str, list[Values]]) -> list[Row]:
    """All rows; users who are judged at no cut-off are counted in what is left out."""
    values, trials = {name: pooled(site, each) for name, each in found.items()}, site.tuning.trials
    n_known = len(site.history.before(CUT_OFFS[-1]).active_users())
    left_out = {name: f"{n_known - len(table)} of {n_known} users, who " for name, table in values.items()}
    return [
        *compared(
            "stackexchange-next",
            f"{WHAT}: questions new to the user among those asked before",
            values["next"], trials, left_out["next"] + "engage with no such question, or have no past then.",
        ),
        *compared(
            "cold-user-stackexchange",
            f"{WHAT}: questions asked before, for users known by {PICKS} random questions of their past alone; each "
            f"one in {PARTS} of the users is left out in turn of all that is fitted but the language model",
            values["user"], trials, left_out["user"] + f"engage with none or with fewer than {PICKS} before.",
        ),
        *compared(
            "cold-user-stackexchange-bio",
            f"{WHAT}: questions asked before, for users who did nothing before and whose profile text alone is known "
            "(as it read in December 2016)",
            values["bio"], trials, "users without a profile text.",
        ),
        *compared(
            "cold-item-stackexchange",
            f"{WHAT}: the questions asked in those 30 days, known by their text alone, ranked for users with a past; "
            "popularity knows nothing of them, ties by item",
            values["item"], trials, left_out["item"] + "engage with none of them but their own, or have no past then.",
        ),
    ]  # fmt: skip
