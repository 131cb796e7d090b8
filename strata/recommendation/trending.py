"""Topics that rise in popularity, and those of them within a person's interests."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field, PositiveInt

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.models.popularity import popularity
from strata.recommendation.crowd import cited, dislikes_of, titles, weigh
from strata.settings import Settings


class TrendSettings(Settings):
    """What makes a topic hot, and how many items represent a topic or a brand."""

    hot_days: float = Field(default=14.0, gt=0)
    """Length of the recent window."""
    past_days: float = Field(default=180.0, gt=0)
    """Length of the past before it, from which expected numbers come."""
    smoothing: float = Field(default=5.0, gt=0)
    """Users added to a topic's number and to the expected one, so that a few people make no trend."""
    leaders: PositiveInt = 3
    """Items shown for a hot topic; a brand's score is the mean of as many of its items."""


@dataclass(frozen=True)
class Rising:
    """Trends at a time: `lift` (n_topics,), ratio to expected users; `lately` (n_items,), recent users of each item."""

    lift: np.ndarray
    lately: np.ndarray

    def widened(self, n_items: int) -> "Rising":
        """The same for more items, which nobody chose yet."""
        return Rising(self.lift, np.pad(self.lately, (0, n_items - len(self.lately))))


@dataclass(frozen=True)
class HotTopic:
    """A topic chosen `lift` times as much as expected, its top `items`, and the interest it belongs to."""

    topic_id: str
    name: str
    lift: float
    score: float
    items: tuple[str, ...]
    interest: str
    tier: str
    text: str


def rising_topics(history: History, themes: Themes, time: float, settings: TrendSettings) -> Rising:
    """How much more each topic was chosen shortly before `time` (seconds) than its longer past predicts.

    lift = (recent users + s) / (expected users + s), s the smoothing; expected is the topic's share of all past
    (user, topic) pairs, times the number of recent pairs. Without a past the lift is 1 everywhere.
    """
    start = time - settings.hot_days * DAY
    liked, topics = history.positive(), themes.of_item[:, 0]
    now, before = liked.between(start, time), liked.between(start - settings.past_days * DAY, start)
    lately, past = _users_per_topic(now, topics), _users_per_topic(before, topics)
    expected = past * lately.sum() / max(past.sum(), 1)
    lift = (lately + settings.smoothing) / (expected + settings.smoothing)
    return Rising(lift if past.any() else np.ones(len(lift)), popularity(now, time))


def hot_topics(
    own: Profiles,
    rising: Rising,
    themes: Themes,
    catalogue: Catalogue,
    k: int,
    *,
    tier_weights: Mapping[str, float],
    available: np.ndarray,
    leaders: int,
) -> list[HotTopic]:
    """Up to `k` rising topics within the themes of one person's interests, hottest first.

    `own`: the person's points only. A topic belongs to the interest of its theme with the largest w · max(0, cosine)
    to its centre; its score is that times log2 of its lift. Disliked topics are left out, and so are topics without
    recent choices of an `available` item (n_items,) bool; at most `leaders` of these items are shown.
    """
    near = weigh(own, tier_weights) * np.maximum(themes.centres("topic") @ own.vectors.T, 0)
    near *= themes.above("topic", "theme")[:, None] == own.table["theme"].to_numpy()
    scores = near.max(1, initial=0) * np.log2(np.maximum(rising.lift, 1))
    if len(dislikes_of(own).vectors):
        scores[dislikes_of(own).table["topics"].explode().to_numpy()] = 0
    scores[np.round(rising.lift, 1) <= 1] = 0  # its reason would read "1.0 times as popular as before"
    of_topic = np.where(available & (rising.lately > 0), themes.of_item[:, 0], -1)
    scores[~np.isin(np.arange(len(scores)), of_topic)] = 0
    groups, found = themes.at("topic"), []
    for topic in np.argsort(-scores, kind="stable")[: min(k, int((scores > 0).sum()))].tolist():
        chosen = np.flatnonzero(of_topic == topic)
        items = tuple(catalogue.ids[chosen[np.argsort(-rising.lately[chosen], kind="stable")[:leaders]]])
        point, lift = own.table.row(int(near[topic].argmax()), named=True), round(float(rising.lift[topic]), 3)
        led, interest = titles(items, catalogue), cited(point, catalogue)
        text = f"{lift:.1f} times as popular as before, led by {led}; near to your {interest}"
        score = round(float(scores[topic]), 6)
        found.append(
            HotTopic(groups["id"][topic], groups["name"][topic], lift, score, items, point["name"], point["tier"], text)
        )
    return found


def _users_per_topic(history: History, topics: np.ndarray) -> np.ndarray:
    """Distinct users who chose something of each topic: (n_topics,)."""
    n_topics = int(topics.max(initial=0)) + 1
    pairs = np.unique(history.users.astype(np.int64) * n_topics + topics[history.items])
    return np.bincount(pairs % n_topics, minlength=n_topics)
