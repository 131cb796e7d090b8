"""Logs: one JSON object a line, a line for each request, and nothing of what was asked, said or sent."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from strata.recommendation.recommender import Recommender
from tests.places import ROOT
from tests.services.serving import ONLY, TOKEN, Server, serving

pytestmark = pytest.mark.slow
INSIDE = ("tests.services.inside:Recommender", "--working-dir", str(ROOT))
CANARY = "quokka4711"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def inside(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"STRATA_RELEASE": release, "STRATA_WORKERS": "1"}
    with serving(tmp_path_factory.mktemp("inside"), *INSIDE, environment=environment) as started:
        yield started


def lines(server: Server) -> list[dict]:
    """The lines of the workers; what BentoML says before it has started them is for people."""
    time.sleep(0.3)
    found = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert found
    return found


def answered(server: Server, id: str) -> dict:
    (line,) = [line for line in lines(server) if line.get("request_id") == id and line["message"] == "answered"]
    return line


def test_a_request_has_an_id_in_its_answer_and_in_its_line(inside: Server, library: Recommender) -> None:
    answer = inside.post("/recommend", json={"user_id": "10", "k": 2}, headers={"X-Request-ID": "shop-17.a_b"})
    assert answer.headers["X-Request-ID"] == "shop-17.a_b"
    line = answered(inside, "shop-17.a_b")
    assert line.items() >= {
        "level": "INFO", "endpoint": "/recommend", "method": "POST", "status": 200,
        "token": "test-0", "release": library.manifest.id,
    }.items()  # fmt: skip
    assert 0 < line["ms"] < 60_000
    again = inside.post("/recommend", json={"user_id": "10", "k": 2})  # from memory
    made = again.headers["X-Request-ID"]
    assert answered(inside, made)["release"] == library.manifest.id
    assert inside.get("/livez").headers["X-Request-ID"] != made
    refused = httpx.get(str(inside.base_url.join("/nowhere")), headers={"X-Request-ID": "r-1"})
    assert (refused.status_code, refused.headers["X-Request-ID"]) == (401, "r-1")
    assert "token" not in answered(inside, "r-1")


@pytest.mark.parametrize("id", ["", "a b", 'a", "status": "200', "x" * 65, "a\tb", "../../x;"])
def test_ids_that_could_forge_a_line_are_replaced(inside: Server, id: str) -> None:
    made = inside.get("/livez", headers={"X-Request-ID": id}).headers["X-Request-ID"]
    assert made != id
    assert answered(inside, made)["endpoint"] == "/livez"


def test_nothing_that_was_sent_is_in_any_output(inside: Server) -> None:
    """Everything that a caller can put somewhere holds the canary: bodies good and bad, paths, headers, tokens."""
    text = f"films with a {CANARY}"
    bodies: list[tuple[str, dict]] = [
        ("/search", {"text": text}), ("/recommend", {"text": [text, text]}), ("/recommend", {"bio": text}),
        ("/recommend", {"user_id": CANARY}), ("/recommend", {"history": [CANARY]}), ("/interests", {"user_id": CANARY}),
        ("/interests", {"text": text, "summary": True}), ("/rank", {"user_id": "10", "item_ids": [CANARY]}),
        ("/recommend", {"user_id": "10", "filters": {"categories": [CANARY]}}), ("/recommend", {CANARY: 1}),
        ("/recommend", {"user_id": "10", "k": CANARY}), ("/chat", {"say": text}), ("/audience", {"text": text}),
        ("/chat", {"say": text, "session_id": CANARY}), ("/similar_users", {"user_id": CANARY}),
        ("/events", {"events": [{"user_id": CANARY, "item_id": "50", "behaviour": "comment", "text": text}]}),
        ("/events", {"events": [{"user_id": CANARY, "behaviour": "search", "text": text, "event_id": CANARY}]}),
        ("/events", {"events": [{"user_id": CANARY, "behaviour": "view", "item_id": "1", "event_id": CANARY}]}),
        ("/feedback", {"feedback": [{"user_id": CANARY, "reaction": "liked", "item_id": "50"}]}),
        ("/corrections", {"user_id": CANARY, "action": "rename", "topic_id": "topic-1", "value": CANARY, "by": CANARY}),
    ]  # fmt: skip
    for path, body in bodies:
        assert inside.post(path, json=body).status_code < 500, path
    for method, path in (
        ("GET", f"/users/{CANARY}"), ("DELETE", f"/users/{CANARY}"), ("DELETE", f"/chat/{CANARY}"),
        ("GET", f"/{CANARY}"), ("GET", f"/release?of={CANARY}"), ("POST", f"/recommend?{CANARY}"),
    ):  # fmt: skip
        inside.request(method, path)
    inside.post("/recommend", content=f'{{"user_id": "{CANARY}"', headers=JSON)
    inside.post("/recommend", content=CANARY, headers={"content-type": CANARY})
    inside.get("/release", headers={"Authorization": f"Bearer {CANARY}"})
    inside.get("/release", headers={"X-Request-ID": f"{CANARY} and more", "User-Agent": CANARY, "Cookie": CANARY})
    for path in ("/raise", "/log"):  # the faults are there, their messages are not
        assert inside.post(path, content=text, headers=JSON).status_code == (500 if path == "/raise" else 200)
    written = inside.log.read_text()
    told = [line for line in lines(inside) if "ValueError" in json.dumps(line)]
    assert len(told) == 2
    assert all("inside.py" in json.dumps(line) and line["request_id"] for line in told)
    secrets = (CANARY, TOKEN, *(headers["Authorization"].split()[1] for headers in ONLY.values()))
    assert not [secret for secret in secrets if secret in written]


def test_every_line_of_the_workers_is_json(inside: Server) -> None:
    written = inside.log.read_text().splitlines()
    others = [line for line in written if not line.startswith("{")]
    assert all(line.startswith("2") and "[cli]" in line for line in others if line), others
    assert {"time", "level", "logger", "process", "message"} <= set.intersection(*map(set, lines(inside)))
