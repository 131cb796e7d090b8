"""Guesses and the answers of a person, kept by the setting that each of them fills."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, ...]
"""Path of a setting: ("interactions", "columns", "user_id") below `source`, or ("cleaning", "rating")."""


@dataclass(frozen=True)
class Guess:
    """What a setting should be.

    `sure`: whether it may be written without asking. `why`: what it was concluded from. `choices`: other values.
    """

    key: Key
    value: Any
    sure: bool
    why: str
    choices: tuple[Any, ...] = ()

    @property
    def path(self) -> str:
        """The setting as a flag names it."""
        return ".".join(self.key)


@dataclass
class Ledger:
    """Collects guesses; what a person has answered stands instead of what would be guessed."""

    answers: Mapping[Key, Any] = field(default_factory=dict)
    guesses: dict[Key, Guess] = field(default_factory=dict)

    def settle(self, key: Key, value: Any, why: str, *, sure: bool = True, choices: Iterable[Any] = ()) -> Any:
        """Note a guess, and return what holds: the answer, else `value`. Null settles that nothing is set."""
        if key in self.answers:
            value, why, sure, choices = self.answers[key], "you said so", True, ()
        self.guesses[key] = Guess(key, value, sure, why, tuple(choices))
        return value

    def answered(self, *key: str) -> Any:
        """The answer for a setting, null where there is none."""
        return self.answers.get(key)

    def below(self, *key: str) -> dict[str, Any]:
        """Answers for settings under a path: the last part of their keys → value."""
        return {known[-1]: value for known, value in self.answers.items() if known[:-1] == key}

    def settings(self) -> dict[str, Any]:
        """All guesses as nested settings; those of null are left out."""
        for key, value in self.answers.items():
            if key not in self.guesses:
                self.guesses[key] = Guess(key, value, True, "you said so")
        nested: dict[str, Any] = {}
        for key, guess in self.guesses.items():
            if guess.value is None and "behaviours" not in key:
                continue
            place = nested
            for part in key[:-1]:
                place = place.setdefault(part, {})
            place[key[-1]] = guess.value
        return nested
