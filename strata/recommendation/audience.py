"""The audience of an item or a text: the users most interested in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import USER
from strata.interests.corrections import Corrections
from strata.interests.themes import Themes
from strata.recommendation.crowd import Crowd, _best, cited
from strata.recommendation.explanation import EVIDENCE


@dataclass(frozen=True)
class Member:
    """A user of an audience, with the interest that adds most to their `score`; `evidence`: item ids."""

    user_id: str
    score: float
    interest: str
    tier: str
    similarity: float
    evidence: tuple[str, ...]
    text: str


def uninvited(
    row: int, history: History, corrections: Corrections, users: Mapping[str, int], themes: Themes
) -> np.ndarray:
    """Rows of the users who had the item `row` or blocked its topic; `users`: row of each by its id."""
    blocking = {line.user_id for line in corrections.lines if line.action == "block"} & users.keys()
    against = [users[user] for user in blocking if corrections.blocked_items(user, themes)[row]]
    return np.append(history.users[history.items == row], np.array(against, np.int64))


def audience_for(
    vector: np.ndarray, crowd: Crowd, catalogue: Catalogue, k: int, without: Sequence[int] | np.ndarray = ()
) -> list[Member]:
    """Up to `k` users most interested in an item or text of unit `vector` (d,), leaving out user rows `without`.

    r_u = Σ_p w_p · max(0, x_p · v) over the user's points, less the same over their dislikes. Users with 0 or less are
    left out; put those who have the item already in `without`.
    """
    cosines = np.asarray(crowd.profiles.vectors @ vector)
    against = crowd.disliked @ np.maximum(crowd.dislikes.vectors @ vector, 0)
    added = crowd.liked.data * np.maximum(cosines, 0)
    members = []
    for user, score in _best(crowd.liked @ np.maximum(cosines, 0) - against, k, without):
        points = crowd.points_of(user)
        row = points.start + int(added[points].argmax())
        point = crowd.profiles.table.row(row, named=True)
        text = f"Fits their {cited(point, catalogue, timed=crowd.timed)}, {point['because']}"
        evidence = tuple(point["evidence"][:EVIDENCE])
        similarity = round(float(cosines[row]), 3)
        members.append(Member(point[USER], score, point["name"], point["tier"], similarity, evidence, text))
    return members
