"""What every request passes before it reaches an endpoint, outermost first."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from services import connections, logs
from services.answers import Remembered
from services.description import describe
from services.errors import OneShape
from services.headers import Safe
from services.health import HEALTH
from services.limits import Limits
from services.logs import Logged, Writer
from services.metrics import Metered
from services.paths import NEEDED, STATIC, Paths
from services.settings import ServiceSettings
from services.tokens import Access


def protect(service: Any, app: FastAPI) -> None:
    """Put the layers around a service. Raises LookupError for an endpoint without a scope, which nobody could call."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                if f"{method} {route.path}" not in NEEDED:
                    raise LookupError(f"{method} {route.path} has no scope: add it to services/paths.py")
    describe(app)
    paths = Paths(NEEDED, static=any(isinstance(route, Mount) and route.path == STATIC for route in app.routes))
    settings = ServiceSettings.from_environment()
    connections.install(settings)
    logs.configure()
    service.add_asgi_middleware(Logged, paths=paths, writer=Writer() if settings.access_log else None)
    service.add_asgi_middleware(Safe)
    service.add_asgi_middleware(Metered, paths=paths)
    service.add_asgi_middleware(OneShape, why=HEALTH.why)
    service.add_asgi_middleware(Access, paths=paths)
    service.add_asgi_middleware(Limits)
    service.add_asgi_middleware(Remembered)
