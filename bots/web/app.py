"""The playground as a Starlette application, and its serving."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bots.core.invitations import InvitationKeeper
from bots.core.reasons import refusal
from bots.core.sentences import speak
from bots.core.studio import Studio
from bots.web.commands import Desk, too_large
from bots.web.doors import DoorDesk
from bots.web.guard import Guard, is_loopback, refuse
from bots.web.limits import BODY_LIMIT, BodyLimit
from bots.web.live import Feed
from bots.web.locales import locale_of
from bots.web.overview import Metrics, Overview
from bots.web.pictures import Pictures
from bots.web.roles import PLATFORM, WORKSPACE, BadPersona
from bots.web.translate import BadRequest
from imaging.profiles import Profile, profile_for
from tasks.client import Client, Invitation, Unavailable, connect
from tasks.job import Reason
from tasks.settings import Settings

PAGE = Path(__file__).parent / "page"
GOODBYE_SECONDS = 3

log = structlog.get_logger()


class _PageFiles(StaticFiles):
    """The page's own files: always asked about, seldom sent again."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def build(
    studio: Studio,
    feed: Feed,
    *,
    hosts: Collection[str] = (),
    mounts: Sequence[BaseRoute] = (),
    operator: bool = False,
) -> Starlette:
    """The playground, with other rooms' routes in `mounts` beside it, outside its guard.

    `hosts` are the names beside localhost under which the page may be opened. `operator`: whether
    its administrators may set the doors of all servers, and not of the playground alone.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async def tell(invitation: Invitation, words: str) -> None:
            feed.whisper(invitation.member, words)

        invitations = InvitationKeeper(studio.client, PLATFORM, tell)
        duties = [asyncio.create_task(run()) for run in (feed.run, invitations.run)]
        try:
            yield
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)

    async def health(_request: Request) -> Response:
        await studio.client.workspace_settings(PLATFORM, WORKSPACE)
        return JSONResponse({"ready": True}, headers={"Cache-Control": "no-store"})

    async def index(_request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    playground = Starlette(
        routes=[
            Route("/", index),
            Mount("/page", _PageFiles(directory=PAGE)),
            *Desk(studio, feed).routes(),
            *Pictures(studio.client).routes(),
            *Overview(studio.client, PAGE).routes(),
            *DoorDesk(studio.client, operator).routes(),
        ],
        middleware=[
            Middleware(Guard, hosts=hosts),
            Middleware(BodyLimit, limit=BODY_LIMIT, refusal=_too_large),
        ],
        exception_handlers=dict(_FAULTS),
    )
    # Probes and Prometheus come under whatever name their network gives this machine.
    open_ = [Route("/healthz", health), *Metrics(studio.client).routes()]
    routes = [*open_, *mounts, Mount("/", playground)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=dict(_FAULTS))


async def serve(
    settings: Settings, ready: Callable[[], None], mounts: Sequence[BaseRoute] = ()
) -> None:
    """Serve the playground until cancelled; calls `ready` once when the page answers."""
    client = await connect(settings)
    try:
        feed = Feed(client)
        studio = _studio(client, settings.model)
        app = build(
            studio,
            feed,
            hosts={settings.web_host, socket.gethostname()},
            mounts=mounts,
            # Another room's routes are there to be reached from outside.
            operator=is_loopback(settings.web_host) and not mounts,
        )
        config = uvicorn.Config(
            app,
            host=settings.web_host,
            port=settings.web_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GOODBYE_SECONDS,
        )
        await _until_cancelled(PageServer(config, feed, ready))
    finally:
        await client.close()


def _studio(client: Client, model: str) -> Studio:
    default = profile_for(model)

    def profile(name: str) -> Profile:
        # A model in a folder is known by a name that no register has.
        return default if name == default.name else profile_for(name)

    return Studio(client, profile, default.name)


class PageServer(uvicorn.Server):
    """A server that says when it can serve, and ends its event streams before it ends."""

    def __init__(self, config: uvicorn.Config, feed: Feed, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._feed = feed
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A page's stream never ends by itself, and would hold the server."""
        self._feed.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the entry point's: it cancels us."""
        yield


async def _until_cancelled(server: uvicorn.Server) -> None:
    serving = asyncio.ensure_future(server.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


def _too_large(connection: HTTPConnection) -> Response:
    reply = too_large(speak(locale_of(connection)))
    return refuse(413, reply.code, reply.text)


async def _unavailable(request: Request, _error: Exception) -> Response:
    say = speak(locale_of(request))
    return refuse(503, "unavailable", refusal(Reason("unavailable"), say).text)


async def _bad_request(_request: Request, error: Exception) -> Response:
    return refuse(400, "bad-request", str(error) or "The request says not who asks.")


async def _gone(_request: Request, _error: Exception) -> Response:
    """Whoever asked has left in the middle of sending: nobody reads this."""
    return refuse(400, "bad-request", "The request ended too early.")


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  by the table below
    return refuse(error.status_code, "http", error.detail)


async def _defect(request: Request, error: Exception) -> Response:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return refuse(500, "defect", refusal(Reason("unavailable"), speak(locale_of(request))).text)


_FAULTS = {
    Unavailable: _unavailable,
    BadRequest: _bad_request,
    BadPersona: _bad_request,
    ClientDisconnect: _gone,
    HTTPException: _http,
    Exception: _defect,
}
