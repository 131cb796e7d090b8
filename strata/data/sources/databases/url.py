"""URLs of databases whose passwords stand in the environment, so that no file and no message holds them."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from strata.errors import SourceError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
SECRET = re.compile(r"passw|pwd|secret|token|credential", re.IGNORECASE)
"""Names of what is not to be shown, among the options of a URL."""
INSTALL = 'python -m pip install -c requirements.lock -e ".[databases]"'
REMEDY = "write ${NAME} in its place and put it into the environment variable NAME"


def checked(url: str) -> str:
    """`url` itself. Raises ValueError, which never shows it, unless it is a URL whose secrets are all ${NAME}."""
    parsed = _parsed(url)
    if parsed.password and not PLACEHOLDER.fullmatch(str(parsed.password)):
        raise ValueError(f"the URL holds a password, which would be committed with this file; {REMEDY}")
    for name, value in _options(parsed):
        if (SECRET.search(name) or SECRET.search(value)) and not PLACEHOLDER.search(value):
            raise ValueError(f"the URL's option {name} holds a secret; {REMEDY}")
    return url


@dataclass(frozen=True)
class FilledURL:
    """`url`: what to connect to; `secrets`: what no message may show; `shown`: what it may."""

    url: "URL"
    secrets: frozenset[str]
    shown: str

    def without_secrets(self, message: str) -> str:
        """The first paragraph of a driver's message, without passwords as they are or as URLs write them."""
        text = " ".join(message.strip().split("\n\n")[0].split())
        for secret in sorted(self.secrets, key=len, reverse=True):
            for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "***")
        return text


def filled(url: str) -> FilledURL:
    """A checked URL with what the environment holds for its placeholders.

    Raises SourceError naming a variable that is not set.
    """
    parsed = _parsed(url)
    options = {name: [_value(each, url) for each in values] for name, values in parsed.normalized_query.items()}
    whole = parsed.set(
        username=parsed.username and _value(parsed.username, url),
        password=parsed.password and _value(str(parsed.password), url),
        host=parsed.host and _value(parsed.host, url),
        database=parsed.database and _value(parsed.database, url),
        query={name: tuple(values) for name, values in options.items()},
    )
    hidden = [str(whole.password or ""), os.environ.get("PGPASSWORD", "")]
    hidden += [value for name, values in options.items() if SECRET.search(name) for value in values]
    return FilledURL(whole, frozenset(filter(None, hidden)), url)


def _parsed(url: str) -> "URL":
    try:
        from sqlalchemy.engine import make_url
    except ImportError:
        raise ValueError(f"databases need SQLAlchemy; install it: {INSTALL}") from None
    try:
        return make_url(url)
    except Exception:  # messages of several kinds, some with the URL in them
        raise ValueError(
            "no URL of a database; write it as postgresql://USER:${PASSWORD}@HOST:5432/NAME, sqlite:///FILE or "
            "duckdb:///FILE, the port as a number"
        ) from None


def _options(url: "URL") -> Iterator[tuple[str, str]]:
    for name, values in url.normalized_query.items():
        for value in values:
            yield name, value


def _value(text: str, url: str) -> str:
    if missing := _unset(PLACEHOLDER.findall(text)):
        raise SourceError(
            f"source.database ({url}) takes {missing} from the environment, where it is not set; set it there"
        )
    return PLACEHOLDER.sub(lambda match: os.environ[match[1]], text)


def _unset(names: Iterable[str]) -> str | None:
    return next((name for name in names if name not in os.environ), None)
