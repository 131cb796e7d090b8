"""Translates validated requests into library calls and results into API answers; no HTTP here."""

from datetime import datetime
from typing import TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel

from services.bodies import (
    Answer,
    Audience,
    Brands,
    Category,
    Cause,
    Dislike,
    HotTopics,
    Interest,
    Interests,
    Item,
    Items,
    Preference,
    SimilarUsers,
)
from services.errors import naming, unknown
from services.requests import (
    AudienceRequest,
    BrandsRequest,
    Event,
    HotTopicsRequest,
    InterestsRequest,
    RankRequest,
    RecommendRequest,
    SearchRequest,
    SimilarItemsRequest,
    SimilarUsersRequest,
    Whose,
)
from strata.data.filters import Filters, rows_of
from strata.interests.query_users import PastChoice, QueryUser
from strata.recommendation.business_rules import BusinessRules
from strata.recommendation.lists import Recommendation
from strata.recommendation.recommender import Recommender

LATEST = 4_102_444_800.0
"""The year 2100: later times are typing errors, and could overflow date columns."""

Row = TypeVar("Row", bound=BaseModel)
Ranked = RecommendRequest | RankRequest | SimilarItemsRequest | SearchRequest
Related = HotTopicsRequest | BrandsRequest | SimilarUsersRequest | AudienceRequest
Request = Ranked | Related | InterestsRequest
NONE = {
    InterestsRequest: Interests,
    HotTopicsRequest: HotTopics,
    BrandsRequest: Brands,
    SimilarUsersRequest: SimilarUsers,
    AudienceRequest: Audience,
}
"""Answers that popular items cannot replace: the fallback leaves them empty."""


def answer(release: Recommender, request: Request, vectors: np.ndarray) -> Answer:
    """The release's answer; `vectors` (n, d): of the request's texts. Raises ApiError for unknown ids."""
    if isinstance(request, InterestsRequest):
        return _interests(release, request, vectors)
    if isinstance(request, Related):
        return _related(release, request, vectors)
    return _items(release, _ranked(release, request, vectors))


def fallback(release: Recommender, request: Request, cause: Cause) -> Answer:
    """The fallback answer, marked as such: popular items under the request's filters and rules, or else empty."""
    stated = {"fallback": True, "fallback_cause": cause}
    if type(request) in NONE:
        return NONE[type(request)](release=release.manifest.id, **stated)
    if isinstance(request, RankRequest):
        admitted = np.zeros(len(release.catalogue), bool)
        with naming("item_ids"):
            admitted[rows_of(request.item_ids, release.catalogue)] = True
        boosts = BusinessRules(boosts=release.rules.but(request.rules).boosts)
        return _items(release, release.list_builder.popular(len(request.item_ids), admitted, boosts), **stated)
    admitted, rules = _admitted(release, request.filters), BusinessRules()
    if isinstance(request, RecommendRequest):
        rules = release.filled(request).effective_rules
        if not request.texts:
            whose = _whose(release, request, np.zeros((0, 0)))
            person = release.user(whose) if isinstance(whose, str) else whose
            admitted[person.rejected] = False
            if release.filled(request).exclude_seen:
                admitted[person.seen] = False
    if isinstance(request, SimilarItemsRequest):
        with naming("item_id"):
            admitted[release.catalogue.row(request.item_id)] = False
    with naming("rules.must_include"):
        return _items(release, release.list_builder.popular(request.k, admitted, rules), **stated)


def _related(release: Recommender, request: Related, vectors: np.ndarray) -> Answer:
    of = release.manifest.id
    if isinstance(request, AudienceRequest):
        with naming("item_id"):
            members = release.audience(request.item_id if request.text is None else vectors[0], request.k)
        return Audience.model_validate({"release": of, "users": members}, from_attributes=True)
    whose = _whose(release, request, vectors)
    if isinstance(request, SimilarUsersRequest):
        users = release.similar_users(whose, request.k)
        return SimilarUsers.model_validate({"release": of, "users": users}, from_attributes=True)
    with naming("filters.exclude_items"):
        if isinstance(request, HotTopicsRequest):
            topics = release.hot_topics(whose, request.k, filters=request.filters)
            return HotTopics.model_validate({"release": of, "topics": topics}, from_attributes=True)
        brands = release.brands_to_follow(whose, request.k, filters=request.filters)
        return Brands.model_validate({"release": of, "brands": brands}, from_attributes=True)


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
            return release.rank(whose, request.item_ids, request.options)
    filters = request.filters
    with naming("filters.exclude_items"):
        rows_of(filters.exclude_items, release.catalogue)
    if isinstance(request, SimilarItemsRequest):
        with naming("item_id"):
            return release.similar_items(request.item_id, request.k, filters=filters)
    if isinstance(request, SearchRequest):
        return release.search(vectors[0], request.k, filters=filters)
    whose = _whose(release, request, vectors)
    with naming("rules.must_include"):
        return release.recommend(whose, request)


def _whose(release: Recommender, request: Whose, vectors: np.ndarray) -> str | QueryUser:
    """The id of a user of the release, or a visitor."""
    if request.user_id is not None:
        if request.user_id not in release.users:  # the library's message would show ids of other users
            raise unknown("user_id", f"the user is not among the {len(release.users):,} of this release")
        return request.user_id
    if request.history is not None:
        with naming("history"):
            return release.new_users.from_choices([_pick(entry) for entry in request.history])
    return release.new_users.from_texts(vectors, query=request.bio is None)


def _pick(entry: str | Event) -> PastChoice:
    if isinstance(entry, str):
        return PastChoice(entry)
    return PastChoice(entry.item_id, entry.behaviour, None if entry.timestamp is None else _seconds(entry.timestamp))


def _seconds(time: datetime) -> float:
    return min(max(time.timestamp(), 0.0), LATEST)


def _admitted(release: Recommender, filters: Filters) -> np.ndarray:
    with naming("filters.exclude_items"):
        return release.admitted(filters)


def _items(release: Recommender, found: list[Recommendation], **stated: object) -> Items:
    return Items(release=release.manifest.id, items=[Item.model_validate(each) for each in found], **stated)
