"""What a release has, page by page, and lists of many users at once."""

import shutil
from pathlib import Path

import pytest

from services.endpoints.listing import MAP, theme_map
from services.errors import ApiError
from services.settings import ServiceSettings
from strata.recommendation.recommender import Recommender
from tests.services.serving import Server

pytestmark = pytest.mark.slow


def pages(server: Server, path: str, key: str, **wanted: object) -> list[dict]:
    """All pages of a listing as one."""
    found: list[dict] = []
    while True:
        answer = server.get(path, params={"offset": len(found), "limit": 97, **wanted})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["offset"] == len(found)
        found += page[key]
        if not page[key]:
            assert page["total"] == len(found)
            return found


def test_pages_of_items_hold_each_once_most_chosen_first(server: Server, library: Recommender) -> None:
    found = pages(server, "/items", "items")
    assert sorted(item["item_id"] for item in found) == library.catalogue.ids.tolist()
    counts = [item["chosen_by"] for item in found]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0


def test_items_are_found_by_category_title_and_id(server: Server, library: Recommender) -> None:
    first = pages(server, "/categories", "categories")[0]
    assert first["items"] == int(library.catalogue.in_categories([first["name"]]).sum())
    found = pages(server, "/items", "items", category=first["name"])
    assert len(found) == first["items"]
    assert all(first["name"] in item["categories"] for item in found)
    title = library.catalogue.titles[3]
    assert title in [item["title"] for item in pages(server, "/items", "items", title=title.upper())]
    ids = library.catalogue.ids[[5, 2, 9]].tolist()
    page = server.get("/items", params={"ids": [*ids[:2], "nobody knows", ids[2]]}).json()
    assert [item["item_id"] for item in page["items"]] == ids
    refused = server.get("/items", params={"category": "no such thing"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (404, "category")
    assert server.get("/items", params={"limit": 0}).json()["error"]["field"] == "limit"


def test_pages_of_users_hold_each_once_and_some_by_attribute(server: Server, library: Recommender) -> None:
    found = pages(server, "/users", "users")
    assert [user["user_id"] for user in found] == list(library.users)
    user = next(user for user in found if user["attributes"])
    assert sum(user["interests"].values()) == len(library.interests(user["user_id"]))
    key, value = next(iter(user["attributes"].items()))
    alike = pages(server, "/users", "users", attribute=f"{key}:{value}")
    assert user in alike
    assert [each for each in found if each["attributes"].get(key) == value] == alike
    assert pages(server, "/users", "users", attribute=f"{key}:no such value") == []
    assert server.get("/users", params={"attribute": "no colon"}).status_code == 422
    gone = found[-1]["user_id"]  # who was forgotten is on no page
    assert server.delete(f"/users/{gone}").status_code == 200
    assert pages(server, "/users", "users") == found[:-1]


def test_the_map_has_every_topic_in_its_place(server: Server, library: Recommender) -> None:
    found = server.get("/map").json()
    assert {topic["id"] for topic in found["topics"]} == set(library.themes.at("topic")["id"])
    assert all(0 <= topic["x"] <= found["width"] and 0 <= topic["y"] <= found["height"] for topic in found["topics"])


def test_a_map_that_was_changed_is_not_shown(library: Recommender, release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "release"))
    settings = ServiceSettings(release=copy)
    assert theme_map(library.manifest.id, settings).topics
    (copy / MAP).write_bytes((copy / MAP).read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(ApiError, match="no map"):
        theme_map(library.manifest.id, settings)


def test_evidence_comes_with_its_titles(server: Server, library: Recommender) -> None:
    answer = server.post("/interests", json={"user_id": library.richest_user()}).json()
    evidence = {id for each in (*answer["interests"], *answer["dislikes"]) for id in each["evidence"]}
    assert answer["titles"] == {id: library.catalogue.title_of(id) for id in evidence}


def test_many_lists_are_those_of_each_user(server: Server, library: Recommender) -> None:
    users = [*list(library.users)[:4], "nobody of whom we know"]
    answer = server.post("/recommend/batch", json={"user_ids": users, "k": 5}).json()
    assert answer["fallback"] is False
    assert [each["user_id"] for each in answer["lists"]] == users
    for user, each in zip(users, answer["lists"], strict=True):
        alone = server.post("/recommend", json={"user_id": user, "k": 5}).json()
        assert (each["items"], each["list_id"], each["known"]) == (
            alone["items"], alone.get("list_id"), alone["known"],
        )  # fmt: skip
    assert not answer["lists"][-1]["known"]
    twice = server.post("/recommend/batch", json={"user_ids": ["10", "10"]})
    assert (twice.status_code, twice.json()["error"]["field"]) == (422, "user_ids")
    unknown = server.post("/recommend/batch", json={"user_ids": ["10"], "filters": {"exclude_items": ["no such"]}})
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (404, "filters.exclude_items")


def test_without_a_registry_there_is_nothing_to_promote(server: Server) -> None:
    for answer in (
        server.get("/releases"),
        server.post("/releases/promote", json={"release": "0123456789ab"}),
        server.post("/releases/rollback"),
        server.delete("/releases/shadow"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_registry")
