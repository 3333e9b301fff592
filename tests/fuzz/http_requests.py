"""HTTP requests to the playground: the real app and server on loopback, with a real Postgres."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import structlog

from bots.core.command_handler import build_command_handler
from bots.core.http_server import HttpServer
from bots.web.access_guard import AccessPolicy
from bots.web.app import create_app
from bots.web.event_stream import EventBroadcaster
from bots.web.sessions import SessionSigner
from tasks.client import Client, connect
from tests.fuzz.case import Case, Target
from tests.fuzz.pictures import mutated
from tests.fuzz.texts import text, value
from tests.stack import running_servers

SECRET = "the-fuzzers-own-secret"
SECONDS = 60.0  # for one exchange
METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "G\0T", "")
GET_PATHS = (
    "/", "/api/welcome", "/api/conversation", "/api/quota", "/api/studio", "/api/studio/day",
    "/api/studio/doors", "/api/export", "/pictures/{id}", "/page/main.js", "/sign-in", "/healthz",
)  # fmt: skip
POST_PATHS = (
    "/api/messages", "/api/messages", "/api/actions", "/api/actions", "/api/studio/doors",
    "/api/sign-in", "/api/sign-out",
)  # fmt: skip
ACTIONS = (
    "cancel", "vary", "upscale", "reroll", "details", "delete", "report", "undo", "join-waitlist",
    "edit-recent", "new-picture", "confirm-forget", "report-keep", "report-remove",
    "report-block", "x",
)  # fmt: skip
COMMANDS = (
    "/quota", "/queue", "/history 5", "/settings aspect=16:9", "/waitlist join", "/help",
    "/privacy export",
    "/studio doors free closed", "/studio words add x", "/studio grant <@a> 5",
    "/studio audit", "/cancel",
    "/studio role pro plus", "/studio block a", "/studio reports", "/studio settings language=fr",
)  # fmt: skip
CONTENT_TYPES = (
    "application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data",
    "multipart/form-data; boundary=x; charset=utf-7", "application/x-www-form-urlencoded", "",
    "\xff",
)  # fmt: skip
ODD_HEADERS = (
    ("Origin", "http://["), ("Origin", "null"), ("Origin", "http://127.0.0.1"), ("Host", "["),
    ("Host", "evil.test"), ("Sec-Fetch-Site", "cross-site"), ("Cookie", "atelier_session=x.y.z"),
    ("Range", "bytes=0-0"), ("If-None-Match", "*"), ("Accept-Language", "fr;q=x,en;q=nan"),
    ("Accept-Language", "-" * 500), ("X-Forwarded-For", "1.2.3.4"), ("Content-Length", "-1"),
    ("Content-Length", "9" * 30), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"),
    ("Upgrade", "websocket"), ("Content-Encoding", "gzip"), ("X", "y" * 9000),
)  # fmt: skip


@dataclass(eq=False)
class Errors(logging.Handler):
    """Errors that the product has logged since the last `take`."""

    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of the standard library's logging."""
        self.found.append(self.format(record))

    def process(self, _logger: Any, level: str, event: Any) -> str:
        """Keep an error of structlog."""
        if level in ("error", "exception", "critical"):
            self.found.append(repr(dict(event)))
        raise structlog.DropEvent

    def take(self) -> list[str]:
        """The errors so far."""
        found, self.found = self.found, []
        return found


@contextmanager
def http_target(folder: Path) -> Iterator[Target]:
    """The target, while servers run on `folder`."""
    errors = Errors()
    logging.getLogger().addHandler(errors)
    structlog.configure(processors=[errors.process], cache_logger_on_first_use=False)
    try:
        with running_servers(folder) as servers, asyncio.Runner() as runner:
            client = runner.run(connect(servers.settings))
            page, port, serving = runner.run(_start(client))
            runner.get_loop().set_exception_handler(
                lambda _loop, context: errors.found.append(repr(context))
            )

            def make(random: Random) -> Case:
                request, cut_off, kind = http_request(random)

                def run() -> None:
                    answer = runner.run(_exchange(port, request, cut_off))
                    _check(answer, errors.take())

                return Case(run, len(request), repr(request), kind)

            try:
                yield Target("HTTP requests", 0.02, make, counted=4)
            finally:
                page.should_exit = True
                runner.run(_finish(serving, client))
    finally:
        logging.getLogger().removeHandler(errors)
        structlog.reset_defaults()


async def _start(client: Client) -> tuple[HttpServer, int, asyncio.Task[None]]:
    broadcaster = EventBroadcaster(client)
    ready = asyncio.Event()
    app = create_app(
        build_command_handler(client, "postcard"), broadcaster, AccessPolicy(SessionSigner(SECRET))
    )
    page = HttpServer(
        app, host="127.0.0.1", port=0, on_ready=ready.set, on_shutdown=broadcaster.close
    )
    serving = asyncio.create_task(page.serve())
    await ready.wait()
    port: int = page.servers[0].sockets[0].getsockname()[1]
    return page, port, serving


async def _finish(serving: asyncio.Task[None], client: Client) -> None:
    await asyncio.gather(serving, return_exceptions=True)
    await client.close()


async def _exchange(port: int, request: bytes, cut_off: bool) -> bytes:
    """What the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        async with asyncio.timeout(SECONDS):
            writer.write(request)
            if cut_off:
                writer.write_eof()
            while chunk := await reader.read(65536):
                answer += chunk
    except ConnectionError:
        pass
    finally:
        writer.close()
    return answer


def _check(answer: bytes, errors: list[str]) -> None:
    assert not errors, errors
    assert answer == b"" or answer.startswith(b"HTTP/1.1 "), answer[:100]
    assert answer[9:10] != b"5", answer[:1000]
    assert b'"code":"unavailable"' not in answer, answer[:1000]


def http_request(random: Random) -> tuple[bytes, bool, str]:
    """One request, whether the connection is cut off before its body is whole, and its path."""
    posts = random.random() < 0.7
    method = "POST" if posts else "GET"
    path = random.choice(POST_PATHS if posts else GET_PATHS)
    if random.random() < 0.05:
        method = random.choice(METHODS)
    body, kind = _body(random, path) if posts else (b"", "")
    headers = [
        ("Host", "127.0.0.1"), ("Authorization", f"Bearer {SECRET}"),
        ("Connection", "close"), ("Atelier-Member", _persona(random)),
    ]  # fmt: skip
    if kind:
        headers.append(("Content-Type", kind))
    if posts:
        headers.append(("Content-Length", str(len(body))))
    if random.random() < 0.15:
        headers[random.randrange(len(headers))] = random.choice(ODD_HEADERS)
    if random.random() < 0.1:
        headers.append(random.choice(ODD_HEADERS))
    target = _target(random, path)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {one}" for name, one in headers), "", ""]
    head = "\r\n".join(lines).encode("latin-1", "replace")
    cut_off = not any(name == "Connection" for name, _ in headers)
    if random.random() < 0.05:
        damaged = bytearray(head)
        damaged[random.randrange(len(head))] = random.randrange(256)
        head, cut_off = bytes(damaged), True
    announced = [one for name, one in headers if name in ("Content-Length", "Transfer-Encoding")]
    cut_off = cut_off or announced not in ([], [str(len(body))]) or method != "POST"
    return head + body, cut_off, path


def _target(random: Random, path: str) -> str:
    target = path.replace(
        "{id}", random.choice(("0" * 32, "x", "%00", str(random.getrandbits(99))))
    )
    query = {
        "channel": random.choice(("general", "General", "", "%00", "%ff")),
        "thread": random.choice(("", "", "0" * 32, "x", "%00")),
        "locale": random.choice(("fr", "%ff", "", "x" * 300)),
        "server": random.choice(("", "web:playground", "x", "%00", "discord:*")),
        "as": random.choice(("", "e30", "%", "=" * 40)),
    }
    kept = [f"{name}={one}" for name, one in query.items() if random.random() < 0.6]
    return target + ("?" + "&".join(kept) if kept else "")


def _persona(random: Random) -> str:
    persona: dict[str, Any] = {
        "id": f"a{random.randrange(5000)}", "name": "Ann", "roles": ["pro"],
        "administrator": random.random() < 0.5, "locale": "en",
    }  # fmt: skip
    if random.random() < 0.15:
        persona[random.choice(("id", "name", "roles", "x"))] = value(random)
    return base64.urlsafe_b64encode(json.dumps(persona).encode()).decode().rstrip("=")


def _body(random: Random, path: str) -> tuple[bytes, str]:
    if random.random() < 0.05:
        junk = random.choice((b"", b"[" * 5000, b"\xff\xfe", b'{"a":' * 999, random.randbytes(300)))
        return junk, random.choice(CONTENT_TYPES)
    if path == "/api/messages":
        kind = "multipart/form-data; boundary=x"
        return _form(random), kind if random.random() < 0.95 else random.choice(CONTENT_TYPES)
    values: dict[str, Any] = {
        "action": random.choice(ACTIONS), "key": str(random.getrandbits(60)), "channel": "general",
        "target": random.choice((None, "0" * 32, "x")), "words": text(random),
        "factor": random.choice((2, 4, 3)), "door": random.choice(("free", "edit", "x")),
        "state": random.choice(("open", "auto", "x")), "server": "web:playground",
        "secret": text(random),
    }  # fmt: skip
    if random.random() < 0.3:
        values[random.choice(sorted(values))] = value(random)
    return json.dumps(values, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace"), (
        "application/json"
    )


def _form(random: Random) -> bytes:
    typed = random.choice(COMMANDS) if random.random() < 0.5 else text(random)
    fields: dict[str, bytes] = {
        "key": str(random.getrandbits(60)).encode(),
        "channel": random.choice((b"general", b"general", b"\xff", b"")),
        "text": typed.encode("utf-8", random.choice(("replace", "surrogatepass"))),
        "action": random.choice((b"", b"", b"edit", b"blend", b"reroll", b"x")),
        "target": random.choice((b"", b"0" * 32, b"x")),
        "sources": random.choice((b"", b"0" * 32, b"a,b")),
        "thread": random.choice((b"", b"", b"0" * 32, b"x")),
    }
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), one)
        for name, one in fields.items()
        if random.random() < 0.9
    ]
    if random.random() < 0.05:
        file = b'--x\r\nContent-Disposition: form-data; name="%b"; filename="a.png"\r\n\r\n%b\r\n'
        name = random.choice((b"reference", b"source", b"mask", b"text", b"y"))
        parts.append(file % (name, mutated(random)))
    random.shuffle(parts)
    return b"".join(parts) + random.choice((b"--x--\r\n", b"--x--\r\n", b"--x--\r\n", b""))
