"""Releases while serving: swapped and rolled back whole, refused by name when damaged; encoders may die."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from services.settings import ServiceSettings
from strata.release.manifest import read_manifest, write_release
from strata.release.registry import POINTER, Registry
from tests.services.serving import BEARER, SERVICE, Server, serving

pytestmark = pytest.mark.slow
QUESTIONS = [
    ("/recommend", {"user_id": "10", "k": 50}),
    ("/recommend", {"history": ["1", "50", "172"], "k": 50}),
    ("/recommend", {"text": "space opera", "k": 50}),
    ("/rank", {"user_id": "10", "item_ids": ["1", "50", "2"]}),
    ("/interests", {"user_id": "10"}),
    ("/search", {"text": "a musical about a teapot", "k": 5}),
]


@pytest.fixture(scope="module")
def registry(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A store with two releases; the second ranks by interests alone."""
    folder = tmp_path_factory.mktemp("store")
    other = shutil.copytree(release, folder / "other")
    params = (other / "params.yaml").read_text()
    (other / "params.yaml").write_text(params.replace("method: best", "method: interests"))
    (other / "manifest.json").unlink()
    parts = {path.relative_to(other).as_posix(): path for path in other.rglob("*") if path.is_file()}
    write_release(folder / "second", parts, versions={}, metrics={})
    registry = Registry(folder / "releases")
    registry.promote(registry.add(release))
    registry.add(folder / "second")
    return registry


@pytest.fixture(scope="module")
def followed(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that follows the registry."""
    home = tmp_path_factory.mktemp("follower")
    with serving(
        home,
        *SERVICE,
        environment={"STRATA_RELEASES": registry.folder, "STRATA_ENCODER_TIME_OUT": "8", "STRATA_SHADOW_SHARE": "1"},
    ) as started:
        yield started


def answers(server: httpx.Client) -> list[dict]:
    found = [server.post(path, json=request).json() for path, request in QUESTIONS]
    assert not any(answer["fallback"] for answer in found)
    for answer in found:
        answer.pop("list_id", None)  # each list has its own
    return found


def wait_for(server: Server, release: str) -> None:
    server.wait("/release", lambda answer: answer.json()["release"] == release)


def test_swap_and_roll_back_under_load_mix_nothing_and_restore_the_answers(
    followed: Server, registry: Registry
) -> None:
    first, second = (entry.id for entry in registry.list())
    before = answers(followed)

    def keep_asking(number: int) -> list[tuple[int, dict]]:
        seen = []
        with httpx.Client(base_url=followed.base_url, headers=BEARER, timeout=60) as client:
            for turn in range(30):
                place = (number + turn) % len(QUESTIONS)
                path, request = QUESTIONS[place]
                answer = client.post(path, json=request)
                assert answer.status_code == 200
                seen.append((place, answer.json()))
                time.sleep(0.05)
        return seen

    with ThreadPoolExecutor(6) as pool:
        load = [pool.submit(keep_asking, number) for number in range(6)]
        registry.promote(second)
        wait_for(followed, second)
        seen = [each for future in load for each in future.result()]
    after = answers(followed)
    assert {answer["release"] for answer in after} == {second}
    assert after[0]["items"] != before[0]["items"]
    assert {answer["release"] for _, answer in seen} <= {first, second}
    for place, answer in seen:
        expected = before if answer["release"] == first else after
        assert without_last_digits(answer) == without_last_digits(expected[place])

    assert registry.rollback() == first
    wait_for(followed, first)
    assert answers(followed) == before


def without_last_digits(answer: dict) -> object:
    """Texts that are read together share a batch, which moves the last digits of scores, and so the order of ties."""
    if "items" not in answer:
        return answer
    return sorted(item["item_id"] for item in answer["items"][:1])


def test_the_registry_is_listed_and_changed_over_the_api(followed: Server, registry: Registry) -> None:
    first, second = (entry.id for entry in registry.list())
    listed = followed.get("/releases").json()["releases"]
    assert [(each["release"], each["current"]) for each in listed] == [(first, True), (second, False)]
    assert followed.post("/releases/promote", json={"release": second}).status_code == 200
    wait_for(followed, second)
    refused = followed.post("/releases/promote", json={"release": "0123456789ab"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "registry")
    assert str(registry.folder) not in refused.text
    back = followed.post("/releases/rollback").json()["releases"]
    assert [each["release"] for each in back if each["current"]] == [first]
    wait_for(followed, first)


def test_a_release_in_the_shadow_answers_beside_and_nobody_sees_it(followed: Server, registry: Registry) -> None:
    first, second = (entry.id for entry in registry.list())
    wait_for(followed, first)
    users = [str(number) for number in range(1, 40)]
    before = [followed.post("/recommend", json={"user_id": user, "k": 7}).json()["items"] for user in users]
    assert followed.post("/releases/shadow", json={"release": second}).status_code == 200
    for _ in range(20):  # each worker loads it
        followed.wait("/release", lambda answer: answer.json()["shadow"] == second)
    after = [followed.post("/recommend", json={"user_id": user, "k": 8}).json() for user in users]
    assert {answer["release"] for answer in after} == {first}
    assert [answer["items"][:7] for answer in after] == before
    end = time.monotonic() + 30
    while followed.metric("strata_shadow_lists_total", outcome="compared") < 1 and time.monotonic() < end:
        time.sleep(0.2)
    compared = followed.metric("strata_shadow_lists_total", outcome="compared")
    assert compared >= 1
    assert followed.metric("strata_shadow_shared_count") == compared
    assert followed.metric("strata_shadow_shared_sum") < compared  # the other ranks by interests alone
    assert followed.delete("/releases/shadow").status_code == 200
    for _ in range(20):
        followed.wait("/release", lambda answer: answer.json()["shadow"] is None)


def test_a_flipped_byte_is_refused_by_name_and_the_former_release_serves_on(
    followed: Server, registry: Registry
) -> None:
    first, second = (entry.id for entry in registry.list())
    damaged = registry.folder / second / "items.faiss"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    failures = followed.metric("strata_release_load_failures_total")
    pointer = registry.folder / POINTER
    whole = pointer.read_text()
    # The registry itself would not point here: somebody else did, or the file was damaged afterwards.
    pointer.write_text(json.dumps({"current": second, "former": [first]}))
    status = followed.wait("/release", lambda answer: answer.json()["refused"] == second).json()
    assert status["release"] == first
    assert "items.faiss is not the file that was released" in status["refused_because"]
    refusals = followed.metric("strata_release_load_failures_total") - failures
    assert 1 <= refusals <= ServiceSettings().workers  # each API process counts its own, once
    assert "items.faiss" in followed.log.read_text()
    assert followed.get("/readyz").status_code == 200
    assert {answer["release"] for answer in answers(followed)} == {first}

    pointer.write_text("{")
    followed.wait("/release", lambda answer: "is not a pointer" in (answer.json()["refused_because"] or ""))
    pointer.write_text(whole)
    followed.wait("/release", lambda answer: answer.json()["refused"] is None)


def test_a_release_whose_encoder_is_broken_is_refused_and_no_step_of_a_roll_back(
    followed: Server, registry: Registry, release: Path, tmp_path: Path
) -> None:
    """Its manifest is sound: only who loads it can tell."""
    first = registry.list()[0].id
    broken = Path(shutil.copytree(release, tmp_path / "broken"))
    (broken / "manifest.json").unlink()
    (broken / "encoder" / "config.json").write_text("{}")
    parts = {path.relative_to(broken).as_posix(): path for path in broken.rglob("*") if path.is_file()}
    bad = write_release(tmp_path / "bad", parts, versions={}, metrics={}).id
    registry.add(tmp_path / "bad")
    registry.promote(bad)
    status = followed.wait("/release", lambda answer: answer.json()["refused"] == bad).json()
    assert "encoder" in status["refused_because"]
    assert status["release"] == first
    assert bad in registry.refused()
    assert registry.rollback() == first
    followed.wait("/release", lambda answer: answer.json()["refused"] is None)


def test_files_that_change_under_a_serving_release_change_nothing(followed: Server, registry: Registry) -> None:
    """They are overwritten and cut in place, and come back before the next test."""
    folder = registry.folder / registry.list()[0].id
    workers = {followed.worker(name).pid for name in ("recommender", "encoder")}
    asked = [*QUESTIONS, ("/similar_items", {"item_id": "50", "k": 20}), ("/search", {"text": "a new text", "k": 3})]
    before = [ids_of(followed.post(path, json=request).json()) for path, request in asked]
    whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    try:
        for path, content in whole.items():
            with path.open("r+b") as file:
                file.write(b"\xff" * len(content))
                file.truncate(len(content) // 2)
        asked_anew = [
            (path, {**request, "explain": False} if path == "/recommend" else request) for path, request in asked
        ]
        for turn in (asked, asked_anew):
            assert [ids_of(followed.post(path, json=request).json()) for path, request in turn] == before
        assert {followed.worker(name).pid for name in ("recommender", "encoder")} == workers
    finally:
        for path, content in whole.items():
            path.write_bytes(content)


def ids_of(answer: dict) -> list[str]:
    assert not answer["fallback"], answer["fallback_cause"]
    return [item["item_id"] for item in answer.get("items", [])[:1]]


def test_killing_the_encoder_costs_no_request(followed: Server) -> None:
    """Last of this module: the worker that takes over starts anew."""

    def text(number: int) -> dict:
        with httpx.Client(base_url=followed.base_url, headers=BEARER, timeout=60) as client:
            answer = client.post("/recommend", json={"text": f"text {number}", "k": 3})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == 3
        return answer.json()

    with ThreadPoolExecutor(8) as pool:
        worker = followed.worker("encoder")
        load = [pool.submit(text, number) for number in range(64)]
        worker.kill()
        user = followed.post("/recommend", json={"user_id": "10"})
        assert user.json()["fallback"] is False
        assert all(future.result()["items"] for future in load)
    while text(99)["fallback"]:
        time.sleep(0.5)
    assert followed.worker("encoder").pid != worker.pid


def test_without_any_release_it_is_not_ready_and_says_why(tmp_path: Path, release: Path) -> None:
    """The encoder is not waited for: nothing here needs it."""
    from services.releases import Releases
    from services.settings import ServiceSettings

    releases = Releases(ServiceSettings(releases=tmp_path / "store"))
    releases.start()
    assert releases.live is None
    assert "STRATA_RELEASES to a release registry" in releases.refused.reason

    broken = Path(shutil.copytree(release, tmp_path / "broken"))
    (broken / "space" / "items.npy").unlink()
    releases = Releases(ServiceSettings(release=broken))
    releases.start()
    assert (releases.live, releases.refused.release) == (None, read_manifest(release).id)
    assert "space/items.npy is missing" in releases.refused.reason
