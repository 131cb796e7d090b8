"""Access control: the token for answers that name other users."""

import hmac
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.errors import ApiError
from services.settings import ServiceSettings

BEARER = HTTPBearer(
    scheme_name="analyst", description="The token of the scope analyst: STRATA_ANALYST_TOKEN.", auto_error=False
)


def analyst(given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> None:
    """Admit requests with the analyst token. Raises ApiError: 403 if none is set, 401 for another."""
    token = ServiceSettings.from_environment().analyst_token
    if token is None:
        raise ApiError(403, "this service has no token of the scope analyst, which answers about other users need")
    sent = "" if given is None else given.credentials
    # Constant time, so that timing does not reveal the token.
    if not hmac.compare_digest(sent.encode(), token.get_secret_value().encode()):
        raise ApiError(401, "answers about other users need a token of the scope analyst")
