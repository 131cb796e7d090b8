"""What the OpenAPI says of every endpoint alike: its name, its scope, its errors, the request's id."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.errors import ErrorBody
from services.paths import NEEDED

ALWAYS: Final = (400, 401, 403, 408, 429, 431, 500, 503)
"""What any request may be answered with."""
WITH_BODY: Final = (413, 415, 422)
SCHEME: Final = "token"
FOREIGN: Final = ("HTTPValidationError", "ValidationError")
"""Schemas of FastAPI's own errors, which never come."""
REQUEST_ID: Final = {
    "X-Request-ID": {
        "description": "The request's own id, or one made for it: the service's log has it too.",
        "schema": {"type": "string"},
    }
}


def operation(route: APIRoute) -> str:
    """What generated clients call an endpoint: as its function is called."""
    return route.name


def describe(app: FastAPI) -> None:
    """Have the description complete whenever it is asked for."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(make())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it


def _completed(description: dict[str, Any]) -> dict[str, Any]:
    schemas = description["components"]["schemas"]
    error = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= error.pop("$defs")
    schemas["ErrorBody"] = error
    description["components"]["securitySchemes"] = {
        SCHEME: {"type": "http", "scheme": "bearer", "description": "A token of `strata token create`."}
    }
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            scope = NEEDED[f"{method.upper()} {path}"]
            operation["security"] = [{SCHEME: [scope]}]
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds the scope `{scope}`.".strip()
            statuses = (*ALWAYS, *(WITH_BODY if "requestBody" in operation else ()))
            declared = {int(status) for status in operation["responses"] if int(status) >= 400}
            for status in sorted({*statuses, *declared}):
                operation["responses"][str(status)] = _error(status)
            for answer in operation["responses"].values():
                answer["headers"] = REQUEST_ID
    for name in FOREIGN:
        schemas.pop(name, None)
    return description


def _error(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}
