"""Items that come, change and go while a release serves, with two workers: in the next answer of each, or gone."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from strata.release.manifest import write_release
from strata.release.registry import Registry
from tests.services.serving import ONLY, Server, serving
from tests.services.workers import INSIDE, of_each_worker

pytestmark = pytest.mark.slow
Both = list[httpx.Client]


@pytest.fixture(scope="module")
def registry(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A store with two releases; the second has other parameters."""
    folder = tmp_path_factory.mktemp("store")
    other = shutil.copytree(release, folder / "other")
    with (other / "params.yaml").open("a") as params:
        params.write("# of the second release\n")
    (other / "manifest.json").unlink()
    parts = {path.relative_to(other).as_posix(): path for path in other.rglob("*") if path.is_file()}
    write_release(folder / "second", parts, versions={}, metrics={})
    registry = Registry(folder / "releases")
    registry.promote(registry.add(release))
    registry.add(folder / "second")
    return registry


@pytest.fixture(scope="module")
def live(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two workers that follows the registry; its clock runs on from the end of the data."""
    environment = {"STRATA_RELEASES": registry.folder, "STRATA_CLOCK": "data", "STRATA_WORKERS": "2"}
    with serving(tmp_path_factory.mktemp("items"), *INSIDE, environment=environment) as started:
        yield started


@pytest.fixture(scope="module")
def both(live: Server) -> Iterator[Both]:
    """A client of each worker."""
    with of_each_worker(live, 2) as clients:
        yield clients


def post(live: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = live.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert not answer.json().get("fallback"), answer.text
    return answer.json()


def ids(live: httpx.Client, path: str, **body: Any) -> list[str]:
    return [item["item_id"] for item in post(live, path, **body)["items"]]


def like(library: Recommender, item_id: str, new_id: str) -> dict[str, Any]:
    """An item that says what another says."""
    row = library.catalogue.items.row(library.catalogue.row(item_id), named=True)
    said = {name: row[name] for name in ("title", "description", "categories", "tags", "brand") if row[name]}
    return {"item_id": new_id, **said}


def test_a_new_item_is_in_the_next_answers_of_both_workers(live: Server, both: Both, library: Recommender) -> None:
    user = library.richest_user()
    liked = library.recommend(user, ListRequest(k=1))[0].item_id
    saturn = {"item_id": "saturn", "title": "Voyage to the rings of Saturn", "categories": ["Sci-Fi"]}
    kept = post(live, "/items", items=[saturn, like(library, liked, "twin")])
    assert kept == {"new": 2, "known": 0, "waiting": 0, "unknown": 0}
    for worker in both:
        assert ids(worker, "/search", text="rings of saturn", k=3)[0] == "saturn"
        assert "twin" in ids(worker, "/similar_items", item_id=liked, k=3)
        assert "twin" in ids(worker, "/recommend", user_id=user, k=1000, explain=False)
    facts = live.get("/items/saturn").json()
    assert (facts["title"], facts["available"], facts["since_release"]) == (saturn["title"], True, True)
    assert facts["language"] == "en"
    assert facts["topic"]


def test_what_people_do_with_it_counts_at_once(live: Server, both: Both, library: Recommender) -> None:
    post(live, "/items", items=[{"item_id": "loved", "title": "A musical about a teapot", "categories": ["Musical"]}])
    event = {"user_id": "fan", "item_id": "loved", "behaviour": "like"}
    assert post(live, "/events", events=[event])["unknown_items"] == 0
    for worker in both:
        (point,) = post(worker, "/interests", user_id="fan")["interests"]
        assert point["evidence"] == ["loved"]


def test_a_removed_item_is_gone_at_once_from_both_workers_and_may_come_back(
    live: Server, both: Both, library: Recommender
) -> None:
    user = library.richest_user()
    first = ids(live, "/recommend", user_id=user, k=5, explain=False)[0]
    title = library.catalogue.title_of(first)
    assert first in ids(live, "/search", text=title, k=5)
    assert post(live, "/items", remove=[first, "never there"])["unknown"] == 1
    for worker in both:
        assert first not in ids(worker, "/recommend", user_id=user, k=300, explain=False)
        assert first not in ids(worker, "/search", text=title, k=50)
    facts = live.get(f"/items/{first}").json()
    assert (facts["available"], facts["since_release"]) == (False, False)
    assert facts["removed_at"]
    post(live, "/items", items=[like(library, first, first)])
    for worker in both:
        assert first in ids(worker, "/search", text=title, k=5)


def test_an_item_of_a_time_to_come_is_kept_for_then(live: Server, both: Both) -> None:
    later = {"item_id": "later", "title": "Festival of zithers", "created_at": "2090-01-01T00:00:00Z"}
    past = {"item_id": "past", "title": "Festival of bagpipes", "created_at": "0001-01-01T00:00:00+14:00"}
    post(live, "/items", items=[later, past])
    for worker in both:
        assert "later" not in ids(worker, "/search", text="festival of zithers")
    assert ids(live, "/search", text="festival of bagpipes")[0] == "past"
    assert live.get("/items/later").json()["available"] is False


def test_a_change_sent_again_changes_nothing_and_another_under_its_id_is_refused(live: Server) -> None:
    item = {"item_id": "again", "title": "Once more", "change_id": "c-again"}
    assert post(live, "/items", items=[item])["new"] == 1
    assert post(live, "/items", items=[item]) == {"new": 0, "known": 1, "waiting": 0, "unknown": 0}
    answer = live.post("/items", json={"items": [{**item, "title": "Something else"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "id_taken")
    assert live.get("/items/again").json()["title"] == "Once more"


def test_an_error_names_the_item_and_its_field(live: Server) -> None:
    for wrong, field in (
        ({"price": -1}, "items[1].price"),
        ({"language": "English!"}, "items[1].language"),
        ({"created_at": "2020-01-01"}, "items[1].created_at"),
        ({"colour": "red"}, "items[1].colour"),
        ({"categories": ["x", ""]}, "items[1].categories[1]"),
    ):
        answer = live.post("/items", json={"items": [{"item_id": "a"}, {"item_id": "b", **wrong}]})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field), answer.text
    assert live.get("/items/b").status_code == 404
    many = [{"item_id": f"m{n}"} for n in range(201)]
    assert live.post("/items", json={"items": many}).status_code == 422
    assert live.post("/items", json={"items": [{"item_id": "a"}]}, headers=ONLY["read"]).status_code == 403


def test_texts_are_cleaned_and_without_any_the_id_stands(live: Server) -> None:
    written = {"item_id": "html", "title": "<i>Caf\u00e9</i> &amp; bar\u0000", "language": "EN", "tags": ["a", "a"]}
    post(live, "/items", items=[written, {"item_id": "mute", "price": 3}])
    facts = live.get("/items/html").json()
    assert (facts["title"], facts["language"], facts["tags"]) == ("Café & bar", "en", ["a"])
    assert live.get("/items/mute").json()["title"] == "mute"


def test_two_hundred_items_at_once_are_served_by_both(live: Server, both: Both) -> None:
    many = [{"item_id": f"h{n}", "title": f"Almanac of oddities, volume {n}"} for n in range(200)]
    assert post(live, "/items", items=many)["waiting"] == 0
    for n, worker in enumerate(both, start=100):
        assert f"h{n}" in ids(worker, "/search", text=f"almanac of oddities, volume {n}", k=10)


def test_after_another_release_the_items_are_still_there(live: Server, both: Both, registry: Registry) -> None:
    post(live, "/items", items=[{"item_id": "lasting", "title": "Chronicle of the glass harmonica"}], remove=["50"])
    first, second = (entry.id for entry in registry.list())
    for release in (second, first):
        registry.promote(release)
        for worker in both:
            while worker.get("/release").json()["release"] != release:
                time.sleep(0.1)
            found = post(worker, "/search", text="chronicle of the glass harmonica", k=3)
            assert (found["release"], found["items"][0]["item_id"]) == (release, "lasting")
            assert "50" not in ids(worker, "/search", text="Star Wars", k=50)
            assert worker.get("/items/lasting").json()["release"] == release
