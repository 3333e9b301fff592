"""The HTTP server: uvicorn with limits on connections, on slow requests, and an orderly stop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import resource
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, cast

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from bots.core.lingering_close import LingeringTransport

SHUTDOWN_SECONDS = 3
UNREAD = (h11.SEND_BODY, h11.ERROR)  # a client in these states may still be sending
HEADER_SECONDS = 10.0  # from the connection, or the first byte of a request, to the last header
RESERVED_DESCRIPTORS = 96  # for databases, files and the event loop
MAX_CONNECTIONS = 1024
ACCEPTED_AT_ONCE = 16
"""Connections that asyncio accepts in one turn of its loop. It closes those above the limit three
turns later: without a bound, a burst uses up the process's descriptors, and each accept then fails
with a traceback, for seconds."""
UNACCEPTED = 1024  # connections that may wait for that in the kernel

log = structlog.get_logger()

Application = Callable[..., Awaitable[None]]
"""An ASGI application."""


class ConnectionLimiter:
    """Keeps the number of open connections below a limit.

    At the limit, the connection that has waited longest for a whole request is closed for a new
    one. Without one that waits, the new connection is closed.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: set[asyncio.BaseTransport] = set()
        self._waiting: dict[asyncio.BaseTransport, None] = {}

    def opened(self, connection: asyncio.BaseTransport) -> None:
        """Count a connection, which waits for its first request."""
        self._open.add(connection)
        if len(self._open) > self.limit:
            victim = next(iter(self._waiting), connection)
            log.warning("connection-limit-reached", limit=self.limit)
            self.closed(victim)
            victim.close()
        if connection in self._open:
            self._waiting[connection] = None

    def waits(self, connection: asyncio.BaseTransport) -> None:
        """The connection has no request at the moment."""
        if connection in self._open:
            self._waiting.setdefault(connection)

    def works(self, connection: asyncio.BaseTransport) -> None:
        """The connection has a whole request, and is answered."""
        self._waiting.pop(connection, None)

    def closed(self, connection: asyncio.BaseTransport) -> None:
        """The connection is closed, or is about to be."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)


class LimitedProtocol(H11Protocol):
    """One connection: counted, with a deadline for each request's headers.

    A connection gives its requests one `peer` dictionary: what was found out about the other end is
    kept there for as long as the connection lasts.
    """

    header_seconds = HEADER_SECONDS

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limiter: ConnectionLimiter,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "peer": {}}, _loop)
        self._limiter = limiter
        self._connection: asyncio.Transport
        self._closing: LingeringTransport
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection and wait for its first request."""
        self._connection = transport
        self._closing = LingeringTransport(transport, lambda: self.conn.their_state in UNREAD)
        super().connection_made(self._closing)
        self._limiter.opened(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Pass data on; a request that is not whole yet keeps its deadline."""
        if self._closing.lingering:
            self._closing.discard(data)
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_headers()
            return
        self._cancel_deadline()
        if self.conn.their_state is not h11.SEND_BODY:  # what is slow gives way to new connections
            self._limiter.works(self._connection)

    def on_response_complete(self) -> None:
        """Wait for the connection's next request."""
        super().on_response_complete()
        self._limiter.waits(self._connection)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._limiter.closed(self._connection)
        self._cancel_deadline()
        self._closing.forget()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Finish the response, then close; a connection that lingers closes now."""
        if self._closing.lingering:
            self._closing.abandon()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answer malformed data once: what the app sends from then on is dropped."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            super().send_400_response(msg)
            return
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._connection.close)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class HttpServer(uvicorn.Server):
    """A server that reports when it is listening, and calls `on_shutdown` before it stops.

    `host` and `port` count only where `serve` is given no sockets.
    """

    def __init__(
        self,
        app: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_ready: Callable[[], None] = lambda: None,
        on_shutdown: Callable[[], None] = lambda: None,
    ) -> None:
        limiter = ConnectionLimiter(connection_limit())
        protocol = functools.partial(LimitedProtocol, limiter=limiter)
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=cast("type[asyncio.Protocol]", protocol),
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=ACCEPTED_AT_ONCE,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self._on_ready = on_ready
        self._on_shutdown = on_shutdown

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then report it."""
        await super().startup(sockets)
        if self.started:
            for server in self.servers:
                _lengthen_backlog(server)
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. Event streams never end by themselves, so `on_shutdown` closes them first."""
        self._on_shutdown()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the entry point, which cancels `serve`."""
        yield


def _lengthen_backlog(server: asyncio.Server) -> None:
    """Let more connections wait in the kernel; asyncio has one number for both."""
    for each in server.sockets:
        with socket.fromfd(each.fileno(), each.family, each.type) as listening:
            listening.listen(UNACCEPTED)


def connection_limit() -> int:
    """How many connections a server accepts: fewer than this process may have open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, soft - RESERVED_DESCRIPTORS))


async def serve_until_cancelled(
    servers: Sequence[tuple[HttpServer, list[socket.socket] | None]],
) -> None:
    """Run servers until this task is cancelled or one of them ends, then stop all of them."""
    running = [asyncio.ensure_future(server.serve(sockets)) for server, sockets in servers]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server, _ in servers:
            server.should_exit = True
        await asyncio.gather(*running, return_exceptions=True)
    for each in running:
        each.result()
