"""What somebody searched for or wrote lately, of no item: interests of now beside those of their events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, as_date
from strata.data.schema import TIERS, TIME, Behaviour
from strata.embeddings.vectors import unit
from strata.interests.naming import parts_of, told_apart
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler, unlike
from strata.interests.query_users import NewUsers, QueryUser
from strata.interests.said import said_dislikes, said_points
from strata.interests.settings import TierSettings
from strata.interests.themes import Themes
from strata.interests.understanding import Meaning, Reader
from strata.language.opinions import Opinion, things
from strata.language.vocabulary import content_words

MOST: Final = 8
"""Texts of a person that count, the latest."""
ASKING: Final = ("search", "ask")
"""Behaviours that ask for something; the others say something of it."""
TITLES: Final = 5
"""Items that words name at most where they name titles, and not a kind of items."""


class Saying(NamedTuple):
    """A text that somebody wrote at a time (seconds), by a behaviour such as search."""

    text: str
    behaviour: Behaviour
    at: float


class Said(NamedTuple):
    """One opinion of a saying: `number` tells sayings apart, `weight` is that of the behaviour."""

    opinion: Opinion
    number: int
    asked: bool
    at: float
    weight: float


@dataclass(frozen=True)
class Lately:
    """The opinions (n) of one person's latest texts, in time order.

    `vectors` (n, t): of what is read of each; None until it is read, and then the texts count for nothing.
    """

    said: tuple[Said, ...] = ()
    vectors: np.ndarray | None = None

    @classmethod
    def of(
        cls, sayings: Sequence[Saying], weights: Mapping[Behaviour, float], settings: TierSettings, now: float
    ) -> "Lately":
        """The opinions in the latest MOST texts of the last `recent_days` before `now` (seconds); any order."""
        recent = [each for each in sayings if each.at >= now - settings.recent_days * DAY]
        latest = sorted(recent, key=lambda each: each.at)[-MOST:]
        said: dict[tuple[int, str, str], Said] = {}
        for number, each in enumerate(latest):
            for opinion in things([each.text]):  # twice in one text says it once
                key = number, opinion.polarity, opinion.about.casefold()
                asked = each.behaviour in ASKING
                said[key] = Said(opinion, number, asked, each.at, weights.get(each.behaviour, 1.0))
        return cls(tuple(said.values()))

    @property
    def opinions(self) -> tuple[Opinion, ...]:
        """What is to be read: `NewUsers.to_read` says how."""
        return tuple(each.opinion for each in self.said)

    @property
    def last(self) -> float:
        """When the latest was said, in seconds; −∞ where nothing was."""
        return max((each.at for each in self.said), default=-np.inf)

    def read(self, vectors: np.ndarray) -> "Lately":
        """With the vectors of what is read; where there are not as many as opinions, nothing was."""
        return replace(self, vectors=vectors if len(vectors) == len(self.said) else None)

    def __bool__(self) -> bool:
        return self.vectors is not None and bool(self.said)


NOTHING_LATELY: Final = Lately()


def with_words(person: QueryUser, lately: Lately, new_users: NewUsers, time: float) -> QueryUser:
    """A person, alone in history and profiles, with what they said lately as seen at `time` (seconds).

    What they speak for adds to the point that is named by its topic or, where none is, makes a momentary one of the
    strength of an event of that behaviour; what they speak against makes dislikes, and keeps items out. A later word
    ends an earlier one of the same that says the opposite. Words that name titles are of the topic that these are of,
    and refuse no others. The person is unchanged where nothing of it is of the catalogue.
    """
    reader, profiler = new_users.reader, new_users.profiler
    if not lately or lately.vectors is None or reader is None:
        return person
    facts = _standing(_understood(lately, lately.vectors, reader, profiler, time))
    if not facts:
        return person
    wanted, refused = ([each for each in facts if each.meaning.wanted is wish] for wish in (True, False))
    profiles = _liked(person.profiles, _by_topic(wanted), profiler.themes, profiler.catalogue, profiler.settings)
    kinds = [each for each in refused if each.meaning.refused and not each.title]
    against = _disliked(profiles, _by_topic(kinds), profiler.themes, profiler.catalogue)
    titles = [each.meaning.carriers for each in refused if each.title]
    others = [each for each in facts if each.meaning.wanted or not each.title]
    meanings, vectors = [each.meaning for each in others], np.array([each.vector for each in others])
    out = np.unique(np.concatenate([person.rejected, reader.kept_out(meanings, vectors), *titles]))
    return replace(
        person,
        profiles=replace(profiles, dislikes=against),
        rejected=out.astype(np.int64),
        lately=tuple(each.meaning for each in facts),
        asked=tuple(each.meaning for each in wanted if each.asked),
        is_query=not len(person.history),
    )


class _Fact(NamedTuple):
    """A meaning with the vector (t,) of its words, its strength, when it was said last, and whether it asked.

    `title`: whether it names titles, and no kind of items.
    """

    meaning: Meaning
    vector: np.ndarray
    strength: float
    at: float
    asked: bool
    title: bool


def _understood(
    lately: Lately, vectors: np.ndarray, reader: Reader, profiler: Profiler, time: float
) -> Iterator[_Fact]:
    """What each opinion means, in time order; each text is read by itself."""
    half_life = profiler.settings.half_life_days * DAY
    for number in dict.fromkeys(each.number for each in lately.said):
        rows = [row for row, each in enumerate(lately.said) if each.number == number]
        meanings = reader.meanings([lately.said[row].opinion for row in rows], vectors[rows])
        for row, meaning in zip(rows, meanings, strict=True):
            said = lately.said[row]
            strength = said.weight * 2 ** (-(time - said.at) / half_life)
            title = 0 < len(meaning.carriers) <= TITLES and not reader.words.named(said.opinion.about).labels
            placed = _placed(meaning, profiler) if title else meaning
            yield _Fact(placed, vectors[row], strength, said.at, said.asked, title)


def _placed(meaning: Meaning, profiler: Profiler) -> Meaning:
    """A meaning that names titles where these lie, whatever else its words lie near to."""
    topics, counts = np.unique(profiler.themes.of_item[meaning.carriers, 0], return_counts=True)
    vector = unit(profiler.vectors[meaning.carriers].mean(0)[None])[0]
    return replace(meaning, topic=int(topics[counts.argmax()]), vector=vector)


def _standing(facts: Iterable[_Fact]) -> list[_Fact]:
    """Those that make or refuse something, in time order: of the same words once, and none that a later one ended."""
    found: dict[str, _Fact] = {}
    for fact in facts:
        meaning = fact.meaning
        if not (meaning.wanted or meaning.opinion.polarity == "against" and (meaning.clear or len(meaning.carriers))):
            continue
        words = meaning.opinion.about.casefold()
        same = [key for key, each in found.items() if key == words or _opposite(each.meaning, meaning)]
        for key in same:
            before = found.pop(key)
            if key == words and before.meaning.wanted == meaning.wanted:
                fact = fact._replace(strength=fact.strength + before.strength, asked=fact.asked or before.asked)
        found[words] = fact
    return list(found.values())


def _opposite(one: Meaning, other: Meaning) -> bool:
    """Whether one wants what the other refuses."""
    if one.wanted == other.wanted:
        return False
    words, others = content_words(one.opinion.about), content_words(other.opinion.about)
    return bool(words and others) and (words <= others or others <= words)


def _by_topic(facts: Sequence[_Fact]) -> list[_Fact]:
    """One fact of each topic, with the sum of their strengths."""
    found: dict[int, _Fact] = {}
    for each in facts:
        before = found.get(each.meaning.topic, each._replace(strength=0.0))
        strength, at = each.strength + before.strength, max(each.at, before.at)
        found[each.meaning.topic] = each._replace(strength=strength, at=at)
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
