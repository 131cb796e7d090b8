"""The list that follows from a conversation: what is wanted, without what is refused, of the years asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from strata.conversation.acts import Act, act_of
from strata.conversation.talk import Talk
from strata.conversation.wording import Told, language_of_turn
from strata.errors import UnknownId
from strata.interests.lately import NOTHING_LATELY, Lately
from strata.interests.query_users import QueryUser
from strata.interests.understanding import Meaning
from strata.language.asking import read_asked
from strata.language.opinions import Opinion, things
from strata.language.years import Years
from strata.recommendation.explanation import Reason
from strata.recommendation.lists import Recommendation
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

OF_THAT_KIND: Final = re.compile(
    r"\b(?:more )?(?:of|like) (?:that|this|these|those)(?: (?:kind|sort|type|style))?\b|那种|这种|同类", re.IGNORECASE
)
"""Points at what the turn names, and names nothing."""


@dataclass(frozen=True)
class Turn:
    """A turn as read: what it does, what it speaks for and against, the item it wants others like, if it names one."""

    text: str
    act: Act
    opinions: tuple[Opinion, ...]
    like: str | None

    @classmethod
    def read(cls, text: str, release: Recommender) -> "Turn":
        """Read a turn; only a title of the catalogue can be named."""
        act = act_of(text)
        like, rest = _named(act.words, release) if not act.why else (None, "")
        return cls(text, act, tuple(things([rest])) if rest else (), like)

    def to_read(self, release: Recommender) -> list[str]:
        """What the language model should read of each opinion."""
        return release.new_users.to_read(self.opinions)


@dataclass(frozen=True)
class Reply:
    """The list after a turn, and what is said of it; `changed`: whether it is another than before.

    `why`: the item that was asked about, with its reason. `wants`, `unwants`: what the list goes by, as it was said.
    """

    talk: Talk
    items: list[Recommendation]
    says: str
    changed: bool
    wants: list[str]
    unwants: list[str]
    why: Recommendation | None = None


def reply(
    talk: Talk,
    turn: Turn,
    vectors: np.ndarray,
    release: Recommender,
    k: int = 10,
    lately: Lately = NOTHING_LATELY,
) -> Reply:
    """Answer a turn; `vectors` (n, t) of what is to be read of its opinions. Raises UnknownId for an unknown user.

    `lately`: what the user who talks said before, elsewhere.
    """
    told = Told(language_of_turn(turn.text))
    talk = talk.keeping(lambda item_id: _known(item_id, release))
    before = talk if talk.shown else talk.showing(_listed(talk, _wishing(talk, release), release, k, lately))
    now = replace(before, turn=before.turn + 1)
    act = turn.act
    if act.why:
        return _explained(now, act, release, told)
    if act.reset:
        now = replace(before.fresh(), turn=before.turn + 1)
    heard = release.new_users.from_opinions(turn.opinions, vectors).heard or () if turn.opinions else ()
    clear = [place for place, each in enumerate(heard) if each.wanted or each.refused or len(each.carriers)]
    now = _with_acts(now, before, act, turn.like, release)
    now = now.hearing([turn.opinions[place] for place in clear], vectors[clear])
    wishing = _wishing(now, release)
    if not (act.reset or clear or turn.like or _asks(act)):
        said = told.courtesy() if act.small_talk or not turn.opinions else told.nothing_found()
        return _answer(now, wishing, _kept(now, release), said, changed=False)
    if any(turn.opinions[place].may_want for place in clear) and turn.like is None and not act.role:
        now = replace(now, like=None)  # something else is wanted now
    items = _listed(now, wishing, release, k, lately)
    changed = [each.item_id for each in items] != [each.item_id for each in before.shown]
    says = told.of(now, _title(now.like, release), found=bool(items))
    return _answer(now.showing(items), wishing, items, says, changed=changed)


def _asks(act: Act) -> bool:
    return bool(act.different or act.role or act.years or act.newer or act.older)


def _with_acts(now: Talk, before: Talk, act: Act, like: str | None, release: Recommender) -> Talk:
    """The conversation with what a turn does beside naming things."""
    pointed = _pointed(before, act)
    if act.different:
        now = now.passing()
    if act.role == "remove" and pointed is not None:
        now = replace(now, gone=(*now.gone, pointed))
    like = pointed if act.role == "like" else like
    if like is not None:
        now = replace(now, like=like)
    if act.years:
        now = replace(now, years=now.years.within(act.years) if now.years else act.years)
    if act.newer or act.older:
        than = [like or now.like] if (like or now.like) else [each.item_id for each in before.shown]
        years = _years(release)[[release.catalogue.row(each) for each in than if each]]
        years = years[years > 0]
        if len(years) and not act.years:
            middle = int(np.median(years))
            now = replace(now, years=Years(first=middle + 1) if act.newer else Years(last=middle - 1))
    return now


def _pointed(talk: Talk, act: Act) -> str | None:
    """The id of the item of the last list that a turn points at: the first where it only says "that one"."""
    if act.role is None or not talk.shown:
        return None
    place = 0 if act.place is None else (len(talk.shown) if act.place < 0 else act.place) - 1
    if act.role == "like" and act.place is None and talk.like is not None:
        return talk.like
    return talk.shown[place].item_id if place < len(talk.shown) else None


def _listed(talk: Talk, wishing: QueryUser, release: Recommender, k: int, lately: Lately) -> list[Recommendation]:
    """The list by all that was said so far; `wishing`: somebody of whom all of it is known."""
    request = release.filled(ListRequest(k=k))
    known = None if talk.user is None else release.person(release.whose(talk.user, said=lately))
    known = None if known is None or known.unknown else known
    allowed = _allowed(talk, known, wishing, release)
    heard = wishing.heard or ()
    wanted = [(each, one.turn) for each, one in zip(heard, talk.said, strict=True) if each.wanted]
    allowed, met = _restricted(allowed, wanted, k)
    if talk.like is not None:
        refused = np.flatnonzero(~allowed)
        reason = Reason("likeness", 1.0, None, None, None, (talk.like,), f"like {_title(talk.like, release)}")
        return [replace(each, reason=reason) for each in release.similar_items(talk.like, k, refused=refused)]
    if known is not None and met:
        return release.list_builder.best(known, allowed, request)
    if met:  # a kind of items that somebody unknown asks for: those that people choose
        return release.list_builder.popular(request, allowed)
    return release.list_builder.best(wishing, allowed, request)


def _wishing(talk: Talk, release: Recommender) -> QueryUser:
    """Somebody of whom all that was said so far is known."""
    said = talk.said
    vectors = np.array([each.vector for each in said], np.float32).reshape(len(said), release.texts.dimension)
    return release.new_users.from_opinions([each.opinion for each in said], vectors)


def _allowed(talk: Talk, known: QueryUser | None, wishing: QueryUser, release: Recommender) -> np.ndarray:
    allowed = release.admitted()
    allowed[wishing.rejected] = False
    allowed[[release.catalogue.row(each) for each in talk.out]] = False
    if known is not None:
        allowed[known.rejected] = False
        if not release.settings.repeats:
            allowed[known.seen] = False
    if talk.years:
        years = _years(release)
        allowed &= (years >= (talk.years.first or 1)) & (years <= (talk.years.last or 9999)) & (years > 0)
    return allowed


def _restricted(allowed: np.ndarray, wanted: Sequence[tuple[Meaning, int]], k: int) -> tuple[np.ndarray, bool]:
    """Items that carry what is wanted, the latest turns' wishes first, while a list of them can be filled.

    Whether that meets all wishes of the latest turn that has any. Wishes of one turn are met together where enough
    items do, else each by some.
    """
    met = True
    latest = max((turn for _, turn in wanted), default=0)
    for turn in sorted({turn for _, turn in wanted}, reverse=True):
        masks = []
        for each, said in wanted:
            if said == turn and len(each.carriers):
                mask = np.zeros(len(allowed), bool)
                mask[each.carriers] = True
                masks.append(mask)
        together, some = np.logical_and.reduce(masks), np.logical_or.reduce(masks)
        for mask in (together, some) if masks else ():
            if (allowed & mask).sum() >= (k if turn < latest else 1):
                allowed = allowed & mask
                break
        met &= turn < latest or len(masks) == sum(said == turn for _, said in wanted)
    return allowed, met


def _explained(now: Talk, act: Act, release: Recommender, told: Told) -> Reply:
    """Why an item of the list is there: that which was pointed at, else the first."""
    place = 0 if act.place is None else (len(now.shown) if act.place < 0 else act.place) - 1
    items, wishing = _kept(now, release), _wishing(now, release)
    if not 0 <= place < len(items):
        return _answer(now, wishing, items, told.no_such_place(len(items)), changed=False)
    item, reason = items[place], now.shown[place].reason
    return replace(_answer(now, wishing, items, told.why(item.title, reason), changed=False), why=item)


def _kept(talk: Talk, release: Recommender) -> list[Recommendation]:
    """The last list once more."""
    return [
        release.list_builder.item(
            release.catalogue.row(each.item_id), each.score, Reason("shown", 1.0, None, None, None, (), each.reason)
        )
        for each in talk.shown
    ]


def _answer(talk: Talk, wishing: QueryUser, items: list[Recommendation], says: str, *, changed: bool) -> Reply:
    heard = wishing.heard or ()
    wants = [each.opinion.about for each in heard if each.wanted]
    unwants = [each.opinion.about for each in heard if each.opinion.polarity == "against"]
    return Reply(talk, items, says, changed, wants, unwants)


def _named(words: str, release: Recommender) -> tuple[str | None, str]:
    """The id of an item that a turn wants others like, and the words that say something else."""
    words = OF_THAT_KIND.sub(" ", words)
    asked = read_asked(words)
    if not asked.like:
        return None, words
    named = release.words.named(asked.like)
    best = int(np.argmax(named)) if len(named) else 0
    if not len(named) or named[best] < release.searching.named:
        return None, words
    return str(release.catalogue.ids[best]), words.replace(asked.like, " ")


def _known(item_id: str, release: Recommender) -> bool:
    """Whether the item is of this release: the one before may have had others."""
    try:
        release.catalogue.row(item_id)
    except UnknownId:
        return False
    return True


def _years(release: Recommender) -> np.ndarray:
    """When items came, by year, 0 where that is unknown: (n_items,)."""
    return release.searches.years


def _title(item_id: str | None, release: Recommender) -> str:
    return "" if item_id is None else release.catalogue.title_of(item_id)
