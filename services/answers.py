"""A checked request becomes the library's call, and the library's answer the API's: no transport here."""

from datetime import datetime
from typing import Literal, TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from services.errors import naming, unknown
from services.requests import (
    Conditions,
    Event,
    InterestsRequest,
    RankRequest,
    RecommendRequest,
    SearchRequest,
    SimilarItemsRequest,
    Whose,
)
from strata.filters import rows_of
from strata.recommender import Recommendation, Recommender
from strata.tiers import Tier
from strata.visitors import Person, Pick

LATEST = 4_102_444_800.0
"""The year 2100: later times are slips of the pen, and tables of dates end somewhere."""

Row = TypeVar("Row", bound=BaseModel)
Cause = Literal["time_out", "encoder_unavailable"]


class Reason(BaseModel):
    """Why an item is recommended."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    generator: str = Field(description="What contributed most to the score: interests, ease, neighbours or popular.")
    share: float = Field(description="Its share of the score.")
    interest: str | None = Field(description="The interest point that added most to the score, or the nearest one.")
    moved: bool = Field(description="Whether that interest point added to the score.")
    tier: Tier | None
    similarity: float | None = Field(description="Cosine between that point and the item.")
    evidence: tuple[str, ...] = Field(description="Item ids of the history that led here.")


class Item(BaseModel):
    """An item of the release."""

    model_config = ConfigDict(from_attributes=True)

    item_id: str
    title: str
    score: float = Field(description="Comparable within one answer only.")
    reason: Reason | None = Field(None, description="Present where it was asked for.")


class Numbers(BaseModel):
    """The numbers behind a tier; null where they need a history and there is none."""

    strength: float = Field(description="Weights of its events, halved with each half-life of their age.")
    share: float = Field(description="Share of the person's strength.")
    persistence: float | None = Field(None, description="Share of the active weeks in which it occurs.")
    periods: int | None = Field(None, description="Active weeks in which it occurs, of `of_periods`.")
    of_periods: int | None = None
    absent: int | None = Field(None, description="Active weeks since it last occurred.")
    recency: float | None = Field(None, description="1 at its latest event, halved with each half-life since.")
    span: float | None = Field(None, description="Share of the person's lifetime from its first to its latest event.")
    recent: int | None = Field(None, description="Events of the person's recent days.")
    quiet: float | None = Field(None, description="Days since its latest event.")
    events: int | None = None
    items: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None


class Interest(Numbers):
    """A content point: what it is about, its tier and the numbers behind that."""

    name: str
    topic_id: str = Field(description="Stable id of its main topic, by which points of two times can be compared.")
    topic_ids: list[str] = Field(description="Of all its topics.")
    tier: Tier
    because: str = Field(description="The numbers that caused the tier.")
    stated: bool = Field(False, description="Whether the person's profile text states it.")
    phrases: list[str]
    evidence: list[str] = Field(description="Item ids.")


class Preference(Numbers):
    """A lasting theme behind several points."""

    id: str = Field(description="Stable id of the theme.")
    name: str
    tier: Tier
    because: str
    phrases: list[str]
    points: list[str] = Field(description="Names of the points under it.")
    topic_ids: list[str] = Field(description="Their main topics.")


class Dislike(BaseModel):
    """What the person spoke against: never an interest, it lowers scores."""

    name: str
    topic_id: str
    topic_ids: list[str]
    because: str
    phrases: list[str]
    strength: float
    share: float = Field(description="Share of what the person spoke against.")
    events: int
    items: int
    first_seen: datetime
    last_seen: datetime
    evidence: list[str] = Field(description="Item ids.")


class Category(BaseModel):
    """A category the person moves in."""

    name: str
    share: float = Field(description="Share of the strength in items of it; an item of several counts in each.")
    items: int
    learned: bool = Field(description="Whether the items have no category of their own and this one is learned.")


class Answer(BaseModel):
    """What all answers say."""

    release: str = Field(description="Id of the release that answered; the whole answer is of this one.")
    fallback: bool = Field(False, description="Whether the stated fallback answers: windowed popularity.")
    fallback_cause: Cause | None = None


class Items(Answer):
    """Items, best first."""

    items: list[Item]


class Interests(Answer):
    """A profile on three levels, with what counts most first in each; nothing from the fallback."""

    categories: list[Category] = []
    preferences: list[Preference] = []
    interests: list[Interest] = Field([], description="Content points: core first, then stable, then momentary.")
    dislikes: list[Dislike] = []
    stated: dict[str, str] = Field({}, description="What the person says of themselves: occupation, region, bio.")


Ranked = RecommendRequest | RankRequest | SimilarItemsRequest | SearchRequest


def answer(release: Recommender, request: Ranked | InterestsRequest, vectors: np.ndarray) -> Items | Interests:
    """The release's answer; `vectors` (n, d) are of the request's texts. Raises ApiError for unknown ids."""
    if isinstance(request, InterestsRequest):
        return _interests(release, request, vectors)
    return _items(release, _ranked(release, request, vectors))


def fallback(release: Recommender, request: Ranked | InterestsRequest, cause: Cause) -> Items | Interests:
    """The stated fallback: what is popular in the window and passes the filters; no interests."""
    stated = {"fallback": True, "fallback_cause": cause}
    if isinstance(request, InterestsRequest):
        return Interests(release=release.manifest.id, **stated)
    if isinstance(request, RankRequest):
        admitted = np.zeros(len(release.catalogue), bool)
        with naming("item_ids"):
            admitted[rows_of(request.item_ids, release.catalogue)] = True
        return _items(release, release.popular(len(request.item_ids), admitted), **stated)
    admitted = _admitted(release, request.filters)
    if isinstance(request, RecommendRequest) and not request.texts:
        whose = _whose(release, request, np.zeros((0, 0)))
        person = release.user(whose) if isinstance(whose, str) else whose
        admitted[person.rejected] = False
        if _hides_seen(release, request):
            admitted[person.seen] = False
    if isinstance(request, SimilarItemsRequest):
        with naming("item_id"):
            admitted[release.catalogue.row(request.item_id)] = False
    return _items(release, release.popular(request.k, admitted), **stated)


def _interests(release: Recommender, request: InterestsRequest, vectors: np.ndarray) -> Interests:
    whose = _whose(release, request, vectors)
    levels = release.levels(whose, None if request.at is None else _seconds(request.at))
    return Interests(
        release=release.manifest.id,
        categories=_each(Category, levels.categories),
        preferences=_each(Preference, levels.preferences),
        interests=_each(Interest, levels.points),
        dislikes=_each(Dislike, levels.dislikes),
        stated=dict(levels.stated),
    )


def _each(model: type[Row], table: pl.DataFrame) -> list[Row]:
    return [model.model_validate(row) for row in table.iter_rows(named=True)]


def _ranked(release: Recommender, request: Ranked, vectors: np.ndarray) -> list[Recommendation]:
    if isinstance(request, RankRequest):
        whose = _whose(release, request, vectors)
        with naming("item_ids"):
            return release.rank(whose, request.item_ids, tier_weights=_mix(request), explained=request.explain)
    filters = request.filters.filters()
    with naming("filters.exclude_items"):
        rows_of(filters.exclude, release.catalogue)
    if isinstance(request, SimilarItemsRequest):
        with naming("item_id"):
            return release.similar_items(request.item_id, request.k, filters=filters)
    if isinstance(request, SearchRequest):
        return release.search(vectors[0], request.k, filters=filters)
    return release.recommend(
        _whose(release, request, vectors),
        request.k,
        tier_weights=_mix(request),
        filters=filters,
        exclude_seen=request.exclude_seen,
        explained=request.explain,
    )


def _whose(release: Recommender, request: Whose, vectors: np.ndarray) -> str | Person:
    """The id of a user of the release, or a visitor."""
    if request.user_id is not None:
        if request.user_id not in release.users:  # the library's message offers ids: of other people
            raise unknown("user_id", f"the user is not among the {len(release.users):,} of this release")
        return request.user_id
    if request.history is not None:
        with naming("history"):
            return release.visitors.from_picks([_pick(entry) for entry in request.history])
    return release.visitors.from_words(vectors)


def _pick(entry: str | Event) -> Pick:
    if isinstance(entry, str):
        return Pick(entry)
    return Pick(entry.item_id, entry.behaviour, None if entry.timestamp is None else _seconds(entry.timestamp))


def _seconds(time: datetime) -> float:
    return min(max(time.timestamp(), 0.0), LATEST)


def _mix(request: RecommendRequest | RankRequest) -> dict[str, float] | None:
    """Only the tiers that the caller names: the release's own mix holds for the others."""
    return request.tier_mix and request.tier_mix.model_dump(exclude_unset=True)


def _hides_seen(release: Recommender, request: RecommendRequest) -> bool:
    return not release.settings.repeats if request.exclude_seen is None else request.exclude_seen


def _admitted(release: Recommender, conditions: Conditions) -> np.ndarray:
    with naming("filters.exclude_items"):
        return release.admitted(conditions.filters())


def _items(release: Recommender, found: list[Recommendation], **stated: object) -> Items:
    return Items(release=release.manifest.id, items=[Item.model_validate(each) for each in found], **stated)
