"""A checked request becomes the library's call, and the library's answer the API's: no transport here."""

from datetime import datetime
from typing import Literal

import numpy as np
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

Cause = Literal["time_out", "encoder_unavailable"]


class Reason(BaseModel):
    """Why an item is recommended."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    generator: str = Field(description="What contributed most to the score: interests, ease, neighbours or popular.")
    share: float = Field(description="Its share of the score.")
    interest: str | None = Field(description="The person's interest point nearest to the item.")
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


class Interest(BaseModel):
    """An interest point; the numbers are null where they need a history and there is none."""

    name: str
    tier: Tier
    because: str = Field(description="The numbers that caused the tier.")
    phrases: list[str]
    strength: float
    share: float = Field(description="Share of the person's strength.")
    persistence: float | None = None
    periods: int | None = None
    of_periods: int | None = None
    period_unit: Literal["week", "month"] | None = None
    recency: float | None = None
    events: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    evidence: list[str] = Field(description="Item ids.")


class Answer(BaseModel):
    """What all answers say."""

    release: str = Field(description="Id of the release that answered; the whole answer is of this one.")
    fallback: bool = Field(False, description="Whether the stated fallback answers: windowed popularity.")
    fallback_cause: Cause | None = None


class Items(Answer):
    """Items, best first."""

    items: list[Item]


class Interests(Answer):
    """Interest points: core first, then stable, then momentary; none from the fallback."""

    interests: list[Interest]


Ranked = RecommendRequest | RankRequest | SimilarItemsRequest | SearchRequest


def answer(release: Recommender, request: Ranked | InterestsRequest, vectors: np.ndarray) -> Items | Interests:
    """The release's answer; `vectors` (n, d) are of the request's texts. Raises ApiError for unknown ids."""
    if isinstance(request, InterestsRequest):
        rows = release.interests(_person(release, request, vectors)).iter_rows(named=True)
        return Interests(release=release.manifest.id, interests=[Interest.model_validate(row) for row in rows])
    return _items(release, _ranked(release, request, vectors))


def fallback(release: Recommender, request: Ranked | InterestsRequest, cause: Cause) -> Items | Interests:
    """The stated fallback: what is popular in the window and passes the filters; no interests."""
    stated = {"fallback": True, "fallback_cause": cause}
    if isinstance(request, InterestsRequest):
        return Interests(release=release.manifest.id, interests=[], **stated)
    if isinstance(request, RankRequest):
        admitted = np.zeros(len(release.catalogue), bool)
        with naming("item_ids"):
            admitted[rows_of(request.item_ids, release.catalogue)] = True
        return _items(release, release.popular(len(request.item_ids), admitted), **stated)
    admitted = _admitted(release, request.filters)
    if isinstance(request, RecommendRequest) and not request.texts:
        person = _person(release, request, np.zeros((0, 0)))
        admitted[person.rejected] = False
        if _hides_seen(release, request):
            admitted[person.seen] = False
    if isinstance(request, SimilarItemsRequest):
        with naming("item_id"):
            admitted[release.catalogue.row(request.item_id)] = False
    return _items(release, release.popular(request.k, admitted), **stated)


def _ranked(release: Recommender, request: Ranked, vectors: np.ndarray) -> list[Recommendation]:
    if isinstance(request, RankRequest):
        person = _person(release, request, vectors)
        with naming("item_ids"):
            return release.rank(person, request.item_ids, tier_weights=_mix(request), explained=request.explain)
    filters = request.filters.filters()
    with naming("filters.exclude_items"):
        rows_of(filters.exclude, release.catalogue)
    if isinstance(request, SimilarItemsRequest):
        with naming("item_id"):
            return release.similar_items(request.item_id, request.k, filters=filters)
    if isinstance(request, SearchRequest):
        return release.search(vectors[0], request.k, filters=filters)
    return release.recommend(
        _person(release, request, vectors),
        request.k,
        tier_weights=_mix(request),
        filters=filters,
        exclude_seen=request.exclude_seen,
        explained=request.explain,
    )


def _person(release: Recommender, request: Whose, vectors: np.ndarray) -> Person:
    if request.user_id is not None:
        if request.user_id not in release.users:  # the library's message offers ids: of other people
            raise unknown("user_id", f"the user is not among the {len(release.users):,} of this release")
        return release.user(request.user_id)
    if request.history is not None:
        with naming("history"):
            return release.visitors.from_picks([_pick(entry) for entry in request.history])
    return release.visitors.from_words(vectors)


def _pick(entry: str | Event) -> Pick:
    if isinstance(entry, str):
        return Pick(entry)
    time = None if entry.timestamp is None else min(max(entry.timestamp.timestamp(), 0.0), LATEST)
    return Pick(entry.item_id, entry.behaviour, time)


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
