"""Whether topics are what people pursue together: how much likelier two later choices of a user share one."""

from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import pooled
from strata.data.history import as_date
from strata.embeddings.co_choice import first_choices
from strata.embeddings.space import InterestSpace, SpaceSettings
from strata.interests.naming import Namer
from strata.interests.pursued import lift, pair_shares
from strata.interests.themes import ThemeSettings, learn_themes
from strata.settings import read_settings
from strata.storage import read_array

OURS, BEHAVIOUR = "interest space", "behaviour alone"
TEXTS = {"zero-shot text": "zero_shot.npy", "fine-tuned text": "items.npy"}


def rows(context: Context, name: str) -> list[Row]:
    """Rows topic-lift-NAME, against the better of topics by texts alone, and topic-lift-NAME-behaviour."""
    later = first_choices(context.history.between(context.cut_offs.backtest, context.cut_offs.live))
    topics = topics_by(context)
    sums = {way: pair_shares(later, of_item) for way, of_item in topics.items()}
    judged = np.flatnonzero(sums[OURS][:, 1] > 0)
    if not len(judged):
        context.say("nobody chose two items after the cut-off")
        return []
    lifts = {way: float(lift(each[judged].sum(0))) for way, each in sums.items()}
    context.say(", ".join(f"{way} {found:.2f} ({topics[way].max() + 1} topics)" for way, found in lifts.items()))
    text = max(TEXTS, key=lambda way: lifts[way])
    what = (
        f"Chance that two items that a user chose after {as_date(context.cut_offs.backtest)} share a topic learned "
        "before, mean over users, over the chance that one of them shares a topic with another item that another user "
        f"chose in the same week; {topics[OURS].max() + 1} topics"
    )
    excluded = f"{context.history.n_users - len(judged)} users with fewer than two such items."
    found = []
    for way, suffix in ((OURS, ""), (BEHAVIOUR, "-behaviour")):
        both = np.hstack([sums[way], sums[text]])[judged]
        found.append(
            Row.of(
                f"topic-lift-{name}{suffix}",
                f"{what} by {way}. Per user: the two chances, then those of topics by {text}.",
                pooled(both, lambda s: lift(s[..., :2]) - lift(s[..., 2:])), "times", len(judged),
                value=lifts[way], reference=lifts[text], reference_name=text,
                per_user=pl.DataFrame(both, schema=["shared", "expected", "shared_by_text", "expected_by_text"]),
            )
        )  # fmt: skip
    return [replace(row, excluded=excluded) for row in found]


def topics_by(context: Context) -> dict[str, np.ndarray]:
    """Topic of each item (n_items,) by each way of placing items, as many topics of each, learned at the cut-off."""
    time, params = context.cut_offs.backtest, context.folder / "params.yaml"
    past = context.history.before(time)
    known, namer = context.catalogue.available(time, past), Namer.of(context.catalogue.items)
    texts = {way: np.asarray(read_array(context.folder / "artifacts/vectors" / file)) for way, file in TEXTS.items()}
    settings = read_settings(SpaceSettings, "space", params).model_copy(update={"behaviour": 1.0})
    alone = InterestSpace.fit(texts["fine-tuned text"], known, past, settings)
    ways = {**texts, BEHAVIOUR: alone.vectors}
    ours = context.topics["backtest"]
    many = read_settings(ThemeSettings, "themes", params).model_copy(
        update={"topics": int(ours.max()) + 1, "smallest": 1}
    )
    return {OURS: ours} | {way: learn_themes(each, known, namer, many).of_item[:, 0] for way, each in ways.items()}
