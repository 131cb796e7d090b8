"""The commands that docs/operations.md gives for forgetting somebody leave nothing of them anywhere."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from prefect.settings import get_current_settings

from flows.ingest import ingest
from flows.leash import environment
from flows.refresh import refresh
from tests.flows.test_ingest import Shop, correction, event, pristine_shop, shop  # noqa: F401
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("server")
CANARY = "canary-of-the-forgotten"


def commands() -> str:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    return re.search(r"<!-- purge -->\n```sh\n(.*?)```", text, re.DOTALL)[1]


def holding(folder: Path) -> list[str]:
    """Files below a folder, and objects of git there, in which the canary stands."""
    found = []
    for path in filter(Path.is_file, folder.rglob("*")):
        content = path.read_bytes()
        if content[:4] == b"PAR1":
            content = str(pl.read_parquet(path).rows()).encode()
        if CANARY.encode() in content:
            found.append(str(path.relative_to(folder)))
    for repository in folder.rglob(".git"):
        command = ["git", "cat-file", "--batch-all-objects", "--unordered", "--batch"]
        objects = subprocess.run(command, cwd=repository.parent, capture_output=True, check=True).stdout
        found += [f"git of {repository.parent.name}"] * (CANARY.encode() in objects)
    return found


def database() -> bytes:
    """All that Prefect's server keeps of flows, runs, logs and artifacts."""
    url = get_current_settings().server.database.connection_url
    assert url is not None
    file = Path(url.get_secret_value().partition("///")[2])
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))


@pytest.mark.slow
def test_after_the_documented_commands_nothing_is_left(shop: Shop, tmp_path: Path) -> None:  # noqa: F811
    shop.run("dvc", "remote", "add", "-d", "store", str(tmp_path / "remote"))
    shop.commit("remote")
    shop.keep(event("e1"), event("e2", CANARY), correction(CANARY), correction("u1"))
    ingest(shop.address, shop.folder, deployment="ingest")
    refresh(shop.folder, deployment="nightly")
    before = holding(tmp_path)
    assert any(path.startswith("remote") for path in before)
    assert any("/.dvc/cache/" in path for path in before)
    assert "git of shop" in before
    shop.forget(CANARY)
    script = "set -e\n" + commands()
    binaries = f"PATH={Path(sys.executable).parent}:$PATH"
    env = {**environment(), "PYTHONPATH": str(ROOT), "STRATA_JOURNAL": shop.address}
    env |= {"PREFECT_API_URL": str(get_current_settings().api.url), "GIT_CONFIG_COUNT": "2"}
    for number, (name, value) in enumerate({"user.name": "t", "user.email": "t@example.org"}.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    done = subprocess.run(
        ["bash", "-c", f"export {binaries}\n{script}"],
        cwd=shop.folder,
        env=env,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert holding(tmp_path) == []
    kept = database()
    assert b"ingest" in kept  # it is theirs
    assert CANARY.encode() not in kept
    # Everything else is there, and the deployments go on from it.
    shop.keep(event("e3"))
    ingest(shop.address, shop.folder, deployment="ingest")
    refresh(shop.folder, deployment="nightly")
    learned = shop.clone("nightly")
    assert {"e1", "e3", "s0"} <= set(learned.learned_ids())
    assert "e2" not in learned.learned_ids()
