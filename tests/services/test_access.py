"""Who may ask what: tokens with scopes, matched exactly, revocable while serving; without tokens, nobody."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from services.paths import NEEDED, PUBLIC, Paths
from services.settings import ServiceSettings
from services.tokens import Access
from strata.errors import SettingsError
from strata.online.tokens import SCOPES, TokenFile
from tests.services.serving import BEARER, ONLY, Server

KEYS = [key.split() for key in NEEDED]


class Asked:
    """Access around an app that answers everything, asked as from an address."""

    def __init__(self, file: Path, *, open: bool = False, client: str = "127.0.0.1", static: bool = False) -> None:
        settings = ServiceSettings(tokens=file, open=open)
        self.layer = Access(PlainTextResponse("inside"), settings, Paths(NEEDED, static))
        self.client = client

    def __call__(self, path: str, token: str = "", method: str = "POST", **headers: str | bytes) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.layer, client=(self.client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3000") as client:
                return await client.request(method, path, headers=headers)

        if token:
            headers = {"Authorization": f"Bearer {token}", **headers}
        return asyncio.run(ask())


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "of the service" / "tokens.jsonl")


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_token_admits_to_its_scopes_and_is_kept_as_a_hash_in_a_file_of_its_owner(file: TokenFile) -> None:
    reader, analyst = file.create("web", ["read"]), file.create("ann", ["analyst", "read"])
    assert len({reader, analyst}) == 2
    assert min(map(len, (reader, analyst))) > 40
    asked = Asked(file.path)
    assert asked("/recommend", reader).text == asked("/audience", analyst).text == "inside"
    refused = asked("/audience", reader)
    assert code(refused) == (403, "scope_missing")
    assert "scope analyst" in refused.json()["error"]["message"]
    assert "--scope analyst" in refused.json()["error"]["remedy"]
    assert 'scope="analyst"' in refused.headers["WWW-Authenticate"]
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert not [secret for secret in (reader, analyst) if secret.removeprefix("strata_") in file.path.read_text()]


def test_tokens_are_revoked_and_added_while_serving(file: TokenFile) -> None:
    first = file.create("web", ["read"])
    asked = Asked(file.path)
    assert asked("/recommend", first).status_code == 200
    second = file.create("next", ["read"])
    file.revoke("web")
    assert code(asked("/recommend", first)) == (401, "token_needed")
    assert asked("/recommend", second).status_code == 200
    again = file.create("web", ["read"])  # the name is free again, the former value stays refused
    assert asked("/recommend", again).status_code == 200
    assert asked("/recommend", first).status_code == 401
    assert [token.revoked is None for token in file.read()] == [False, True, True]


def test_without_tokens_nobody_is_answered_and_the_remedy_is_told(file: TokenFile) -> None:
    asked = Asked(file.path)
    for path in ("/recommend", "/nowhere", "/metrics"):
        refused = asked(path)
        assert code(refused) == (403, "no_tokens")
        assert "strata token create" in refused.json()["error"]["remedy"]
        assert code(asked(path, "strata_guessed")) == (403, "no_tokens")
    file.create("web", ["read"])
    assert code(asked("/recommend")) == (401, "token_needed")
    file.revoke("web")
    assert code(asked("/recommend")) == (403, "no_tokens")


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_probes_are_public_and_matched_exactly(file: TokenFile, path: str) -> None:
    file.create("web", ["read"])
    asked = Asked(file.path)
    assert asked(path, method="GET").text == "inside"
    for near in (f"{path}/", f"{path}/x", f"/x{path}", f"{path}%00", path.upper(), f"{path}%2f", f"{path};"):
        assert asked(near, method="GET").status_code == 401, near


def test_files_of_the_console_are_public_where_there_is_one(file: TokenFile) -> None:
    token = file.create("web", ["read"])
    inside, outside = Asked(file.path, static=True), Asked(file.path)
    assert inside("/ui", method="GET").text == inside("/ui/app/main.js", method="GET").text == "inside"
    for path in ("/uii", "/ui%2f..%2fmetrics", "/ui/%2e%2e/metrics", "/ui/..%5cmetrics"):
        assert inside(path, method="GET").status_code == 401, path
    assert not any(Paths(NEEDED, static=True).is_public(path) for path in ("/ui/../metrics", "/ui/a/./b", "/ui/.."))
    assert outside("/ui/app/main.js", method="GET").status_code == 401
    assert outside("/ui/app/main.js", token, method="GET").status_code == 404


@given(st.text(min_size=1, max_size=40))
def test_whatever_is_not_in_the_table_does_not_exist(text: str) -> None:
    paths = Paths(NEEDED, static=True)
    path = f"/{text}"
    known = path in {key[1] for key in KEYS} or path.startswith(("/chat/", "/users/", "/items/"))
    assert (paths.find(path) is not None) <= known
    assert (paths.label(path) == "other") or known or path in PUBLIC or path.split("/")[1] == "ui"


def test_a_token_comes_before_whether_a_path_exists(file: TokenFile) -> None:
    token = file.create("web", ["read"])
    asked = Asked(file.path)
    assert code(asked("/nowhere")) == (401, "token_needed")
    assert code(asked("/nowhere", token)) == (404, "not_found")
    wrong = asked("/recommend", token, method="GET")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")
    assert Paths(NEEDED).find("//recommend") is None
    for path in ("/recommend/", "/recommend%2f", "/recommend;x", "/RECOMMEND", "/chat/a/b", "/chat/"):
        assert asked(path, token).status_code == 404, path


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", b"Bearer \xe9", "Basic YTpi", "Token x", "Bearer a b", "bearerx"]
)
def test_what_is_no_token_of_the_file_is_refused(file: TokenFile, header: str) -> None:
    file.create("web", ["read"])
    refused = Asked(file.path)("/recommend", Authorization=header)
    assert code(refused) == (401, "token_needed")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_two_tokens_in_one_request_are_none(file: TokenFile) -> None:
    token = file.create("web", ["read"])
    layer = Asked(file.path).layer
    sent = []

    async def ask(*values: str) -> None:
        headers = [(b"authorization", f"Bearer {value}".encode()) for value in values]
        scope = {"type": "http", "path": "/recommend", "method": "POST", "headers": headers}

        async def send(message) -> None:
            sent.append(message)

        await layer(scope, None, send)

    asyncio.run(ask(token))
    asyncio.run(ask(token, "x"))
    assert [message["status"] for message in sent if "status" in message] == [200, 401]


def test_open_means_this_machine_alone(file: TokenFile) -> None:
    at_home = Asked(file.path, open=True)
    assert at_home("/recommend").text == at_home("/audience").text == "inside"
    assert at_home("/recommend", Host="localhost:3000").text == "inside"
    refused = Asked(file.path, open=True, client="10.0.0.7")("/recommend")
    assert code(refused) == (403, "no_tokens")
    assert "this machine only" in refused.json()["error"]["message"]
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        assert at_home("/recommend", **headers).status_code == 403, headers
    file.create("web", ["read"])
    assert at_home("/recommend").text == "inside"
    assert at_home("/recommend", "strata_guessed").status_code == 401  # a wrong token is told


def test_a_file_that_others_may_write_or_a_damaged_line_admits_nobody_and_is_told(file: TokenFile) -> None:
    told: list[str] = []
    web, ann = file.create("web", ["read"]), file.create("ann", ["read"])
    asked = Asked(file.path)
    asked.layer.admission.report = told.append
    lines = file.path.read_text().splitlines()
    file.path.write_text("\n".join([lines[0][:-9], lines[1]]) + "\n")
    assert asked("/recommend", web).status_code == 401
    assert asked("/recommend", ann).status_code == 200
    assert len(told) == 1
    assert "line 1 is not a token" in told[0]
    assert json.loads(lines[0])["sha256"] not in told[0]
    file.path.chmod(0o666)
    assert asked("/recommend", ann).status_code == 403
    assert "may be written by others" in told[1]


@pytest.mark.parametrize("line", ["[]", '"x"', "{}", '{"name": "a"}', "null", "\ufeff"])
def test_lines_that_are_no_tokens_are_named_by_their_number(file: TokenFile, line: str) -> None:
    file.create("web", ["read"])
    with file.path.open("a") as opened:
        opened.write(f"\n{line}\n")
    with pytest.raises(SettingsError, match="line 3 is not a token"):
        file.read()
    assert len(file.sound()[0]) == 1


def test_names_and_scopes_are_checked_and_a_name_is_used_once(file: TokenFile) -> None:
    file.create("web", ["read"])
    for name, scopes in (("web", ["read"]), ("", ["read"]), ("a b", ["read"]), ("x" * 65, ["read"]), ("y", [])):
        with pytest.raises(SettingsError):
            file.create(name, scopes)
    with pytest.raises(SettingsError, match="root"):
        file.create("y", ["root"])
    with pytest.raises(SettingsError, match="it has: web"):
        file.revoke("nobody")
    assert [token.name for token in file.read()] == ["web"]


def test_the_former_token_of_analysts_is_not_ignored_in_silence() -> None:
    with pytest.raises(SettingsError, match="STRATA_ANALYST_TOKEN is not read any more.*strata token create") as wrong:
        ServiceSettings.from_environment({"STRATA_ANALYST_TOKEN": "hunter2"})
    assert "hunter2" not in str(wrong.value)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), KEYS)
def test_every_path_of_the_real_service_wants_a_token_with_its_scope(server: Server, method: str, path: str) -> None:
    path, needed = re.sub(r"\{\w+\}", "nobody-here", path), NEEDED[f"{method} {path}"]

    def ask(headers: dict[str, str]) -> int:
        return httpx.request(method, str(server.base_url.join(path)), headers=headers, timeout=60).status_code

    assert ask({}) == ask({"Authorization": "Bearer guessed"}) == 401
    assert {ask(ONLY[scope]) for scope in SCOPES if scope != needed} == {403}
    assert ask(ONLY[needed]) not in {401, 403}


@pytest.mark.slow
def test_a_turn_that_is_to_be_remembered_needs_the_scope_write_as_well(server: Server) -> None:
    def ask(**more: object) -> int:
        body, url = {"say": "hello", **more}, str(server.base_url.join("/chat"))
        return httpx.post(url, json=body, headers=ONLY["read"], timeout=60).status_code

    assert (ask(), ask(remember=True)) == (200, 403)


@pytest.mark.slow
def test_what_bentoml_adds_is_not_there(server: Server) -> None:
    for path in ("/healthz", "/schema.json", "/static_content/index.html", "/assets/x", "/openapi.yaml"):
        assert httpx.get(str(server.base_url.join(path))).status_code == 401
        assert server.get(path).status_code == 404
    assert httpx.get(str(server.base_url.join("/livez"))).status_code == 200
    assert httpx.get(str(server.base_url.join("/readyz"))).status_code == 200
    assert server.get("/docs", headers=BEARER).status_code == 200
