"""The HTTP server of Slack's routes: limits on bodies, headers and connections."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from slack_bolt.async_app import AsyncApp

from bots.core import http_server, lingering_close
from bots.core.http_server import LimitedProtocol, connection_limit
from bots.slack.http_routes import MAX_BODY, http_app
from bots.slack.http_server import PortUnavailable, serve_http
from tests.platforms.slack.conftest import SECRET, free_port
from tests.platforms.slack.deliveries import signature
from tests.platforms.slack.http_bot import event_body, http_bot

HEADER_SECONDS = 0.3
BODY_SECONDS = 0.5


@dataclass
class RawClient:
    """Raw bytes to the server: what no HTTP library would send."""

    port: int
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def send(self, data: bytes) -> int:
        """Send a request on a new connection; the status, or 0 where it was closed."""
        reader, writer = await self.open()
        writer.write(data)
        return await status(reader)

    async def post(
        self, path: str, body: bytes, content_type: str, *, secret: str = SECRET, stamp: str = ""
    ) -> int:
        """Send a signed request; the status."""
        stamp = stamp or str(int(time.time()))
        try:
            signed = signature(secret, stamp, body.decode())
        except UnicodeDecodeError:
            signed = "v0=0"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nX-Slack-Request-Timestamp: {stamp}\r\n"
            f"X-Slack-Signature: {signed}\r\n\r\n"
        )
        return await self.send(head.encode() + body)


async def status(reader: asyncio.StreamReader) -> int:
    """The status of the next response; 0 where the connection is closed without one."""
    try:
        async with asyncio.timeout(20):
            line = await reader.readline()
    except ConnectionError:
        return 0
    return int(line.split()[1]) if line else 0


async def sent_until_closed(writer: asyncio.StreamWriter, most: int) -> int:
    """Send chunks until the server closes the connection; the bytes written."""
    for sent in range(0, most, 65536):
        try:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
        except ConnectionError:
            return sent
    return most


@pytest.fixture
def events() -> list[str]:
    """The texts of the events that reached a listener."""
    return []


@pytest.fixture
async def client(events: list[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RawClient]:
    monkeypatch.setattr(LimitedProtocol, "header_seconds", HEADER_SECONDS)
    async with http_bot(events, BODY_SECONDS) as port:
        opened = RawClient(port)
        yield opened
        for writer in opened.writers:
            writer.close()


async def test_signed_event_reaches_its_listener(client: RawClient, events: list[str]) -> None:
    assert await client.post("/slack/events", event_body("hello"), "application/json") == 200
    assert events == ["hello"]


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/metrics", "/page/app.js", "/slack", "/slack/", "/slack/other"]
)
async def test_no_other_route_is_served(path: str, client: RawClient) -> None:
    assert await client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == 404


async def test_unsigned_body_is_neither_parsed_nor_logged(
    client: RawClient, events: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    body = event_body("marker-of-an-unsigned-body\nforged line")
    assert await client.post("/slack/events", body, "application/json", secret="x") == 401
    assert await client.post("/slack/events", b"{", "application/json", secret="x") == 401
    unknown = json.dumps({"type": "shortcut", "callback_id": "marker-of-a-signed-body"}).encode()
    assert await client.post("/slack/interactions", unknown, "application/json") == 404
    assert events == []
    assert "marker" not in caplog.text


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"payload=%7B", "application/x-www-form-urlencoded", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"event": 1, "type": [], "team": 3}', "application/json", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded; charset=utf-7", 400),
    ],
)
async def test_malformed_signed_body_is_a_client_error(
    body: bytes, content_type: str, code: int, client: RawClient
) -> None:
    assert await client.post("/slack/events", body, content_type) == code
    assert await client.post("/slack/events", event_body("next"), "application/json") == 200


@pytest.mark.parametrize("stamp", ["never", "-1", "9" * 12, "9" * 5000, "1e9", " "])
async def test_invalid_timestamp_is_unsigned(stamp: str, client: RawClient) -> None:
    answered = await client.post("/slack/events", event_body("x"), "application/json", stamp=stamp)
    assert answered == 401


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth_redirect"])
async def test_pages_refuse_a_body_without_reading_it(path: str, client: RawClient) -> None:
    """400 MB are announced or streamed; the server reads no more than its buffers."""
    announced = f"GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {400 * 2**20}\r\n\r\n"
    assert await client.send(announced.encode()) == 413
    _, writer = await client.open()
    chunked = f"GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(chunked.encode())
    sent = await sent_until_closed(writer, 400 * 2**20)
    assert sent < 32 * 2**20  # what the kernel buffers on both sides


async def test_body_over_the_limit_is_refused(client: RawClient) -> None:
    head = "POST /slack/events HTTP/1.1\r\nHost: x\r\n"
    announced = f"{head}Content-Length: {MAX_BODY + 1}\r\n\r\n".encode()
    assert await client.send(announced) == 413
    chunk = b"%x\r\n%s\r\n" % (MAX_BODY + 1, b"x" * (MAX_BODY + 1))
    streamed = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk
    assert await client.send(streamed) == 413


async def test_a_client_that_still_sends_its_body_reads_the_refusal(client: RawClient) -> None:
    """A proxy whose write fails answers 502, and never reads the response."""
    answered = await asyncio.to_thread(sends_on_before_it_reads, client.port, 4 * MAX_BODY)
    assert answered.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answered.lower()


def sends_on_before_it_reads(port: int, length: int) -> bytes:
    """Post a body as a proxy does that reads the response late; all that it reads."""
    head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.encode() + b"x" * 100_000)
        assert connection.recv(1, socket.MSG_PEEK)
        for _ in range(20):
            time.sleep(0.01)
            connection.sendall(b"x" * 65536)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("limit", ["seconds", "bytes"])
async def test_a_client_that_never_stops_sending_is_cut_off(
    limit: str, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = {"seconds": "LINGER_SECONDS", "bytes": "LINGER_BYTES"}[limit]
    monkeypatch.setattr(lingering_close, name, 0.3 if limit == "seconds" else 100_000)
    _, writer = await client.open()
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    chunk = b"x" * (1 if limit == "seconds" else 10_000)
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(20):
            await send_for_ever(writer, chunk)


async def send_for_ever(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """Raises ConnectionError once the server has closed the connection."""
    while True:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_slow_body_times_out(client: RawClient) -> None:
    slow = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx"
    assert await client.send(slow) == 408


async def test_many_slow_bodies_do_not_block_slack_for_ever(
    client: RawClient, events: list[str]
) -> None:
    slow = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx"
    waiting = [asyncio.create_task(client.send(slow)) for _ in range(64)]
    assert set(await asyncio.gather(*waiting)) == {408}
    assert await client.post("/slack/events", event_body("after"), "application/json") == 200
    assert events == ["after"]


@pytest.mark.parametrize("start", [b"", b"POST /slack/ev", b"GET / HTTP/1.1\r\nHost: x\r\nA: b"])
async def test_unfinished_headers_are_cut_off(start: bytes, client: RawClient) -> None:
    reader, writer = await client.open()
    writer.write(start)
    assert await status(reader) == 0


async def test_deadline_applies_to_the_second_request_of_a_connection(client: RawClient) -> None:
    reader, writer = await client.open()
    writer.write(b"GET /slack/events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await status(reader) == 405
    writer.write(b"G")  # cancels uvicorn's own timeout of idle connections
    async with asyncio.timeout(20):
        rest = await reader.read()
    assert rest.count(b"HTTP/1.1") == 0


@pytest.fixture
def few_files() -> Iterator[None]:
    """A process that may open 256 files, as `ulimit -n 256` sets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def twenty_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers started from now on keep 20 connections open, for as long as they like."""
    monkeypatch.setattr(http_server, "MAX_CONNECTIONS", 20)


async def test_idle_connections_give_way_to_new_requests(
    twenty_connections: None,
    client: RawClient,
    events: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LimitedProtocol, "header_seconds", 60.0)
    idle = [await client.open() for _ in range(60)]
    for number in range(5):
        body = event_body(f"number {number}")
        assert await client.post("/slack/events", body, "application/json") == 200
    assert len(events) == 5
    closed = sum(reader.at_eof() for reader, _ in idle)
    assert closed >= 40


SLOW = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


async def test_slow_bodies_keep_no_request_out(events: list[str]) -> None:
    """They have far more time than this test, and a part of their bodies is in memory."""
    async with http_bot(events, body_seconds=600.0, body_memory=10 * 9000) as port:
        client = RawClient(port)
        slow = [await client.open() for _ in range(100)]
        for _, writer in slow:
            writer.write(SLOW + b"x" * 9000)
            await writer.drain()
        assert await client.post("/slack/events", event_body("after"), "application/json") == 200
        assert events == ["after"]
        given_up = [asyncio.create_task(status(reader)) for reader, _ in slow[:80]]
        assert set(await asyncio.gather(*given_up)) == {408}  # the oldest ones
        for writer in client.writers:
            writer.close()


async def test_slow_bodies_give_way_to_new_connections(
    twenty_connections: None, events: list[str]
) -> None:
    async with http_bot(events, body_seconds=600.0) as port:
        client = RawClient(port)
        slow = [await client.open() for _ in range(60)]
        for _, writer in slow:
            writer.write(SLOW + b"x")
        for number in range(5):
            body = event_body(f"number {number}")
            assert await client.post("/slack/events", body, "application/json") == 200
        assert len(events) == 5
        for writer in client.writers:
            writer.close()


@pytest.mark.usefixtures("few_files")
def test_connection_limit_leaves_files_for_everything_else() -> None:
    assert connection_limit() == 160


async def test_used_port_is_reported_with_the_settings_name() -> None:
    port = free_port()
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", port)
    app = AsyncApp(name="test", signing_secret=SECRET, token="xoxb-x")
    with pytest.raises(PortUnavailable, match="ATELIER_SLACK_HTTP_PORT"):
        await serve_http(http_app(app, SECRET, None), "127.0.0.1", port, lambda: None)
    server.close()
