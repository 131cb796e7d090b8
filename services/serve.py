"""Serves a release, once all that would stop it has been looked at: settings, port, tokens.

python -m services.serve --release artifacts/release
"""

import argparse
import ipaddress
import os
import socket
import sys
from pathlib import Path

from services import own_folder
from services.settings import ServiceSettings
from strata.errors import SettingsError, StrataError
from strata.online.tokens import SCOPES, TokenFile

FIRST = "first"
"""Name of the token that is made where there is none."""


def check_address(host: str, port: int, settings: ServiceSettings) -> None:
    """Raise SettingsError where the address is taken or cannot be had, or would let strangers in without a token."""
    if settings.open and not ipaddress.ip_address(host).is_loopback:
        raise SettingsError(f"STRATA_OPEN answers without a token, and {host} can be reached by others; unset it")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ports of servers that have just ended are free
        try:
            tried.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"{host}:{port} cannot be served on ({error.strerror}); end the server there, or take another --port"
            ) from None


def first_token(settings: ServiceSettings) -> str | None:
    """A token with all scopes, made where the file has none and the service is not open; else None."""
    file = TokenFile(settings.tokens)
    if settings.open or any(token.revoked is None for token in file.read()):
        return None
    return file.create(FIRST, SCOPES)


def main(arguments: list[str] | None = None) -> str:
    """Look around, build the Bento unless one is named, and become `bentoml serve`; or return what stops it."""
    parser = argparse.ArgumentParser(prog="python -m services.serve", description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", help="a Bento, such as strata:latest (default: one built of --release)")
    parser.add_argument("--release", type=Path, default=Path("artifacts/release"), help="release folder")
    parser.add_argument("--host", default="127.0.0.1", help="address; others than this machine's need TLS in front")
    parser.add_argument("--port", type=int, default=3000)
    options = parser.parse_args(arguments)
    try:
        settings = ServiceSettings.from_environment()
        own_folder.check(settings.metrics)
        check_address(options.host, options.port, settings)
        target = options.target or _built(options.release)
        token = first_token(settings)
    except StrataError as error:
        return f"{type(error).__name__}: {error}"
    if token is not None:
        print(f"A token with all scopes, shown this once (kept as its SHA-256 in {settings.tokens}):\n  {token}")  # noqa: T201
    sys.stdout.flush()
    command = ["-m", "bentoml", "serve", target, "--host", options.host, "--port", str(options.port)]
    return os.execv(sys.executable, [sys.executable, *command])


def _built(release: Path) -> str:
    from services.build import build

    return str(build(release).tag)


if __name__ == "__main__":
    sys.exit(main())
