"""The playground as a Starlette application, and serving it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Mount

from bots.core.command_handler import CommandHandler, build_command_handler
from bots.core.http_server import HttpServer, serve_until_cancelled
from bots.core.invitation_notifier import InvitationNotifier
from bots.core.locales import localizer_for
from bots.web.access_guard import AccessGuard, AccessPolicy, refusal_response
from bots.web.admin_dashboard import AdminDashboard
from bots.web.commands import CommandRoutes, file_too_large
from bots.web.door_settings import DoorSettings
from bots.web.error_handlers import EXCEPTION_HANDLERS
from bots.web.event_stream import EventBroadcaster
from bots.web.exports import ExportRoutes
from bots.web.local_peer import is_loopback
from bots.web.locales import negotiate_locale
from bots.web.monitoring import create_monitoring_app
from bots.web.page_files import page_routes
from bots.web.pictures import PictureRoutes
from bots.web.roles import PLATFORM
from bots.web.sessions import SECRET_FILE, SIGNED_OUT_FILE, SessionSigner, load_secret
from bots.web.sign_in import SignIn
from bots.web.signed_out import SignedOutSessions
from bots.web.upload_limits import BodySizeLimit
from tasks.client import Invitation, connect
from tasks.runtime.settings import Settings

MONITORING_PORT = 8767
MONITORING_ADDRESS_FILE = "monitoring-{}.url"  # by the page's port

log = structlog.get_logger()


def create_app(
    handler: CommandHandler, broadcaster: EventBroadcaster, policy: AccessPolicy
) -> Starlette:
    """The playground."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async def notify(invitation: Invitation, text: str) -> None:
            broadcaster.notify(invitation.member, text)

        invitations = InvitationNotifier(handler.client, PLATFORM, notify)
        tasks = [asyncio.create_task(run()) for run in (broadcaster.run, invitations.run)]
        for task in tasks:
            task.add_done_callback(_log_failure)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    upload_bytes = handler.client.pictures.upload_bytes

    def body_too_large(connection: HTTPConnection) -> Response:
        reply = file_too_large(localizer_for(negotiate_locale(connection)), upload_bytes)
        return refusal_response(413, reply.code, reply.text)

    playground = Starlette(
        routes=[
            *page_routes(),
            *SignIn(policy).routes(),
            *CommandRoutes(handler, broadcaster, policy).routes(),
            *PictureRoutes(handler.client).routes(),
            *ExportRoutes(handler).routes(),
            *AdminDashboard(handler.client).routes(),
            *DoorSettings(handler.client).routes(),
        ],
        middleware=[
            Middleware(AccessGuard, policy=policy),
            Middleware(BodySizeLimit, refusal=body_too_large, upload_bytes=upload_bytes),
        ],
        exception_handlers=dict(EXCEPTION_HANDLERS),
    )
    routes = [Mount("/", playground)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=dict(EXCEPTION_HANDLERS))


def _log_failure(task: asyncio.Task[None]) -> None:
    """Log the end of a background task by an unexpected error; without it pages go stale."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("background-task-failed", exc_info=error)


async def serve(settings: Settings, ready: Callable[[], None]) -> None:
    """Serve the playground until cancelled; calls `ready` once when the page answers."""
    policy = access_policy(settings)
    client = await connect(settings)
    try:
        broadcaster = EventBroadcaster(client)
        handler = build_command_handler(client, settings.model)
        page = HttpServer(
            create_app(handler, broadcaster, policy),
            host=settings.web_host,
            port=settings.web_port,
            on_ready=ready,
            on_shutdown=broadcaster.close,
        )
        listener = _monitoring_listener(settings)
        host, port = listener.getsockname()[:2]
        monitoring = HttpServer(create_monitoring_app(client), host=host, port=port)
        await serve_until_cancelled([(monitoring, [listener]), (page, None)])
    finally:
        await client.close()


def access_policy(settings: Settings) -> AccessPolicy:
    """Who may use the playground under these settings.

    Only a playground that listens on loopback and has no public address is open to the programs of
    this machine without a sign-in.
    """
    configured = settings.web_secret.get_secret_value() if settings.web_secret else None
    secret, generated = load_secret(settings.home, configured)
    if generated:
        _announce_secret(settings, secret)
    public = urlsplit(settings.web_public_url) if settings.web_public_url else None
    names = {settings.web_host, socket.gethostname(), public.hostname if public else None}
    return AccessPolicy(
        SessionSigner(secret, SignedOutSessions(settings.home / SIGNED_OUT_FILE)),
        hosts=frozenset(name.lower() for name in names if name),
        public_origin=f"{public.scheme}://{public.netloc}".lower() if public else None,
        local=is_loopback(settings.web_host) and public is None,
    )


def _announce_secret(settings: Settings, secret: str) -> None:
    """Show a new secret once to the operator at a terminal; a log only says where it is."""
    path = settings.home / SECRET_FILE
    if sys.stderr.isatty():
        print(f"Operator's secret for /sign-in, kept in {path}: {secret}", file=sys.stderr)
    log.info("playground-secret-generated", path=str(path))


def _monitoring_listener(settings: Settings) -> socket.socket:
    """The socket for health and metrics; any free port where only the default one is taken."""
    wanted = settings.metrics_port
    try:
        listener = _listen(settings.metrics_host, MONITORING_PORT if wanted is None else wanted)
    except OSError as error:
        if wanted is not None or error.errno != errno.EADDRINUSE:
            raise
        listener = _listen(settings.metrics_host, 0)
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    log.info("monitoring-listening", url=url)
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MONITORING_ADDRESS_FILE.format(settings.web_port)).write_text(
        f"{url}\n", encoding="ascii"
    )
    return listener


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)
