"""What is kept of a conversation between turns: what was said for and against, years, and what was shown."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from strata.language.opinions import Opinion
from strata.language.vocabulary import content_words
from strata.language.years import Years
from strata.recommendation.lists import Recommendation

MOST_SAID, MOST_PASSED = 40, 2_000
"""Opinions, and items that are not to come again, that are kept: the latest."""


@dataclass(frozen=True)
class Said:
    """An opinion, the turn it is of, and the vector (t,) of what the language model read of it."""

    opinion: Opinion
    turn: int
    vector: np.ndarray


@dataclass(frozen=True)
class Shown:
    """An item of the last list with the reason that was given."""

    item_id: str
    score: float
    reason: str


@dataclass(frozen=True)
class Talk:
    """A conversation after `turn` turns.

    `user`: the known user who talks, if one does; `release`: whose language model read what was said. `like`: id of
    the item that the list should be like. `gone`: items that were refused; `passed`: items of lists that others were
    asked for instead of.
    """

    user: str | None = None
    release: str = ""
    turn: int = 0
    said: tuple[Said, ...] = ()
    years: Years = Years()
    like: str | None = None
    gone: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()

    @property
    def out(self) -> tuple[str, ...]:
        """Ids of items that must not come."""
        return (*self.gone, *self.passed)

    def fresh(self) -> Self:
        """The conversation as if nothing had been said."""
        return type(self)(self.user, self.release, self.turn)

    def hearing(self, opinions: Sequence[Opinion], vectors: np.ndarray) -> Self:
        """With the opinions of this turn; an older one that says the opposite of the same thing is over."""
        now = [(content_words(each.about), each.polarity == "against") for each in opinions]
        kept = [
            each
            for each in self.said
            if not any(_opposite(each.opinion, words, against=against) for words, against in now)
        ]
        new = [Said(each, self.turn, vector) for each, vector in zip(opinions, vectors, strict=True)]
        return replace(self, said=(*kept, *new)[-MOST_SAID:])

    def passing(self) -> Self:
        """With all that was shown passed."""
        passed = dict.fromkeys([*self.passed, *(each.item_id for each in self.shown)])
        return replace(self, passed=tuple(passed)[-MOST_PASSED:])

    def keeping(self, known: Callable[[str], bool]) -> Self:
        """With only those items that are `known`: another release may not have all."""
        gone, passed = (tuple(filter(known, ids)) for ids in (self.gone, self.passed))
        shown = tuple(each for each in self.shown if known(each.item_id))
        like = self.like if self.like is not None and known(self.like) else None
        return replace(self, gone=gone, passed=passed, shown=shown, like=like)

    def showing(self, items: Sequence[Recommendation]) -> Self:
        """With this as the last list."""
        shown = [Shown(each.item_id, each.score, each.reason.text if each.reason else "") for each in items]
        return replace(self, shown=tuple(shown))

    def read_anew(self, release: str, vectors: np.ndarray) -> Self:
        """With vectors (n, t) of the opinions by the language model of another release."""
        said = [replace(each, vector=vector) for each, vector in zip(self.said, vectors, strict=True)]
        return replace(self, said=tuple(said), release=release)

    def as_json(self) -> dict[str, Any]:
        """All of it, for a store."""
        said = [
            {"opinion": asdict(each.opinion), "turn": each.turn, "vector": _packed(each.vector)} for each in self.said
        ]
        shown = [asdict(each) for each in self.shown]
        return {**self.__dict__, "said": said, "years": asdict(self.years), "shown": shown}

    @classmethod
    def of_json(cls, state: dict[str, Any]) -> Self:
        """What `as_json` gave."""
        said = [
            Said(Opinion(**each["opinion"]), each["turn"], np.frombuffer(b64decode(each["vector"]), np.float32))
            for each in state["said"]
        ]
        lists = {name: tuple(state[name]) for name in ("gone", "passed")}
        shown = tuple(Shown(**each) for each in state["shown"])
        return cls(**{**state, **lists, "said": tuple(said), "years": Years(**state["years"]), "shown": shown})


def _opposite(older: Opinion, words: frozenset[str], *, against: bool) -> bool:
    mine = content_words(older.about)
    return bool(mine) and bool(words) and (older.polarity == "against") != against and (mine <= words or words <= mine)


def _packed(vector: np.ndarray) -> str:
    return b64encode(np.asarray(vector, np.float32).tobytes()).decode()
