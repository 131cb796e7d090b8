"""A client of endpoints of the OpenAI protocol: time-outs, retries, and a budget of tokens and money."""

import json
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx

from strata.errors import SettingsError
from strata.generation.budget import Budget
from strata.generation.generator import Completion, Failure
from strata.generation.prompts import Prompt, tokens_of
from strata.generation.settings import GenerateSettings

LARGEST: Final = 200_000
"""Bytes of an answer that are read."""
LONGEST_WAIT: Final = 60.0
"""Seconds, whatever Retry-After says."""
BUSY, FAILING = 429, 500
AGAIN: Final = frozenset({408, 409, 425, BUSY})
"""Refusals that may pass, beside 5xx."""


class _Failed(Exception):
    """A call that may be made again after `wait` seconds at least."""

    def __init__(self, failure: Failure, wait: float = 0.0) -> None:
        super().__init__(failure)
        self.failure, self.wait = failure, wait


class Endpoint:
    """Answers prompts by calls side by side; a call that fails for good leaves a completion that says why."""

    def __init__(self, settings: GenerateSettings, key: str = "") -> None:
        """`key` is sent as a bearer token. Raises SettingsError without a URL."""
        if not settings.url.startswith(("http://", "https://")):
            raise SettingsError(
                f"generate.url: '{settings.url}' is no address; give that of an OpenAI-like endpoint, such as "
                "http://127.0.0.1:8000/v1"
            )
        self.settings, self.budget = settings, Budget(settings)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._random, self._lock = random.Random(0), threading.Lock()

    @property
    def identity(self) -> str:
        """The endpoint's address and the model's name."""
        return f"endpoint:{self.settings.url}:{self.settings.model}"

    def write(self, prompts: Sequence[Prompt], attempt: int = 0) -> list[Completion]:
        """One completion a prompt. Raises SettingsError where the endpoint refuses the key, model or request."""
        with (
            httpx.Client(timeout=self.settings.time_out, headers=self._headers, follow_redirects=False) as client,
            ThreadPoolExecutor(self.settings.batch_size) as pool,
        ):
            return list(pool.map(lambda prompt: self._one(client, prompt, attempt), prompts))

    def _one(self, client: httpx.Client, prompt: Prompt, attempt: int) -> Completion:
        failure: Failure = "failing"
        for again in range(self.settings.retries + 1):
            reserved = self.budget.reserve(tokens_of(prompt), self.settings.max_tokens)
            if reserved is None:
                return Completion(failure="over-budget")
            try:
                answer = self._call(client, prompt, attempt)
                self.budget.settle(reserved, answer.get("usage"))
                return _completion(answer)
            except _Failed as failed:  # what a failed call cost nobody tells: its reservation stays
                failure = failed.failure
                if again < self.settings.retries:
                    time.sleep(self._pause(again, failed.wait))
        return Completion(failure=failure)

    def _pause(self, again: int, wait: float) -> float:
        with self._lock:
            jitter = self._random.uniform(0.75, 1.25)
        return min(max(self.settings.backoff * 2.0**again * jitter, wait), LONGEST_WAIT)

    def _call(self, client: httpx.Client, prompt: Prompt, attempt: int) -> dict[str, Any]:
        """The decoded answer of one call, within the time-out in all. Raises _Failed, and SettingsError for good."""
        body = {
            "model": self.settings.model,
            "messages": prompt.messages(),
            "max_tokens": self.settings.max_tokens,
            "temperature": 0.7 if attempt else 0.0,
            "stream": False,
        }
        until = time.monotonic() + self.settings.time_out
        content = bytearray()
        try:
            address = f"{self.settings.url.rstrip('/')}/chat/completions"
            with client.stream("POST", address, json=body) as response:
                self._refused(response)
                for part in response.iter_bytes():
                    content += part
                    if time.monotonic() > until:
                        raise _Failed("time-out")
                    if len(content) > LARGEST:
                        raise _Failed("nonsense")
        except httpx.TimeoutException:
            raise _Failed("time-out") from None
        except httpx.RemoteProtocolError:
            raise _Failed("cut") from None
        except httpx.TransportError:
            raise _Failed("unreachable") from None
        except httpx.DecodingError:
            raise _Failed("nonsense") from None
        return _decoded(bytes(content))

    def _refused(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in AGAIN or status >= FAILING:
            raise _Failed("busy" if status == BUSY else "failing", _retry_after(response))
        if status != httpx.codes.OK:
            raise SettingsError(
                f"generate.url: {self.settings.url} answers {status} for the model '{self.settings.model}'; check the "
                f"address, generate.model, and the key in the variable {self.settings.key_variable}"
            )


def _decoded(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
        text = answer["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise _Failed("nonsense") from None
    if not isinstance(answer, dict) or not isinstance(text, str) or not text.strip():
        raise _Failed("nonsense")
    return answer


def _completion(answer: dict[str, Any]) -> Completion:
    choice = answer["choices"][0]
    return Completion(choice["message"]["content"], choice.get("finish_reason") != "length")


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(float(response.headers.get("retry-after", "0")), 0.0)
    except ValueError:  # a date
        return 0.0
