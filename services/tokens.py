"""Access: every path but the public ones wants a token whose scopes admit it."""

import ipaddress
import logging
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from services.errors import ApiError
from services.logs import note
from services.paths import NEEDED, Paths
from services.rates import Rates
from services.settings import ServiceSettings
from strata.online.tokens import SCOPES, Admission, Token, TokenFile

logger = logging.getLogger("bentoml.strata")
TOKEN: Final = "strata.token"
"""Where a request's scope, in the sense of ASGI, has the token that admitted it."""
CREATE: Final = "strata token create NAME --scope {scope}"
OPEN: Final = Token("open", SCOPES, "", 0.0)
"""Who asks without a token where STRATA_OPEN admits that."""
LOCAL: Final = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
FORWARDED: Final = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")


class Access:
    """Refuses with 401, 403, 404, 405 or 429 before anything of a request is read, or passes it on."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings | None = None, paths: Paths | None = None) -> None:
        self.app = app
        self.settings = settings or ServiceSettings.from_environment()
        self.paths = paths or Paths(NEEDED)
        self.admission = Admission(TokenFile(self.settings.tokens), logger.error)
        self.rates = Rates(self.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is public or admitted."""
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] == "http" and not self.paths.is_public(scope["path"]):
            try:
                await self._check(scope)
            except ApiError as error:
                return await error.response()(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        """Raise ApiError unless the request's token has the scope of its path and method."""
        token = self._token(scope)
        note(token=token.name)
        scope[TOKEN] = token
        await self.rates.check(token)
        place = self.paths.find(scope["path"])
        if place is None:
            raise ApiError(404, "there is no such path")
        needed = place.methods.get(scope["method"])
        if needed is None:
            allowed = ", ".join(place.methods)
            raise ApiError(405, f"this path takes {allowed}", headers={"Allow": allowed})
        if needed not in token.scopes:
            raise _lacking(needed, token)

    def _token(self, scope: Scope) -> Token:
        """Whose a request is. Raises ApiError: 403 where nobody could have a token, else 401."""
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given and self.settings.open and _at_home(scope):
            return OPEN
        if not self.admission.tokens:
            raise self._closed()
        if not given:
            raise ApiError(401, "the request has no token")
        kind, _, value = given[0].partition(b" ")
        if len(given) > 1 or kind.lower() != b"bearer":
            raise ApiError(401, "the header Authorization is not one Bearer token")
        found = self.admission.whose(value.strip().decode("latin-1"))
        if found is None:
            raise ApiError(401, "the token is unknown or revoked")
        return found

    def _closed(self) -> ApiError:
        elsewhere = "; STRATA_OPEN admits this machine only" if self.settings.open else ""
        return ApiError(
            403, f"this service has no tokens, and so answers nobody{elsewhere}", code="no_tokens",
            remedy=f"on the server, make one: {CREATE.format(scope='read')} (STRATA_TOKENS names another file than the "
            "usual); for a first try on the loopback, start it with STRATA_OPEN=true",
        )  # fmt: skip


def must_have(needed: str, scope: Scope) -> None:
    """For a request that needs more than its path does. Raises ApiError: 403."""
    if needed not in scope[TOKEN].scopes:
        raise _lacking(needed, scope[TOKEN])


def _lacking(needed: str, token: Token) -> ApiError:
    return ApiError(
        403, f"this needs the scope {needed}, which the token {token.name} has not", code="scope_missing",
        remedy=f"send a token that has it: {CREATE.format(scope=needed)}",
        headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'},
    )  # fmt: skip


def _at_home(scope: Scope) -> bool:
    """Whether a request comes from this machine to its loopback: straight, and to a name of it.

    A page of some other site cannot pretend to: its name would stand in Host.
    """
    if not all(_is_loopback(scope.get(side)) for side in ("client", "server")):
        return False
    headers = scope["headers"]
    hosts = [value.lower() for name, value in headers if name == b"host"]
    named = all(host.rpartition(b":")[0] in LOCAL or host in LOCAL for host in hosts)
    return named and not any(name in FORWARDED for name, _ in headers)


def _is_loopback(address: tuple[str, int] | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False
