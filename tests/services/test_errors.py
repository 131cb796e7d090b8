"""What is refused is told: nulls, keys that are there twice, unknown categories, places that cannot hold, odd JSON."""

import json
import re

import pytest

from strata.recommendation.recommender import Recommender
from tests.services.serving import Server
from tests.services.test_api import ENDPOINTS, ask, assert_refused, ids

pytestmark = pytest.mark.slow
JSON = {"content-type": "application/json"}


def test_null_is_as_good_as_absent_in_every_field(server: Server) -> None:
    description = server.get("/openapi.json").json()
    for path in ENDPOINTS:
        body = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = description["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        asked = schema["examples"][0]
        nulls = {name: None for name in schema["properties"] if name not in schema.get("required", ())}
        answers = [server.post(path, json=request) for request in (asked, {**nulls, **asked})]
        assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
        first, second = ({**answer.json(), "list_id": None} for answer in answers)  # each list has its own
        assert first == second
    deep = {"user_id": "10", "filters": {"price": None, "categories": None, "exclude_items": None, "inferred": None}}
    assert ask(server, "/recommend", **deep)["items"] == ask(server, "/recommend", user_id="10")["items"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"user_id": "10", "k": 1, "k": 2}', "k"),
        (b'{"user_id": "10", "user_id": "11"}', "user_id"),
        (b'{"history": ["1", {"item_id": "1", "item_id": "2"}]}', "history[1].item_id"),
        (b'{"user_id": "10", "filters": {"price": {"lowest": 1, "lowest": 2}}}', "filters.price.lowest"),
        (b'{"k": 1, "k": 1, "user_id": "10", "nonsense": 1}', "k"),
    ],
)
def test_a_key_that_is_there_twice_is_told(server: Server, content: bytes, field: str) -> None:
    answer = server.post("/recommend", content=content, headers=JSON)
    assert_refused(answer, 422, field=field)
    assert answer.json()["error"]["code"] == "duplicate_key"


def test_an_unknown_category_is_told_the_nearest_there_are(server: Server) -> None:
    def message(name: str) -> str:
        answer = server.post("/recommend", json={"user_id": "10", "filters": {"categories": [name]}})
        assert answer.json()["error"]["code"] == "unknown_category"
        return answer.json()["error"]["message"]

    assert "nearest: 'Comedy'" in message("comedy")
    assert "'Sci-Fi'" in message("scifi")
    assert "there are: 'Action'" in message("qq")


def test_what_must_be_included_is_at_its_place(server: Server, library: Recommender) -> None:
    user = library.richest_user()
    unseen = ids(ask(server, "/recommend", user_id=user, k=200))[-3:]
    rules = {"must_include": {item: {"worst": place} for place, item in enumerate(unseen, 1)}}
    assert ids(ask(server, "/recommend", user_id=user, k=10, rules=rules))[:3] == unseen


@pytest.mark.parametrize(
    "text", [b"\xef\xbb\xbf{}", b'{"k": ' + b"1" * 5_000 + b"}", b'{"user_id": "\xc0\x80"}', "{}".encode("utf-16")]
)
def test_what_is_not_json_in_utf_8_is_malformed(server: Server, text: bytes) -> None:
    answer = server.post("/recommend", content=text, headers=JSON)
    assert_refused(answer, 400)
    assert answer.json()["error"]["code"] == "malformed"


@pytest.mark.parametrize(
    "request_",
    [
        {"history": [str(n) for n in range(100_000)]},
        {"user_id": "10", "filters": {"exclude_items": [str(n) for n in range(100_000)]}},
        {"user_id": "10'; DROP TABLE users; --"},
        {"text": "<script>alert(1)</script> films' OR '1'='1"},
        {"bio": "\u0000\u0001\u202e %s %n {0} ${jndi:ldap://x} ../../etc/passwd"},
        {"user_id": "10", "k": 10**40},
        {"user_id": "10", "diversity": 1e308},
        {"user_id": "10", "rules": {"must_include": {f"item-{n}": {} for n in range(5_000)}}},
    ],
)
def test_poison_is_refused_by_its_field_or_answered_sanely(server: Server, request_: dict) -> None:
    answer = server.post("/recommend", json=request_)
    assert answer.status_code in {200, 404, 413, 422}
    if answer.status_code in {404, 422}:
        assert_refused(answer, answer.status_code, field=answer.json()["error"]["field"])
        assert answer.json()["error"]["field"]
    assert server.post("/recommend", json={"user_id": "10", "k": 1}).status_code == 200


@pytest.mark.parametrize("deep", ["[" * 50_000, '{"filters":' * 20_000, '{"history": [' + "[" * 900 + "]" * 900 + "]}"])
def test_deep_json_is_refused(server: Server, deep: str) -> None:
    answer = server.post("/recommend", content=deep, headers=JSON)
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_errors_tell_nothing_of_the_inside(server: Server, path: str) -> None:
    """No names of classes, functions or files, whatever is sent, and never a 5xx."""
    values = (None, True, 0, 1.5, "x", "", [], [[]], {}, {"a": 1}, [None], [{}], 10**30, -1)
    names = ("user_id", "history", "text", "bio", "k", "filters", "rules", "at", "item_ids", "item_id", "tier_mix")
    inside = re.compile(r"‹|\(\)|Request\b|instance of|dictionary|Traceback|\.py\b|services|pydantic")
    for content in (json.dumps({"user_id": "10", name: value}) for name in names for value in values):
        answer = server.post(path, content=content, headers=JSON)
        assert answer.status_code < 500, content
        if answer.status_code >= 400:
            error = answer.json()["error"]
            assert not inside.search(f"{error['message']} {error['remedy']}"), (content, error)
