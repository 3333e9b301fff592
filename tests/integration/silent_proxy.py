"""Loopback proxies in front of a real Postgres: one that falls silent, one that pools sessions."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import make_url

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def socket_of(url: str) -> str:
    """The path of the unix socket of an embedded Postgres."""
    return f"{make_url(url).query['host']}/.s.PGSQL.5432"


def through(url: str, port: int) -> str:
    """The URL of the same database behind a proxy on a loopback port."""
    return f"postgresql://postgres@127.0.0.1:{port}/{make_url(url).database}?sslmode=disable"


@contextmanager
def serving(handle: Handler) -> Iterator[int]:
    """Serve connections in a thread; gives the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(handle, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class SilentProxy:
    """Forwards bytes until `silent` is set; then it accepts data and forwards nothing."""

    def __init__(self, url: str) -> None:
        self.path = socket_of(url)
        self.silent = threading.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        upstream, upstream_writer = await asyncio.open_unix_connection(self.path)
        await asyncio.gather(
            self._forward(reader, upstream_writer), self._forward(upstream, writer)
        )

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if not self.silent.is_set():
                target.write(data)
        target.close()


class TransactionPooler:
    """A pooler in transaction mode: clients share server sessions, between transactions."""

    def __init__(self, url: str, startup_options: bool = True) -> None:
        self.path = socket_of(url)
        self.startup_options = startup_options
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._greeting = b""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        startup = await _startup(reader)
        self._idle.append(await self._open(startup))
        writer.write(self._greeting)
        session = None
        while message := await _message(reader):
            if message[:1] == b"X":
                break
            if session is None:
                session = self._idle.pop() if self._idle else await self._open(startup)
            session[1].write(message)
            ends = message[:1] in b"QS"  # a simple query, or the end of an extended one
            if ends and await self._answer(session[0], writer) == b"I":
                self._idle.append(session)
                session = None
        writer.close()

    async def _open(self, startup: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        session = await asyncio.open_unix_connection(self.path)
        session[1].write(startup if self.startup_options else _without_options(startup))
        self._greeting = b""
        while not self._greeting.endswith(b"Z\x00\x00\x00\x05I"):
            self._greeting += await _message(session[0])
        return session

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> bytes:
        """Forward an answer to its end; the state of the transaction."""
        while True:
            message = await _message(source)
            target.write(message)
            if message[:1] == b"Z":
                return message[5:6]


async def _startup(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(struct.unpack("!I", length)[0] - 4)


def _without_options(startup: bytes) -> bytes:
    words = startup[8:].rstrip(b"\0").split(b"\0")
    pairs = [(words[n], words[n + 1]) for n in range(0, len(words), 2)]
    kept = b"".join(b"%s\0%s\0" % pair for pair in pairs if pair[0] != b"options") + b"\0"
    return struct.pack("!I", len(kept) + 8) + startup[4:8] + kept


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One message of the protocol; empty at the end of the stream."""
    try:
        head = await reader.readexactly(5)
        return head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
