"""Fetches one file over HTTP: goes on where a broken connection ended, also in a later run."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from strata.errors import FetchError

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, its bytes so far, and how many it has (None: the server does not say)."""
ATTEMPTS: Final = 5
"""Failures in a row, none of which brought a byte, before giving up."""
LONGEST_PAUSE_S: Final = 30.0


def download(url: str, path: Path, checksum: str | None = None, progress: Progress = lambda *_: None) -> Path:
    """Put what `url` holds at `path`, which appears only once it is whole.

    Until then bytes lie beside it, in NAME.partial, and what the server calls this version of the file in NAME.version:
    they are gone on with only if the server still has that version. Raises FetchError when the server cannot be
    reached or refuses, the disk does, or the file's `checksum` ("md5:…" or "sha256:…") is another.
    """
    partial, failures = path.with_name(path.name + ".partial"), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with httpx.Client(follow_redirects=True, timeout=60, headers={"Accept-Encoding": "identity"}) as client:
        while True:
            before = _size(partial)
            try:
                _go_on(client, url, partial, progress)
                break
            except (httpx.TransportError, _Busy) as error:
                failures = 1 if _size(partial) > before else failures + 1
                if failures >= ATTEMPTS:
                    raise FetchError(f"{url} cannot be fetched ({_said(error)})") from None
                time.sleep(min(2.0**failures / 4, LONGEST_PAUSE_S))
            except httpx.HTTPStatusError as error:
                raise FetchError(f"{url} answers {error.response.status_code}") from None
            except OSError as error:
                raise FetchError(f"{partial} cannot be written ({error}); is there room on the disk?") from None
    if checksum and (found := checksum_of(partial, checksum)) != checksum:
        _forget(partial)
        raise FetchError(f"{url} has {found}, published is {checksum}; it was altered on its way or is another edition")
    partial.rename(path)
    _version(partial).unlink(missing_ok=True)
    return path


def checksum_of(path: Path, like: str) -> str:
    """Checksum of a file by the algorithm that `like` names before its colon."""
    algorithm = like.split(":", 1)[0]
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


class _Busy(Exception):
    """The server may answer another time."""


def _go_on(client: httpx.Client, url: str, partial: Path, progress: Progress) -> None:
    """Ask for the bytes that are missing, or for all if those at hand may be of another version."""
    have, version = _size(partial), _known_version(partial)
    resume = {"Range": f"bytes={have}-", "If-Range": version} if have and version else {}
    with client.stream("GET", url, headers=resume) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if response.headers.get("Content-Range") == f"bytes */{have}":
                return  # whole already
            _forget(partial)
            raise _Busy("the file became shorter")
        if response.status_code in (408, 429) or response.status_code >= 500:
            raise _Busy(f"status {response.status_code}")
        response.raise_for_status()
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if response.status_code == httpx.codes.PARTIAL_CONTENT and not goes_on:
            _forget(partial)
            raise _Busy("the server sent other bytes than those asked for")
        have = have if goes_on else 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        if not goes_on:
            partial.unlink(missing_ok=True)
            _version(partial).write_text(_version_of(response), encoding="utf-8")
        with partial.open("ab") as file:
            for block in response.iter_raw():  # as they come: a larger block would be lost when the connection breaks
                file.write(block)
                have += len(block)
                progress(partial.name.removesuffix(".partial"), have, total)


def _version_of(response: httpx.Response) -> str:
    """What If-Range may name: a strong tag, else the time of the last change; empty if the server says neither."""
    tag = str(response.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _version(partial: Path) -> Path:
    return partial.with_suffix(".version")


def _known_version(partial: Path) -> str:
    return _version(partial).read_text(encoding="utf-8") if _version(partial).exists() else ""


def _forget(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _version(partial).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
