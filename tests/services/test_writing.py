import time
from pathlib import Path

import pytest
from fastapi.responses import JSONResponse

from services.writing import summary_of, written
from strata.generation.gathering import summary_evidence
from strata.generation.templates import template
from strata.interests.wording import Wording
from strata.recommendation.loading import load_recommender
from tests.generation.releases import release_written_at
from tests.generation.speaking import speaking

SAID = "Loves garden pieces."


def test_a_summary_that_comes_too_late_is_shown_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(body: object) -> str:
        time.sleep(0.5)
        return SAID

    with speaking(slowly) as speaker:
        folder = release_written_at(speaker.url, tmp_path, wait=0.1)
        monkeypatch.setenv("STRATA_RELEASE", str(folder))
        release = load_recommender(folder)
        levels = release.levels("u0")
        evidence = summary_evidence(levels.points.iter_rows(named=True), release.catalogue, "en", {})
        assert summary_of(levels, release) == template(evidence.screened())
        until = time.monotonic() + 30
        while summary_of(levels, release) != SAID:
            assert time.monotonic() < until
        assert len(speaker.bodies) == 1


def test_a_wrong_key_stops_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking(lambda body: JSONResponse({}, 401)) as speaker:
        folder = release_written_at(speaker.url, tmp_path, wait=30)
        monkeypatch.setenv("STRATA_RELEASE", str(folder))
        release = load_recommender(folder)
        said = summary_of(release.levels("u0"), release)
    assert said.startswith("Comes back to Music")
    assert len(speaker.bodies) == 1


def test_what_ships_with_a_release_is_shown_while_its_evidence_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release_written_at("http://127.0.0.1:9/v1", tmp_path)
    monkeypatch.setenv("STRATA_RELEASE", str(folder))
    release = load_recommender(folder)
    evidence, other = (
        summary_evidence(release.levels(user).points.iter_rows(named=True), release.catalogue, "en", said)
        for user, said in (("u0", {}), ("u0", {"profile_text": "I grow roses"}))
    )
    release.__dict__["wording"] = Wording({evidence.screened().key: SAID})
    assert written(evidence, release) == SAID
    assert written(other, release) == template(other.screened())
