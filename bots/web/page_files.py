"""The page's own files: HTML, scripts, styles and message catalogues. They hold no data."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bots.core.locales import LOCALES
from bots.web.locales import catalogue_source

PAGE = Path(__file__).parent / "page"
REVALIDATE = {"Cache-Control": "no-cache"}


class _PageFiles(StaticFiles):
    """Files that the browser revalidates every time, and rarely receives again."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(REVALIDATE)
        return response


def page_routes() -> list[BaseRoute]:
    """The routes of the page's files."""
    return [
        Route("/", _index),
        Route("/page/locales/{locale}.ftl", _catalogue),
        Mount("/page", _PageFiles(directory=PAGE)),
    ]


async def _index(_request: Request) -> Response:
    return FileResponse(PAGE / "index.html", headers=REVALIDATE)


async def _catalogue(request: Request) -> Response:
    locale = request.path_params["locale"]
    if locale not in LOCALES:
        raise HTTPException(404)
    return PlainTextResponse(catalogue_source(locale), headers=REVALIDATE)
