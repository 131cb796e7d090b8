"""Who a user id is just now: a user of the release, with what happened since and in the session of the moment."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from strata.data.history import History
from strata.interests.correction_file import Correction
from strata.interests.corrections import Corrections
from strata.interests.lately import NOTHING_LATELY, Lately, with_words
from strata.interests.query_users import PastChoice, QueryUser
from strata.interests.statements import NOTHING_STATED

if TYPE_CHECKING:
    from strata.recommendation.recommender import Recommender


class People(Protocol):
    """Knows users by their ids."""

    def whose(
        self,
        release: "Recommender",
        user_id: str,
        session: Sequence[PastChoice] = (),
        said: Lately = NOTHING_LATELY,
    ) -> str | QueryUser | None:
        """The id where the release knows all of a user, the user where it does not; None: nobody knows them.

        `session`: choices of the moment, which are kept nowhere. `said`: what `lately` gave, read. Raises UnknownId for
        unknown items in the session.
        """
        ...

    def lately(self, release: "Recommender", user_id: str) -> Lately:
        """What a user searched for or wrote since the release was made, to be read."""
        ...


class Registered:
    """The users of the release, and nobody else."""

    def whose(
        self,
        release: "Recommender",
        user_id: str,
        session: Sequence[PastChoice] = (),
        said: Lately = NOTHING_LATELY,  # noqa: ARG002
    ) -> str | QueryUser | None:
        """The id, if it is one of theirs."""
        known = user_id in release.users
        if session:
            return joined(release, user_id, session, known=known)
        return user_id if known else None

    def lately(self, release: "Recommender", user_id: str) -> Lately:  # noqa: ARG002
        """Nothing."""
        return NOTHING_LATELY


REGISTERED: People = Registered()


def joined(
    release: "Recommender",
    user_id: str,
    choices: Sequence[PastChoice],
    lines: Sequence[Correction] = (),
    said: Lately = NOTHING_LATELY,
    *,
    known: bool,
) -> QueryUser:
    """A user with choices, in time order, words and corrections that the release has not.

    `known`: whether the release's own part counts. Raises UnknownId for unknown items.
    """
    new_users = release.new_users
    profiler = new_users.profiler
    history, rated = new_users.chosen(choices)
    statements, lines = NOTHING_STATED, tuple(lines)
    if known:
        row = release.users[user_id]
        history = together(release.history.of_users(row, row + 1), history)
        statements = release.statements.of_users(row, row + 1)
        lines = (*(line for line in release.corrections.lines if line.user_id == user_id), *lines)
    corrections = Corrections(lines).found(profiler.themes, profiler.catalogue, profiler.space)
    time = max([new_users.time, *(history.times[-1:] + 1).tolist(), said.last + 1])
    profiles, _ = profiler.profiles(history, time, [user_id], statements)
    person = QueryUser(
        0, history, profiles, history.items[history.spoken_against()], rated=rated, user_id=user_id,
        statements=statements, corrections=corrections,
    )  # fmt: skip
    person = with_words(person, said, new_users, time)
    profiles = corrections.apply(person.profiles, [user_id], profiler.themes, profiler.catalogue.ids)
    blocked = np.flatnonzero(corrections.blocked_items(user_id, profiler.themes))
    refused = corrections.refused_topics(user_id, profiler.themes)
    asked = tuple(each for each in person.asked if each.topic not in refused)
    return replace(person, profiles=profiles, rejected=np.union1d(blocked, person.rejected), asked=asked)


def together(earlier: History, later: History) -> History:
    """The events of one user from two histories of the same items."""
    columns = [
        np.concatenate([getattr(each, name) for each in (earlier, later)])
        for name in ("users", "items", "times", "weights", "chosen")
    ]
    return History.from_columns(*columns, n_users=1, n_items=later.n_items)
