"""What is for people and for monitoring beside the API: metrics, and a page to try the API on."""

import asyncio
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from services import metrics
from services.headers import PAGE


def add_pages(app: FastAPI) -> None:
    """Add them; all of them need a token (see services/paths.py)."""

    @app.get("/metrics", response_class=PlainTextResponse, include_in_schema=False)
    async def exposition() -> PlainTextResponse:
        """Prometheus metrics of all processes."""
        return PlainTextResponse(await asyncio.to_thread(metrics.exposition), media_type="text/plain; version=0.0.4")

    @app.get("/docs.json", include_in_schema=False)
    def docs_json() -> dict[str, Any]:
        """The same OpenAPI where BentoML's tools look for it."""
        return app.openapi()

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        """Swagger UI from BentoML's own files: nothing is fetched from elsewhere."""
        files = "/static_content/swagger-ui"
        page = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Strata",
            swagger_js_url=f"{files}-bundle.js",
            swagger_css_url=f"{files}.css",
            swagger_favicon_url="/static_content/favicon-light-32x32.png",
        )
        page.headers["Content-Security-Policy"] = PAGE
        return page

    @app.get("/", include_in_schema=False)
    def index() -> RedirectResponse:
        """Replaces BentoML's page, which loads a third-party tracker."""
        return RedirectResponse("/docs")
