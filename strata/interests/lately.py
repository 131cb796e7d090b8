"""What somebody searched for or wrote lately, of no item: interests of now beside those of their events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, as_date
from strata.data.schema import TIERS, TIME, Behaviour
from strata.interests.naming import parts_of, told_apart
from strata.interests.profiles import Profiles
from strata.interests.profiling import unlike
from strata.interests.query_users import NewUsers, QueryUser
from strata.interests.said import said_dislikes, said_points
from strata.interests.settings import TierSettings
from strata.interests.themes import Themes
from strata.interests.understanding import Meaning
from strata.language.opinions import Opinion, things

MOST: Final = 8
"""Texts of a person that count, the latest."""


class Saying(NamedTuple):
    """A text that somebody wrote at a time (seconds), by a behaviour such as search."""

    text: str
    behaviour: Behaviour
    at: float


@dataclass(frozen=True)
class Lately:
    """The opinions of one person's latest texts: `at` (n,), in seconds, and `weights` (n,), of their behaviours.

    `vectors` (n, t): of what is read of each; None until it is read, and then the texts count for nothing.
    """

    opinions: tuple[Opinion, ...] = ()
    at: np.ndarray = field(default_factory=lambda: np.zeros(0))
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0))
    vectors: np.ndarray | None = None

    @classmethod
    def of(cls, sayings: Sequence[Saying], weights: Mapping[Behaviour, float], settings: TierSettings) -> "Lately":
        """The opinions in the latest MOST texts, none older than `recent_days` before the latest; any order."""
        latest = sorted(sayings, key=lambda each: each.at)[-MOST:]
        since = latest[-1].at - settings.recent_days * DAY if latest else 0.0
        read = [(each, said) for said in latest if said.at >= since for each in things([said.text])]
        return cls(
            tuple(opinion for opinion, _ in read),
            np.array([said.at for _, said in read], np.float64),
            np.array([weights.get(said.behaviour, 1.0) for _, said in read], np.float64),
        )

    def read(self, vectors: np.ndarray) -> "Lately":
        """With the vectors of what `NewUsers.to_read` reads; where there are not as many, nothing was read."""
        return replace(self, vectors=vectors if len(vectors) == len(self.opinions) else None)

    def __bool__(self) -> bool:
        return self.vectors is not None and bool(self.opinions)


NOTHING_LATELY: Final = Lately()


def with_words(person: QueryUser, said: Lately, new_users: NewUsers, time: float) -> QueryUser:
    """A person, alone in history and profiles, with what they said `lately` as seen at `time` (seconds).

    What they speak for adds to the point that is named by its topic or, where none is, makes a momentary one of the
    strength of an event of that behaviour; what they speak against makes dislikes, and keeps items out. They are
    unchanged where nothing of it is of the catalogue.
    """
    reader, profiler = new_users.reader, new_users.profiler
    if not said or said.vectors is None or reader is None:
        return person
    heard = tuple(reader.meanings(said.opinions, said.vectors))
    strengths = said.weights * np.exp2(-(time - said.at) / DAY / profiler.settings.half_life_days)
    facts = [_Fact(*each) for each in zip(heard, strengths.tolist(), said.at.tolist(), strict=True)]
    wanted, refused = ([each for each in facts if wish(each.meaning)] for wish in (_is_wanted, _is_refused))
    if not wanted and not refused:
        return person
    profiles = _liked(person.profiles, _by_topic(wanted), profiler.themes, profiler.catalogue, profiler.settings)
    against = _disliked(profiles, _by_topic(refused), profiler.themes, profiler.catalogue)
    out = np.union1d(person.rejected, reader.kept_out(heard, said.vectors))
    alone = not len(person.history)
    return replace(person, profiles=replace(profiles, dislikes=against), rejected=out, lately=heard, is_query=alone)


class _Fact(NamedTuple):
    """A meaning with its strength and when it was said last."""

    meaning: Meaning
    strength: float
    at: float


def _is_wanted(meaning: Meaning) -> bool:
    return meaning.wanted


def _is_refused(meaning: Meaning) -> bool:
    return meaning.refused


def _by_topic(facts: Sequence[_Fact]) -> list[_Fact]:
    """One fact of each topic, with the sum of their strengths."""
    found: dict[int, _Fact] = {}
    for each in facts:
        before = found.get(each.meaning.topic)
        strength = each.strength + (before.strength if before else 0.0)
        found[each.meaning.topic] = _Fact(each.meaning, strength, max(each.at, before.at if before else each.at))
    return list(found.values())


def _liked(
    profiles: Profiles, facts: Sequence[_Fact], themes: Themes, catalogue: Catalogue, settings: TierSettings
) -> Profiles:
    """The liked points with what is wanted, strongest first within each tier."""
    table = profiles.table
    strengths = table["strength"].to_numpy().copy()
    new = []
    for fact in facts:
        there = np.flatnonzero(table["topic"].to_numpy() == fact.meaning.topic)
        if len(there):
            strengths[there[0]] += fact.strength
        else:
            new.append(fact)
    vectors, topics = _lying(new, profiles.vectors.shape[1])
    said = said_points(vectors, themes, catalogue, query=True, of_topics=topics)
    said = said.with_columns(
        pl.Series("name", _names(said, themes, catalogue, table["name"].to_list()), dtype=pl.String),
        pl.Series("because", [_because(fact, "said in words", settings) for fact in new], dtype=pl.String),
        pl.Series("strength", [fact.strength for fact in new], dtype=pl.Float64),
        first_seen=_times(new),
        last_seen=_times(new),
    )
    said = said.cast({name: table.schema[name] for name in said.columns})
    both = pl.concat([table.with_columns(strength=strengths), said], how="diagonal")
    total = max(float(both["strength"].sum()), 1e-12)
    place = both["tier"].replace_strict(list(TIERS), list(range(len(TIERS))), return_dtype=pl.Int8).to_numpy()
    order = np.lexsort((-both["strength"].to_numpy(), -place))
    both = both.with_columns(pl.col("strength").round(6), share=(pl.col("strength") / total).round(6))[order]
    both = both.with_columns(point=pl.Series(np.arange(len(both)), dtype=table.schema["point"]))
    return Profiles(both, np.concatenate([profiles.vectors, vectors])[order], profiles.dislikes)


def _disliked(profiles: Profiles, facts: Sequence[_Fact], themes: Themes, catalogue: Catalogue) -> Profiles | None:
    """The dislikes with what is refused; none of them named as a like."""
    against = profiles.dislikes
    vectors, topics = _lying(facts, profiles.vectors.shape[1])
    said = said_dislikes(vectors, themes, catalogue, of_topics=topics).with_columns(
        pl.Series("strength", [fact.strength for fact in facts], dtype=pl.Float64),
        first_seen=_times(facts),
        last_seen=_times(facts),
    )
    if against is None:
        return Profiles(unlike(said, profiles.table, catalogue, themes), vectors)
    names = _names(said, themes, catalogue, against.table["name"].to_list())
    said = said.with_columns(pl.Series("name", names, dtype=pl.String)).cast(against.table.schema)
    both = pl.concat([against.table, said])
    total = max(float(both["strength"].sum()), 1e-12)
    both = both.with_columns(
        pl.col("strength").round(6),
        share=(pl.col("strength") / total).round(6),
        point=pl.Series(np.arange(len(both)), dtype=both.schema["point"]),
    )
    return Profiles(unlike(both, profiles.table, catalogue, themes), np.concatenate([against.vectors, vectors]))


def _lying(facts: Sequence[_Fact], dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Where meanings lie (m, dimension), and their topics (m,)."""
    vectors = np.array([each.meaning.vector for each in facts], np.float32).reshape(len(facts), dimension)
    return vectors, np.array([each.meaning.topic for each in facts], np.int64)


def _names(said: pl.DataFrame, themes: Themes, catalogue: Catalogue, taken: Sequence[str]) -> list[str]:
    """The names of points, unlike those that are `taken`."""
    names, typical = said["name"].to_list(), themes.at("topic")["typical"]
    bases = [parts_of(name)[0] if name in taken else name for name in names]
    examples = [map(catalogue.titles.__getitem__, typical[topic]) for topic in said["topic"]]
    return told_apart(bases, examples, taken)


def _because(fact: _Fact, what: str, settings: TierSettings) -> str:
    return f"{what}, last on {as_date(fact.at)}" if settings.timed else what


def _times(facts: Sequence[_Fact]) -> pl.Series:
    return pl.Series([round(fact.at * 1e6) for fact in facts], dtype=pl.Int64).cast(TIME)
