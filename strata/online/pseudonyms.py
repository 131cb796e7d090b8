"""Pseudonyms: what stands for the ids of users wherever Strata keeps them, as far as nobody has the key."""

import hmac
import os
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, Self

from strata.errors import SettingsError

VARIABLE: Final = "STRATA_PSEUDONYM_KEY"
SHORTEST: Final = 32
"""Characters of a key."""
FORM: Final = re.compile(r"p-[0-9a-f]{32}")
PURPOSE: Final = b"strata user\n"


class Pseudonyms:
    """HMAC-SHA-256 of ids, cut to 128 bits: equal ids and keys, equal pseudonyms.

    They look like p-0123…; what does so already stays as it is, so that one that an answer names can be asked for.
    """

    def __init__(self, key: str) -> None:
        """Raises SettingsError for a key that could be guessed."""
        if len(key) < SHORTEST:
            raise SettingsError(
                f"{VARIABLE} has {len(key)} characters, fewer than {SHORTEST}; make one: "
                'python -c "import secrets; print(secrets.token_hex(32))"'
            )
        self._key = key.encode()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """By the key in STRATA_PSEUDONYM_KEY, None where there is none. Raises SettingsError."""
        key = environment.get(VARIABLE)
        return cls(key) if key else None

    @classmethod
    def needed(cls, why: str, environment: Mapping[str, str] = os.environ) -> Self:
        """The same. Raises SettingsError saying `why` there must be one."""
        found = cls.from_environment(environment)
        if found is None:
            raise SettingsError(f"{why}, and {VARIABLE} is not set; set it to the key that the service has")
        return found

    def of(self, user_id: str) -> str:
        """The pseudonym of an id."""
        if FORM.fullmatch(user_id):
            return user_id
        content = PURPOSE + user_id.encode("utf-8", "surrogatepass")
        return f"p-{hmac.new(self._key, content, sha256).hexdigest()[:32]}"

    def of_all(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Pseudonyms by ids."""
        return {user_id: self.of(user_id) for user_id in user_ids}
