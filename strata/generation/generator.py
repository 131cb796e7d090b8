"""What every source of generated text offers: prompts in, one answer each out, never an exception for one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from strata.generation.prompts import Prompt

Failure = Literal["time-out", "unreachable", "busy", "failing", "cut", "nonsense", "over-budget", "not-spoken"]
"""Why no answer came: too slow, no connection, 429, 5xx, broken off, no sense, no budget, not the model's language."""


@dataclass(frozen=True)
class Completion:
    """An answer: its `text`, and whether it came to its end. `failure`: why there is none."""

    text: str = ""
    finished: bool = True
    failure: Failure | None = None


class Generator(Protocol):
    """A local model or an endpoint."""

    @property
    def identity(self) -> str:
        """What tells its answers from those of others, such as the name and hash of a model."""
        ...

    def write(self, prompts: Sequence[Prompt], attempt: int = 0) -> list[Completion]:
        """One completion a prompt, in their order; another `attempt` may give another answer.

        Raises SettingsError where no prompt can succeed, such as for a wrong key.
        """
        ...
