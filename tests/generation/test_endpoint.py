import socket
import threading
import time
from typing import Any

import pytest
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from strata.errors import SettingsError
from strata.generation.endpoint import Endpoint
from strata.generation.generator import Completion
from strata.generation.prompts import prompt_for, tokens_of
from strata.generation.settings import GenerateSettings
from strata.generation.writer import Writer
from tests.generation.evidences import NAME, SUMMARY
from tests.generation.speaking import Answering, completion, speaking

PROMPT = prompt_for(NAME, 500)


def settings(url: str, **changes: Any) -> GenerateSettings:
    return GenerateSettings(method="endpoint", model="m", url=url, **{"backoff": 0.01, "time_out": 5.0, **changes})


def ask(chosen: GenerateSettings, prompts: int = 1, key: str = "") -> list[Completion]:
    return Endpoint(chosen, key).write([PROMPT] * prompts)


def says(text: str) -> Answering:
    return lambda body: text


def status(code: int, **headers: str) -> Answering:
    return lambda body: JSONResponse({"error": {"message": "no"}}, code, headers or None)


def slow(body: dict[str, Any]) -> Response:
    time.sleep(1.5)
    return JSONResponse(completion("too late"))


def test_a_prompt_is_sent_as_a_chat_with_the_key_and_answered() -> None:
    with speaking(says("Crime Thrillers")) as speaker:
        found = ask(settings(speaker.url, max_tokens=20), key="secret")
    assert found == [Completion("Crime Thrillers")]
    assert speaker.keys == ["Bearer secret"]
    [body] = speaker.bodies
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 20, 0)
    assert body["messages"] == PROMPT.messages()


@pytest.mark.parametrize(
    "fault",
    [
        status(429, **{"retry-after": "0"}),
        status(500),
        status(503),
        lambda body: PlainTextResponse("<html>gateway</html>"),
        lambda body: JSONResponse({"choices": []}),
        lambda body: JSONResponse([1, 2]),
        lambda body: JSONResponse({"choices": [{"message": {"content": None}}]}),
        lambda body: Response(b'{"choices": [', media_type="application/json"),
    ],
)
def test_what_may_pass_is_asked_again(fault: Answering) -> None:
    with speaking(fault, fault, says("Crime Thrillers")) as speaker:
        found = ask(settings(speaker.url))
    assert found == [Completion("Crime Thrillers")]
    assert len(speaker.bodies) == 3


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (status(429), "busy"),
        (status(500), "failing"),
        (lambda body: PlainTextResponse("nonsense"), "nonsense"),
        (lambda body: PlainTextResponse("x" * 300_000), "nonsense"),
    ],
)
def test_what_stays_wrong_leaves_its_reason_after_the_retries(fault: Answering, failure: str) -> None:
    with speaking(fault) as speaker:
        found = ask(settings(speaker.url, retries=2))
    assert found == [Completion(failure=failure)]
    assert len(speaker.bodies) == 3


def test_a_slow_answer_is_not_waited_for() -> None:
    with speaking(slow) as speaker:
        started = time.monotonic()
        found = ask(settings(speaker.url, time_out=0.3, retries=0))
        assert time.monotonic() - started < 1.4
    assert found == [Completion(failure="time-out")]


@pytest.mark.parametrize(
    ("sent", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\": [{\"mess", "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"choice\r\n", "cut"),
        (b"", "cut"),
        (b"\x00\xff no HTTP\r\n\r\n", "cut"),
    ],
)  # fmt: skip
def test_a_connection_that_breaks_off_is_no_answer(sent: bytes, failure: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(sent)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        found = ask(settings(url, retries=0))
        thread.join()
    assert found == [Completion(failure=failure)]


def test_drops_that_trickle_in_do_not_stretch_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
                while not stop.is_set():
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        found = ask(settings(url, retries=0, time_out=0.5))
        stop.set()
        thread.join()
    assert found == [Completion(failure="time-out")]


def test_nobody_listening_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert ask(settings(f"http://127.0.0.1:{port}/v1", retries=1))[0].failure == "unreachable"


@pytest.mark.parametrize("code", [400, 401, 403, 404, 302])
def test_what_no_retry_mends_stops_with_the_remedy(code: int) -> None:
    with (
        speaking(status(code)) as speaker,
        pytest.raises(SettingsError, match=rf"answers {code} .*STRATA_GENERATE_KEY"),
    ):
        ask(settings(speaker.url), key="secret")
    assert len(speaker.bodies) == 1


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"generate\.url: 'ftp://x' is no address"):
        Endpoint(settings("ftp://x"))


def test_the_budget_of_tokens_and_of_money_is_never_overdrawn() -> None:
    each = tokens_of(PROMPT) + 60
    with speaking(says("Crime Thrillers")) as speaker:
        endpoint = Endpoint(settings(speaker.url, budget_tokens=each + 105))
        found = endpoint.write([PROMPT] * 6)
        assert endpoint.budget.tokens <= each + 105
        assert {each.failure for each in found} == {None, "over-budget"}
        assert len(speaker.bodies) == sum(each.failure is None for each in found)
        dear = Endpoint(settings(speaker.url, budget_money=0.001, price_in=1.0, price_out=10.0))
        found = dear.write([PROMPT] * 6)
        assert 0 < sum(each.failure is None for each in found) < 6
        assert dear.budget.money <= 0.001
        assert ask(settings(speaker.url, budget_tokens=0))[0].failure == "over-budget"


def test_an_answer_that_was_cut_for_length_ends_with_a_sentence() -> None:
    text = "Likes crime thrillers, such as Heat. Often also Star"
    with speaking(lambda body: JSONResponse(completion(text, reason="length"))) as speaker:
        chosen = settings(speaker.url)
        [found] = Writer(chosen, Endpoint(chosen)).write([SUMMARY])
    assert (found.text, found.by) == ("Likes crime thrillers, such as Heat.", "generator")
