"""Clients that others generate from the OpenAPI are typed, and work: Python by openapi-python-client, TypeScript."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.services.serving import TOKEN, Server

pytestmark = pytest.mark.slow
PYTHON_GENERATOR = ("openapi-python-client==0.29.1", "typer==0.27.3")
"""Beside the environment, not in it: it asks for an older typer than the command line has."""
TYPESCRIPT_GENERATOR = ("openapi-typescript@7.13.0", "typescript@5.9.3", "openapi-fetch@0.17.0")
USE = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

type Recommend = components["schemas"]["RecommendRequest"];
const client = createClient<paths>({ baseUrl: "http://127.0.0.1:3000" });
export const asked: Recommend = { user_id: "10", k: 3, filters: { categories: ["Drama"] } };
export const nothing: Recommend = { history: ["1", { item_id: "2", behaviour: "like" }], explain: null };
// @ts-expect-error a number is no user
export const wrong: Recommend = { user_id: 10 };
// @ts-expect-error there is no such field
export const unknown: Recommend = { user: "10" };
export async function titles(): Promise<string[]> {
  const { data, error } = await client.POST("/recommend", { body: asked });
  if (error) throw new Error(error.error.remedy);
  return data.items.map((item) => item.title);
}
"""


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    return done.stdout + done.stderr


def fetched(*command: str | Path, folder: Path) -> None:
    """Run what fetches a generator; without its registry, skip."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} cannot fetch the generator: {(done.stdout + done.stderr)[-300:]}")


@pytest.fixture(scope="module")
def described(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients")
    (folder / "openapi.json").write_bytes(server.get("/openapi.json").content)
    return folder


@pytest.fixture(scope="module")
def client(described: Path) -> ModuleType:
    """The package that openapi-python-client generates."""
    tools = described / "tools"
    pip = (sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--target", tools)
    fetched(*pip, *PYTHON_GENERATOR, folder=described)
    generator = (sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json")
    told = run(*generator, "--output-path", "generated", "--fail-on-warning", folder=described, PYTHONPATH=str(tools))
    assert "Unable" not in told
    sys.path.insert(0, str(described / "generated"))
    try:
        yield importlib.import_module("strata_client")
    finally:
        sys.path.remove(str(described / "generated"))


def test_each_endpoint_has_a_function_of_its_name_and_a_typed_request(client: ModuleType, described: Path) -> None:
    api = importlib.import_module("strata_client.api.default")
    names = {path.stem for path in Path(api.__file__).parent.glob("*.py")}
    operations = json.loads((described / "openapi.json").read_text())["paths"].values()
    assert {each["operationId"] for operation in operations for each in operation.values()} <= names
    assert {"recommend", "rank", "interests", "search", "chat", "events", "feedback"} <= names
    source = "".join(path.read_text() for path in Path(api.__file__).parent.glob("*.py"))
    assert "body: Any" not in source


def test_the_generated_client_asks_the_service(client: ModuleType, server: Server) -> None:
    models = importlib.import_module("strata_client.models")
    recommend = importlib.import_module("strata_client.api.default.recommend")
    url, filters = str(server.base_url), models.Filters(categories=["Drama"])
    with client.AuthenticatedClient(url, TOKEN, raise_on_unexpected_status=True) as caller:
        answer = recommend.sync(client=caller, body=models.RecommendRequest(user_id="10", k=3, filters=filters))
        wrong = recommend.sync(client=caller, body=models.RecommendRequest(user_id="10", text="x"))
    with client.AuthenticatedClient(url, "guessed") as caller:
        strangers = recommend.sync(client=caller, body=models.RecommendRequest())
    assert isinstance(answer, models.Items)
    assert [type(item) for item in answer.items] == [models.Item] * 3
    assert isinstance(wrong, models.ErrorBody)
    assert wrong.error.remedy
    assert isinstance(strangers, models.ErrorBody)
    assert strangers.error.code == "token_needed"


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")
def test_typescript_is_typed_too(described: Path) -> None:
    (described / "package.json").write_text("{}")
    fetched("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *TYPESCRIPT_GENERATOR, folder=described)
    tools = described / "node_modules" / ".bin"
    run(tools / "openapi-typescript", "openapi.json", "-o", "api.ts", folder=described)
    (described / "use.ts").write_text(USE)
    options = ("--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler")
    run(tools / "tsc", *options, "use.ts", folder=described)
