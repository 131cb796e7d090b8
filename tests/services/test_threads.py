"""One thread of BLAS and OpenMP for each that answers, or as many as the operator says; the encoder keeps its own."""

from pathlib import Path

import psutil
import pytest

from tests.services.serving import ROOT, Server, serving

pytestmark = pytest.mark.slow
INSIDE = ("tests.services.inside:Recommender", "--working-dir", str(ROOT))
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@pytest.fixture(autouse=True)
def _nobody_has_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def pools(server: Server) -> dict[str, set[int]]:
    """Numbers of threads that libraries of each kind have in an API worker."""
    found: dict[str, set[int]] = {}
    for pool in server.get("/pools").json():
        found.setdefault(pool["user_api"], set()).add(pool["num_threads"])
    return found


def seconds(process: psutil.Process) -> dict[int, float]:
    """Processor time of each thread of a process."""
    return {thread.id: thread.user_time + thread.system_time for thread in process.threads()}


def test_an_answer_has_one_thread_and_the_encoder_has_those_of_its_settings(release: Path, tmp_path: Path) -> None:
    with serving(tmp_path, *INSIDE, environment={"STRATA_RELEASE": release}) as server:
        assert pools(server) == {"blas": {1}, "openmp": {1}}
        encoder = server.worker("encoder")
        before = seconds(encoder)
        for number in range(40):
            # Of a short text the first thread does most alone.
            text = f"{number} " + "slow films about space, loneliness and all that travellers leave behind " * 12
            assert server.post("/search", json={"text": text, "k": 1}).json()["fallback"] is False
        spent = sorted((value - before.get(thread, 0.0) for thread, value in seconds(encoder).items()), reverse=True)
        assert spent[1] > 0.3 * spent[0] > 0  # both compute: one alone would leave the other idle


def test_what_the_operator_sets_holds(release: Path, tmp_path: Path) -> None:
    environment = {"STRATA_RELEASE": release, "OMP_NUM_THREADS": "2"}
    with serving(tmp_path, *INSIDE, environment=environment) as server:
        assert pools(server)["openmp"] == {2}
