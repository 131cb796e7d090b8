"""Scripted conversations and what each turn should do to the list; a simulated newcomer who looks for one film."""

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.evidence.sections import FILMS
from benchmarks.language.cases import HALVES, Asked, digest, read_cases, share_row
from strata.conversation.replying import Reply, Turn, reply
from strata.conversation.talk import Talk
from strata.data.schema import CATEGORIES
from strata.errors import SourceError
from strata.evaluation.metrics import bootstrap
from strata.recommendation.request import ListRequest

ENOUGH, MOSTLY = 0.6, 0.5
"""Share of a list that is of a wanted genre where it does not rise; share that is new or alike."""
LOOKING, TURNS, PAGE = 300, 5, 10
"""Simulated newcomers, turns that each takes, and items of a list."""
LATELY_SHARE: Final = 0.05
"""Of all choices, the latest, from which wanted films are drawn."""


@dataclass(frozen=True)
class Film:
    """What is known of an item."""

    genres: frozenset[str]
    year: int


class Talker:
    """Holds conversations with a release, and knows its films."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.release = asked, asked.release
        genres = self.release.catalogue.items[CATEGORIES].to_list()
        years = self.release.searches.years.tolist()
        self.films = [Film(frozenset(g or []), year) for g, year in zip(genres, years, strict=True)]
        self.seconds: list[float] = []
        self.answer(Talk(), "comedies")  # compiles what the first call compiles
        self.seconds.clear()

    def answer(self, talk: Talk, text: str) -> Reply:
        """One turn, timed with all that the service would do but HTTP."""
        started = time.perf_counter()
        turn = Turn.read(text, self.release)
        texts = turn.to_read(self.release)
        vectors = self.asked.encoder.encode(texts) if texts else np.zeros((0, self.release.texts.dimension), np.float32)
        found = reply(talk, turn, vectors, self.release)
        self.seconds.append(time.perf_counter() - started)
        return found

    def listed(self, talk: Talk) -> list[Film]:
        """The films of a conversation's last list."""
        return [self.film(each.item_id) for each in talk.shown]

    def film(self, item_id: str) -> Film:
        """What is known of an item."""
        return self.films[self.release.catalogue.row(item_id)]


def rows() -> tuple[list[Row], str]:
    """Rows dialogue-effect, dialogue-effect-seen, dialogue-hit and dialogue-ms."""
    asked = Asked.of(FILMS)
    if asked is None:
        raise SourceError("artifacts/release does not exist; run `make demo` first")
    talker, found = Talker(asked), []
    for suffix, held, told in HALVES:
        cases = [case for case in read_cases("dialogues") if case["held"] == held]
        right = [each for case in cases for each in effects(talker, case["turns"])]
        what = f"Turns of {len(cases)} hand-made conversations, {told}: share with the effect that they should have."
        found.append(share_row(f"dialogue-effect{suffix}", what, right, 0.9))
    found.append(_milliseconds(talker))
    found.append(_hits(talker))
    return found, digest("dialogues")


def effects(talker: Talker, turns: list[dict[str, Any]]) -> list[bool]:
    """Whether each turn of a conversation had all of its effects."""
    start = talker.answer(Talk(), "hello").talk
    talk, right = Talk(), []
    for turn in turns:
        answer = talker.answer(talk, turn["say"])
        before = talk if talk.shown else start
        right.append(all(_had(talker, before, answer, start, *each) for each in turn["expect"].items()))
        talk = answer.talk
    return right


def _had(talker: Talker, before: Talk, answer: Reply, start: Talk, effect: str, value: Any) -> bool:
    old, new = ([each.item_id for each in talk.shown] for talk in (before, answer.talk))
    films = talker.listed(answer.talk)
    if effect == "same":
        return new == old
    if effect == "reset":
        return new == [each.item_id for each in start.shown]
    if effect == "why":
        return answer.why is not None and bool(answer.why.reason and answer.why.reason.text)
    if effect == "different":
        return len(set(new) - set(old)) >= MOSTLY * len(new) > 0
    if effect == "excludes":
        return bool(new) and old[int(value.split()[1]) - 1] not in new
    if effect in ("newer_than", "older_than"):
        later = effect == "newer_than"
        return bool(films) and all(film.year > value if later else 0 < film.year < value for film in films)
    if effect == "none_of_categories":
        return bool(films) and not any(film.genres & set(value) for film in films)
    if effect == "more_categories":
        was, now = (_share(each, set(value)) for each in (talker.listed(before), films))
        return now > was or now >= ENOUGH
    if effect == "similar_to":
        like = _like(talker, before, value)
        return new != old and _share(films, set(like.genres)) >= MOSTLY
    raise ValueError(f"no effect is called {effect}")


def _share(films: list[Film], genres: set[str]) -> float:
    return sum(bool(film.genres & genres) for film in films) / max(len(films), 1)


def _like(talker: Talker, before: Talk, value: str) -> Film:
    if value.startswith("ordinal "):
        return talker.film(before.shown[int(value.split()[1]) - 1].item_id)
    return talker.films[talker.release.catalogue.titles.index(value)]


def _milliseconds(talker: Talker) -> Row:
    taken = 1000 * np.array(talker.seconds)
    rng = np.random.default_rng(SEED)
    medians = np.median(rng.choice(taken, (SAMPLES, len(taken))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    what = "Turns of these conversations without a generator, encoding included, HTTP not: median on this machine."
    return Row("dialogue-ms", what, float(np.median(taken)), float(low), float(high), "ms", len(taken), seeds=(SEED,))


def _hits(talker: Talker) -> Row:
    """Newcomers who want one film, and say its genres and decade, against paging the plain list as far."""
    history, rng = talker.release.history, np.random.default_rng(SEED)
    lately = np.argsort(history.times, kind="stable")[-round(LATELY_SHARE * len(history)) :]
    items = history.items[lately[history.chosen[lately]]]
    items = items[[len(talker.films[item].genres) > 0 for item in items]]
    wanted = rng.choice(items, LOOKING, replace=False)
    request = talker.release.filled(ListRequest(k=PAGE * TURNS))
    paged = {each.item_id for each in talker.release.list_builder.popular(request, talker.release.admitted())}
    ids = talker.release.catalogue.ids
    by_paging = np.array([str(ids[item]) in paged for item in wanted], float)
    by_talking = np.array([_found(talker, int(item)) for item in wanted], float)
    gain = bootstrap(by_talking - by_paging, samples=SAMPLES, seed=SEED)
    what = (
        f"Simulated newcomers, each looking for a film drawn from the latest choices, say its genres, its decade and "
        f"'show me others': share that sees it within {TURNS} lists of {PAGE}, against as many pages by popularity. "
        f"Both know the same release, which learned from these choices."
    )
    return Row.of(
        "dialogue-hit", what, gain, "share", len(wanted), value=float(by_talking.mean()),
        reference=float(by_paging.mean()), reference_name="paging", seeds=(SEED,),
    )  # fmt: skip


def _found(talker: Talker, item: int) -> bool:
    film, talk = talker.films[item], Talk()
    genres = sorted(film.genres)
    said = [f"I'd like {genres[0]} films", f"from the {film.year // 10 * 10}s"]
    said += [f"with {genre} too" for genre in genres[1:2]]
    for text in [*said, *["show me others"] * TURNS][:TURNS]:
        talk = talker.answer(talk, text).talk
        if any(each.item_id == str(talker.release.catalogue.ids[item]) for each in talk.shown):
            return True
    return False
