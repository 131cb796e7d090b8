"""All errors have one shape: {"error": {"code", "message", "field", "remedy"}}, whichever layer raised them."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strata.data.filters import InvertedRange, UnknownCategory
from strata.errors import SettingsError, UnknownId

logger = logging.getLogger("bentoml.strata")


DEPTH = 20
"""Places that are told of an error."""


class Fault(BaseModel):
    """What went wrong and what to do."""

    code: str = Field(description="For programs: one word per cause.", examples=["unknown_id"])
    message: str = Field(description="The cause, for people.")
    field: str | None = Field(description="The field of the request at fault, such as history[2].item_id.")
    remedy: str = Field(description="What to change.")


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: Fault


CATEGORIES, PRICES = "filters.categories", "filters.price"
SEE_SCHEMA = "see the schema at /openapi.json"
REMEDIES = {
    400: ("malformed", "send one JSON object as the body, with Content-Type: application/json"),
    401: ("token_needed", "send a token: Authorization: Bearer TOKEN (`strata token create` makes one)"),
    403: ("forbidden", "send a token with the scope that this needs"),
    404: ("not_found", "use one of the paths at /openapi.json"),
    405: ("method_not_allowed", "use the method that the Allow header names"),
    408: ("too_slow", "send the whole request within the time-out"),
    409: ("conflict", "change what conflicts, or send the first request again"),
    413: ("body_too_large", "send fewer items or texts per request"),
    415: ("media_type", "send JSON, in UTF-8 and not compressed: Content-Type: application/json"),
    431: ("headers_too_large", "send fewer or shorter headers"),
    429: ("too_many_requests", "try again after the seconds that Retry-After names"),
    500: ("internal", "report this to the operator, who finds the cause in the service's log"),
    503: ("not_ready", "try again when /readyz answers 200; /health says what is the matter"),
    507: ("no_room", "send it again later"),
    504: ("time_out", "try again, or ask for less: smaller k, fewer items"),
}
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "1"}}
BY_TYPE = {
    "extra_forbidden": "remove this field, or correct its name: " + SEE_SCHEMA,
    "missing": "add this field: " + SEE_SCHEMA,
    "finite_number": "send a finite number",
    **dict.fromkeys(("model_attributes_type", "model_type", "dict_type"), REMEDIES[400][1]),
}
SAID = dict.fromkeys(("model_attributes_type", "model_type", "dict_type"), "this should be a JSON object")
"""What to say where the words of the validator are about its classes."""


class ApiError(HTTPException):
    """An error that can be sent as an HTTP response.

    It is one of FastAPI's so that it passes where FastAPI reads bodies.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        field: str | None = None,
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, {**HEADERS.get(status, {}), **(headers or {})})
        self.status = status
        usual_code, usual_remedy = REMEDIES.get(status, ("refused", SEE_SCHEMA))
        self.fault = Fault(code=code or usual_code, message=message, field=field, remedy=remedy or usual_remedy)

    @property
    def content(self) -> dict[str, dict[str, str | None]]:
        """The body of the answer."""
        # Messages quote the request, which may hold a lone surrogate, and this cannot be encoded.
        fields = self.fault.model_dump().items()
        return {"error": {name: value and value.encode("utf-8", "replace").decode() for name, value in fields}}

    def response(self) -> JSONResponse:
        """The error as an HTTP response."""
        return JSONResponse(self.content, self.status, self.headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI description of the errors that an endpoint may return."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Turn UnknownId into 404 naming `field`, and rules that cannot be obeyed into 422."""
    try:
        yield
    except UnknownCategory as error:
        remedy = "use categories of the release's items"
        raise ApiError(404, str(error), code="unknown_category", field=CATEGORIES, remedy=remedy) from None
    except UnknownId as error:
        raise unknown(field, str(error)) from None
    except InvertedRange as error:
        raise ApiError(422, str(error), code="price_range", field=PRICES, remedy="swap the two") from None
    except SettingsError as error:
        raise ApiError(
            422, str(error), code="rules", field=field, remedy="change the rules so that all can hold"
        ) from None


def unknown(field: str, message: str) -> ApiError:
    """The 404 for ids that the release does not have."""
    remedy = "use ids of the release that /release names, or leave the unknown ones out"
    return ApiError(404, message, code="unknown_id", field=field, remedy=remedy)


def log_without_values(error: BaseException) -> None:
    """Log where an unexpected error was raised, without its message, which may quote user input."""
    logger.error("unexpected %s at %s", type(error).__name__, places(error))


def places(error: BaseException) -> str:
    """Files and lines that an error came through, the innermost first."""
    frames = reversed(traceback.extract_tb(error.__traceback__, limit=-DEPTH))
    return " ← ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)


def install(app: FastAPI) -> None:
    """Register handlers that give all FastAPI errors the common shape."""

    @app.exception_handler(ApiError)
    async def refused(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(StarletteHTTPException)
    async def by_status(_: Request, error: StarletteHTTPException) -> JSONResponse:
        return ApiError(error.status_code, str(error.detail), headers=error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first, *more = error.errors()
        if first["type"] == "json_invalid":
            return ApiError(
                400, f"the body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}"
            ).response()
        others = f" (and {len(more)} more)" if more else ""
        return ApiError(
            422,
            SAID.get(first["type"], first["msg"]) + others,
            code=first["type"],
            field=_path(first["loc"]),
            remedy=BY_TYPE.get(first["type"], "correct this value: " + SEE_SCHEMA),
        ).response()


def _path(location: Sequence[str | int]) -> str | None:
    """("body", "history", 2, "‹event›", "item_id") → "history[2].item_id"; names of union variants are dropped."""
    parts = [part for part in location[1:] if not re.fullmatch("‹.*›", str(part))]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".") or None


class OneShape:
    """Rewrites plain-text errors of the layers around the API (unknown paths, probes) into the common shape.

    What nobody caught is told as 500, and where it was raised is logged.
    """

    def __init__(self, app: ASGIApp, why: Callable[[], str] = lambda: "not ready") -> None:
        """`why`: tells why the service is not ready."""
        self.app, self.why = app, why

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through except errors that are not JSON."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        replaced: ApiError | None = None
        started = False

        async def check(message: Message) -> None:
            nonlocal replaced, started
            started = True
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = dict(message["headers"])
                if not headers.get(b"content-type", b"").startswith(b"application/json"):
                    kept = {"Allow": headers[b"allow"].decode()} if b"allow" in headers else None
                    replaced = self._foreign(message["status"], scope, kept)
                    return await replaced.response()(scope, receive, send)
            if replaced is None:
                await send(message)
            return None

        try:
            return await self.app(scope, receive, check)
        except Exception as error:
            log_without_values(error)
            if replaced is not None:  # the layer that raised has answered as well
                return None
            if started:
                raise
            return await ApiError(500, "an unexpected error").response()(scope, receive, send)

    def _foreign(self, status: int, scope: Scope, headers: Mapping[str, str] | None) -> ApiError:
        if scope["path"] == "/readyz" and status == HTTPStatus.SERVICE_UNAVAILABLE:
            return ApiError(status, self.why())
        return ApiError(status, HTTPStatus(status).phrase, headers=headers)
