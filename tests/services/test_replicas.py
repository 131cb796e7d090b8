"""Two replicas behind one Redis and one encoder: what one keeps, the other answers by in the next request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from strata.recommendation.recommender import Recommender
from tests.online.servers import RedisServer
from tests.services.serving import ROOT, SERVICE, Server, serving

pytestmark = pytest.mark.slow
ENCODER = ("services.encoder:Encoder", "--working-dir", str(ROOT))


@pytest.fixture(scope="module")
def replicas(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server, Server]]:
    """Two servers with one worker each, and the encoder they share."""
    home = tmp_path_factory.mktemp("replicas")
    redis = RedisServer(home / "redis")
    shared = {"STRATA_RELEASE": release, "STRATA_CLOCK": "data", "STRATA_JOURNAL": redis.url, "STRATA_WORKERS": "1"}
    try:
        with serving(home / "encoder", *ENCODER, environment={"STRATA_RELEASE": release}) as encoder:
            told = {**shared, "STRATA_ENCODER_URL": str(encoder.base_url)}
            with (
                serving(home / "one", *SERVICE, environment=told) as one,
                serving(home / "other", *SERVICE, environment=told) as other,
            ):
                yield one, other, encoder
    finally:
        redis.stop()


def test_what_one_keeps_the_other_answers_by(replicas: tuple[Server, Server, Server], library: Recommender) -> None:
    one, other, _ = replicas
    user = library.richest_user()
    for turn in range(10):
        asked, told = (one, other) if turn % 2 else (other, one)
        first = asked.post("/recommend", json={"user_id": user, "k": 1}).json()["items"][0]["item_id"]
        event = {"user_id": user, "item_id": first, "behaviour": "hide", "event_id": f"hide-{turn}"}
        assert told.post("/events", json={"events": [event]}).json()["new"] == 1
        assert asked.post("/events", json={"events": [event]}).json() == {
            "new": 0, "known": 1, "unknown_items": 0, "future": 0,
        }  # fmt: skip
        found = asked.post("/recommend", json={"user_id": user, "k": 20}).json()["items"]
        assert first not in [item["item_id"] for item in found]


def test_an_item_that_one_is_told_of_the_other_finds_and_who_is_forgotten_is_so_in_both(
    replicas: tuple[Server, Server, Server],
) -> None:
    one, other, _ = replicas
    item = {"item_id": "new-1", "title": "A teapot that sings of the sea", "categories": ["Musical"]}
    assert one.post("/items", json={"items": [item]}).json()["new"] == 1
    found = other.post("/search", json={"text": "a teapot that sings of the sea", "k": 1}).json()
    assert (found["fallback"], found["items"][0]["item_id"]) == (False, "new-1")
    event = {"user_id": "passing", "item_id": "new-1", "behaviour": "like"}
    one.post("/events", json={"events": [event]})
    assert other.post("/interests", json={"user_id": "passing"}).json()["known"]
    assert other.delete("/users/passing").json()["records"] == 1
    assert not one.post("/interests", json={"user_id": "passing"}).json()["known"]


def test_neither_has_an_encoder_of_its_own_and_without_the_shared_one_users_are_answered(
    replicas: tuple[Server, Server, Server], library: Recommender
) -> None:
    one, _, encoder = replicas
    with pytest.raises(StopIteration):
        one.worker("encoder")
    encoder.process.terminate()
    encoder.process.wait(30)
    lost = one.post("/search", json={"text": "nobody reads this", "k": 2}).json()
    assert (lost["fallback"], lost["fallback_cause"]) == (True, "encoder_unavailable")
    known = one.post("/recommend", json={"user_id": list(library.users)[3]}).json()
    assert known["fallback"] is False
    assert "encoder" in one.wait("/readyz", lambda answer: answer.status_code == 503).text
