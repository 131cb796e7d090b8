"""What an endpoint may cost in one run: tokens, and money by the prices of the settings."""

import threading
from dataclasses import dataclass
from typing import Any

from strata.generation.settings import GenerateSettings

MILLION = 1_000_000


@dataclass(frozen=True)
class Reserved:
    """Tokens of a prompt and of its answer that a call may use."""

    tokens_in: int
    tokens_out: int


class Budget:
    """Counts what calls use; each reserves the most it may use first, so that calls side by side never overdraw."""

    def __init__(self, settings: GenerateSettings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self.tokens_in = self.tokens_out = 0

    @property
    def tokens(self) -> int:
        """Tokens used or reserved."""
        return self.tokens_in + self.tokens_out

    @property
    def money(self) -> float:
        """Money used or reserved, in the currency of the prices."""
        return self._price(self.tokens_in, self.tokens_out)

    def reserve(self, tokens_in: int, tokens_out: int) -> Reserved | None:
        """Set tokens aside for a call; None where they are not left."""
        settings = self._settings
        with self._lock:
            whole = self._price(self.tokens_in + tokens_in, self.tokens_out + tokens_out)
            too_dear = settings.budget_money is not None and whole > settings.budget_money
            if too_dear or self.tokens + tokens_in + tokens_out > settings.budget_tokens:
                return None
            self.tokens_in += tokens_in
            self.tokens_out += tokens_out
            return Reserved(tokens_in, tokens_out)

    def settle(self, reserved: Reserved, usage: Any) -> None:
        """Put what a call says it used in place of what was reserved; without a word on it the reservation stays."""
        if not isinstance(usage, dict):
            return
        tokens_in, tokens_out = _tokens(usage.get("prompt_tokens")), _tokens(usage.get("completion_tokens"))
        if tokens_in is None or tokens_out is None:
            return
        with self._lock:
            self.tokens_in += tokens_in - reserved.tokens_in
            self.tokens_out += tokens_out - reserved.tokens_out

    def _price(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self._settings.price_in + tokens_out * self._settings.price_out) / MILLION


def _tokens(stated: Any) -> int | None:
    return stated if isinstance(stated, int) and not isinstance(stated, bool) and stated >= 0 else None
