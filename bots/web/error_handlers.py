"""Turns exceptions of routes into refusals that the page shows."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from bots.core.locales import localizer_for
from bots.core.refusals import refusal
from bots.web.access_guard import refusal_response
from bots.web.locales import negotiate_locale
from bots.web.roles import InvalidPersona
from bots.web.translate import BadRequest
from tasks.client import Unavailable
from tasks.jobs.job import Reason

log = structlog.get_logger()


async def _unavailable(request: Request, _error: Exception) -> Response:
    return refusal_response(503, "unavailable", _unavailable_text(request))


async def _bad_request(_request: Request, error: Exception) -> Response:
    return refusal_response(400, "bad-request", str(error) or "The request names no member.")


async def _client_disconnected(_request: Request, _error: Exception) -> Response:
    """The client disconnected while sending, so nobody reads this response."""
    return refusal_response(400, "bad-request", "The request ended early.")


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  by the table below
    return refusal_response(error.status_code, "http", error.detail)


async def _unexpected_error(request: Request, error: Exception) -> Response:
    log.error("request-failed", path=request.url.path, exc_info=error)
    return refusal_response(500, "defect", _unavailable_text(request))


def _unavailable_text(request: Request) -> str:
    return refusal(Reason("unavailable"), localizer_for(negotiate_locale(request))).text


EXCEPTION_HANDLERS: dict[type[Exception], ExceptionHandler] = {
    Unavailable: _unavailable,
    BadRequest: _bad_request,
    InvalidPersona: _bad_request,
    ClientDisconnect: _client_disconnected,
    HTTPException: _http,
    Exception: _unexpected_error,
}
