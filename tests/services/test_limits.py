"""When it takes too long: the stated fallback, and never more requests than there is room for."""

import asyncio
import time

import numpy as np
import pytest

from services.endpoints.lists import Items, RankRequest, RecommendRequest
from services.endpoints.near import SearchRequest, SimilarItemsRequest
from services.endpoints.profiles import InterestsRequest
from services.endpoints.trends import BrandsRequest, HotTopicsRequest
from services.endpoints.users import AudienceRequest, SimilarUsersRequest
from services.errors import ApiError
from services.limits import Limits, check_media_type
from services.settings import ServiceSettings
from strata.data.filters import Filters
from strata.errors import SettingsError
from strata.recommendation.recommender import Recommender

REQUESTS = [
    RecommendRequest(user_id="10", k=7, filters=Filters(categories=["War"])),
    RecommendRequest(text="anything", k=7),
    RecommendRequest(history=["50", "288"], k=7),
    SearchRequest(text="anything", k=7),
    SimilarItemsRequest(item_id="50", k=7),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_fallback_is_popularity_within_the_filters(library: Recommender, request_) -> None:
    answer = request_.fallback(library, "time_out")
    assert (answer.fallback, answer.fallback_cause, len(answer.items)) == (True, "time_out", 7)
    rows = [library.catalogue.row(item.item_id) for item in answer.items]
    assert (np.diff(library.list_builder.popularity[rows]) <= 0).all()
    assert library.admitted()[rows].all()
    if isinstance(request_, RecommendRequest) and request_.user_id:
        assert not set(rows) & set(library.user("10").seen)
        assert library.catalogue.in_categories(["War"])[rows].all()
    asked_with = {*(getattr(request_, "history", None) or []), getattr(request_, "item_id", None)}
    assert not asked_with & {item.item_id for item in answer.items}


def test_the_fallback_has_pages_too(library: Recommender) -> None:
    whole = RecommendRequest(text="anything", k=9).fallback(library, "time_out").items
    assert RecommendRequest(text="anything", k=4, offset=5).fallback(library, "time_out").items == whole[5:]


def test_the_fallback_of_a_ranking_holds_all_items_and_that_of_interests_none(library: Recommender) -> None:
    ranked = RankRequest(user_id="10", item_ids=["2", "50", "1"]).fallback(library, "time_out")
    assert sorted(item.item_id for item in ranked.items) == ["1", "2", "50"]
    best = max(["1", "2", "50"], key=lambda item: library.list_builder.popularity[library.catalogue.row(item)])
    assert ranked.items[0].item_id == best
    assert InterestsRequest(text="x").fallback(library, "encoder_unavailable").interests == []
    for request in (
        HotTopicsRequest(user_id="10"),
        BrandsRequest(user_id="10"),
        SimilarUsersRequest(user_id="10"),
        AudienceRequest(item_id="50"),
    ):
        answer = request.fallback(library, "time_out")
        assert not any(isinstance(part, list) and part for part in answer.model_dump().values())
        assert answer.fallback
    with pytest.raises(ApiError, match="1 of 1 items"):
        RankRequest(user_id="10", item_ids=["gone"]).fallback(library, "time_out")


def test_the_fallback_obeys_the_rules(library: Recommender) -> None:
    asked = {
        "caps": {"theme": 1},
        "must_include": {"1682": {"worst": 1}},
        "boosts": [{"chosen_by_at_most": 3, "plus": 2}],
    }
    answer = RecommendRequest(user_id="10", k=5, rules=asked).fallback(library, "time_out")
    rows = [library.catalogue.row(item.item_id) for item in answer.items]
    assert answer.items[0].item_id == "1682"
    assert len(set(library.themes.of_item[rows, 2])) == len(rows) > 1
    assert (library.list_builder.chosen_by[rows[1:]] <= 3).all()


@pytest.mark.slow
def test_a_request_that_takes_too_long_is_answered_by_the_fallback(release, monkeypatch, tmp_path) -> None:
    from services.recommender import Recommender as Service

    monkeypatch.setenv("STRATA_RELEASE", str(release))
    monkeypatch.setenv("STRATA_JOURNAL", str(tmp_path / "journal.sqlite"))
    service = Service.inner()

    async def ask(k: int, time_out: float) -> Items:
        answering = service.answering
        limits = {"time_out": 30, "time_out" if k < 100 else "heavy_time_out": time_out}
        answering.settings = service.settings.model_copy(update=limits)
        request = RecommendRequest(user_id="10", k=k)
        busy = []
        if time_out < 1:  # all threads of its lane are busy with something slow
            busy = [asyncio.create_task(answering.lanes.run(request.cost, time.sleep, 1)) for _ in range(2)]
            await asyncio.sleep(0)
        found = Items.model_validate_json((await service._answer("/recommend", request)).body)
        await asyncio.gather(*busy)
        return found

    for k in (10, 1000):
        assert asyncio.run(ask(k, 30)).fallback is False
        late = asyncio.run(ask(k, 0.2))
        assert (late.fallback, late.fallback_cause, len(late.items)) == (True, "time_out", k)


def run(limits: Limits, path: str, receive) -> tuple[int, dict]:
    sent = []

    async def send(message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "headers": []}
    asyncio.run(limits(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"])


async def _ok(scope, receive, send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})


def test_above_its_concurrency_it_says_too_many_but_answers_probes() -> None:
    limits = Limits(_ok, ServiceSettings(concurrency=1))
    limits._in_flight = 1

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    status, headers = run(limits, "/recommend", receive)
    assert (status, headers[b"retry-after"]) == (429, b"1")
    assert run(limits, "/livez", receive)[0] == 200


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"content-type": "text/plain"}, "text/plain"),
        ({"content-type": "application/x-www-form-urlencoded"}, "form"),
        ({"content-type": "application/json; charset=utf-16"}, "utf-16"),
        ({}, "none"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "compressed"),
        ({"content-type": "application/json", "content-encoding": "br"}, "compressed"),
    ],
)
def test_what_is_not_plain_json_is_415(headers: dict[str, str], told: str) -> None:
    for size in ({"content-length": "2"}, {"transfer-encoding": "chunked"}):
        sent = [(name.encode(), value.encode()) for name, value in {**headers, **size}.items()]
        with pytest.raises(ApiError, match=told) as refused:
            check_media_type({"headers": sent})
        assert refused.value.status == 415
    check_media_type({"headers": []})  # nothing is sent, so nothing is wrong


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_is_json_however_it_is_spelt(kind: str) -> None:
    check_media_type({"headers": [(b"content-type", kind.encode()), (b"content-length", b"2")]})


def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async def stalled() -> dict:
        await asyncio.sleep(60)
        return {}

    limits = Limits(_ok, ServiceSettings(time_out=0.05))
    assert run(limits, "/recommend", stalled)[0] == 408
    assert limits._in_flight == 0


def test_settings_come_from_the_environment_and_wrong_ones_are_named() -> None:
    given = ServiceSettings.from_environment({"STRATA_TIME_OUT": "1.5", "STRATA_RELEASE": "/r", "STRATA_OTHER": "1"})
    assert (given.time_out, str(given.release)) == (1.5, "/r")
    with pytest.raises(SettingsError, match="STRATA_BODY_LIMIT: Input should be a valid integer"):
        ServiceSettings.from_environment({"STRATA_BODY_LIMIT": "big"})
