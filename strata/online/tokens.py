"""Who may call the service: a file of tokens with scopes, of which only SHA-256 is kept, read again when it changes."""

import fcntl
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, get_args

from platformdirs import user_config_path

from strata.errors import SettingsError
from strata.storage import replacing

Scope = Literal["read", "write", "analyst", "admin"]
"""Ask for lists and profiles; tell what happens; get answers that name other users; manage users and releases."""
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PREFIX: Final = "strata_"
"""What every token begins with, by which scanners of code and logs know one."""
BYTES: Final = 32
NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Token:
    """One line of the file. `sha256`: of the token, in hexadecimal; `created`, `revoked`: seconds since 1970."""

    name: str
    scopes: tuple[Scope, ...]
    sha256: str
    created: float
    revoked: float | None = None


def default_file() -> Path:
    """Where the tokens lie unless STRATA_TOKENS says otherwise."""
    return user_config_path("strata") / "tokens.jsonl"


def digest(token: str) -> str:
    """What is kept of a token. It is long and random, so that a fast hash cannot be undone."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class TokenFile:
    """The tokens of a service, one JSON object a line; changes replace the file in one step."""

    path: Path
    now: Callable[[], float] = time.time

    def create(self, name: str, scopes: Sequence[Scope]) -> str:
        """Add a token and return it: it is kept nowhere. Raises SettingsError where the name or a scope is wrong."""
        if not NAME.fullmatch(name):
            raise SettingsError(f"the name {name!r} is not 1 to 64 letters, digits, dots, dashes and underscores")
        wrong = sorted(set(scopes) - set(SCOPES))
        if wrong or not scopes:
            raise SettingsError(f"scopes are {', '.join(wrong) or 'none'}; give some of {', '.join(SCOPES)}")
        value = PREFIX + secrets.token_urlsafe(BYTES)
        with self._alone():
            tokens = self.read()
            if any(token.name == name and token.revoked is None for token in tokens):
                raise SettingsError(f"{self.path} has a token {name!r}; revoke it first, or take another name")
            kept = tuple(scope for scope in SCOPES if scope in scopes)
            self._write([*tokens, Token(name, kept, digest(value), self.now())])
        return value

    def revoke(self, name: str) -> None:
        """End a token: services refuse it from their next request on. Raises SettingsError where there is none."""
        with self._alone():
            tokens = self.read()
            if not any(token.name == name and token.revoked is None for token in tokens):
                live = ", ".join(token.name for token in tokens if token.revoked is None) or "none"
                raise SettingsError(f"{self.path} has no token {name!r} that could be revoked; it has: {live}")
            ends = self.now()
            self._write([replace(each, revoked=ends) if each.name == name and each.revoked is None else each
                         for each in tokens])  # fmt: skip

    def read(self) -> list[Token]:
        """All tokens, revoked ones too; none without a file. Raises SettingsError naming a line that is none."""
        return [] if not self.path.exists() else [self._token(n, line) for n, line in self._lines()]

    def sound(self) -> tuple[list[Token], list[str]]:
        """The tokens that hold, and what is wrong: a line that is none admits nobody, and neither does a loose file."""
        try:
            if self.path.stat().st_mode & 0o022:
                return [], [f"{self.path} may be written by others, so it admits nobody; chmod go-w it"]
            lines = self._lines()
        except FileNotFoundError:
            return [], []
        except (OSError, UnicodeDecodeError) as error:
            return [], [f"{self.path} cannot be read, so it admits nobody: {error}"]
        tokens, faults = [], []
        for n, line in lines:
            try:
                tokens.append(self._token(n, line))
            except SettingsError as error:
                faults.append(str(error))
        return [token for token in tokens if token.revoked is None], faults

    def _lines(self) -> list[tuple[int, str]]:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def _token(self, number: int, line: str) -> Token:
        try:
            return _checked(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:  # never the line itself
            raise SettingsError(
                f"{self.path}: line {number} is not a token ({type(error).__name__}); remove it, and create one by "
                "`strata token create`"
            ) from None

    def _write(self, tokens: Sequence[Token]) -> None:
        lines = (json.dumps({**asdict(token), "scopes": [*token.scopes]}) for token in tokens)
        with replacing(self.path) as temporary:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _checked(content: Any) -> Token:
    """A token of a line. Raises ValueError, TypeError or KeyError where it is none."""
    token = Token(**{**content, "scopes": tuple(content["scopes"])})
    whole = (
        isinstance(token.name, str) and NAME.fullmatch(token.name)
        and token.scopes and set(token.scopes) <= set(SCOPES)
        and isinstance(token.sha256, str) and re.fullmatch(r"[0-9a-f]{64}", token.sha256)
        and isinstance(token.created, int | float)
        and (token.revoked is None or isinstance(token.revoked, int | float))
    )  # fmt: skip
    if not whole:
        raise ValueError
    return token


class Admission:
    """Tells whose a token is, by the file as it is now."""

    def __init__(self, file: TokenFile, report: Callable[[str], None] = lambda _: None) -> None:
        """`report`: told each fault of the file once for each change of it."""
        self.file, self.report = file, report
        self._seen: object = ()
        self._tokens: list[Token] = []

    @property
    def tokens(self) -> list[Token]:
        """Those that hold, read anew where the file has changed."""
        seen = self._state()
        if seen != self._seen:
            self._tokens, faults = self.file.sound()
            self._seen = seen
            for fault in faults:
                self.report(fault)
        return self._tokens

    def whose(self, value: str) -> Token | None:
        """The token with this value. All are compared in constant time, so that timing tells nothing of them."""
        given, found = digest(value), None
        for token in self.tokens:
            if hmac.compare_digest(token.sha256, given):
                found = token
        return found

    def _state(self) -> object:
        try:
            is_now = self.file.path.stat()
        except OSError:
            return None
        return is_now.st_ino, is_now.st_size, is_now.st_mtime_ns, is_now.st_mode
