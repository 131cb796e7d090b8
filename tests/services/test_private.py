"""With a key, users are pseudonyms behind the service; personal data leaves texts before they are kept."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from services.fields import pseudonyms
from services.releases import rehearsed
from strata.errors import ReleaseError
from strata.online.pseudonyms import FORM, VARIABLE, Pseudonyms
from strata.recommendation.recommender import Recommender
from strata.release.layout import Part
from strata.release.manifest import MANIFEST, read_manifest, write_release
from tests.services.serving import SERVICE, Server, serving

KEY = "a key of some length for these tests"
USER, EMAIL = "canary-user@example.org", "zorro.canary@example.net"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("private")


@pytest.fixture(scope="module")
def private(release: Path, home: Path) -> Iterator[Server]:
    """A release that says it knows pseudonyms, served with a key."""
    copy, made = Path(shutil.copytree(release, home / "parts")), home / "release"
    params = yaml.safe_load((copy / Part.PARAMS).read_text(encoding="utf-8"))
    params["cleaning"]["pseudonymous"] = True
    (copy / Part.PARAMS).write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")
    former = read_manifest(release)
    parts = {path.name: path for path in copy.iterdir() if path.name != MANIFEST}
    write_release(made, parts, versions=former.versions, metrics=former.metrics)
    environment = {"STRATA_RELEASE": made, "STRATA_CLOCK": "data", "STRATA_WORKERS": "1", VARIABLE: KEY}
    with serving(home / "service", *SERVICE, environment=environment) as started:
        yield started


def test_neither_ids_nor_personal_data_are_kept(private: Server, library: Recommender, home: Path) -> None:
    item = str(library.catalogue.ids[0])
    sent = {"user_id": USER, "item_id": item, "behaviour": "comment", "text": f"mail me: {EMAIL}", "event_id": "c1"}
    for expected in ({"new": 1, "known": 0}, {"new": 0, "known": 1}):
        answer = private.post("/events", json={"events": [sent]})
        assert answer.status_code == 200, answer.text
        assert answer.json().items() >= expected.items()
    found = private.post("/interests", json={"user_id": USER}).json()
    assert found["known"]
    assert [point["evidence"] for point in found["interests"]] == [[item]]
    own = private.get(f"/users/{USER}").json()
    assert FORM.fullmatch(own["user_id"])
    assert own["user_id"] == Pseudonyms(KEY).of(USER)
    assert own["since"][0]["text"] == "mail me: ⟨e-mail⟩"
    assert private.get(f"/users/{own['user_id']}").json()["since"] == own["since"]
    topic = found["interests"][0]["topic_id"]
    correction = {"user_id": USER, "action": "pin", "topic_id": topic, "by": USER, "note": f"says {EMAIL}"}
    assert private.post("/corrections", json=correction).status_code == 200
    talk = private.post("/chat", json={"say": f"show me comedies, or write to {EMAIL}", "k": 3}).json()
    assert talk["wants"] == ["comedies"]
    assert private.metric("strata_scrubbed_total", kind="e-mail") >= 3
    for path in filter(Path.is_file, (home / "service").rglob("*")):
        content = path.read_bytes()
        assert USER.encode() not in content, path
        assert EMAIL.encode() not in content, path


def test_a_release_of_ids_is_refused_where_there_is_a_key(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    pseudonyms.cache_clear()
    try:
        with pytest.raises(ReleaseError, match="knows users by their ids, and STRATA_PSEUDONYM_KEY is set; unset it"):
            rehearsed(release)
    finally:
        pseudonyms.cache_clear()
