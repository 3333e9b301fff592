"""Hostile HTTP: oversized, slow, malformed and too many requests. The server goes on answering."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browser.visitor import Visit, Visitor
from tests.browser.web_process import answers, free_port
from tests.stack import AtelierProcess, wait_until

MEGABYTE = 1024 * 1024


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def exchange(url: str, data: bytes) -> bytes:
    """Send bytes on a connection of their own; what comes back until it closes."""
    received = b""
    with (
        socket.create_connection(address_of(url), timeout=30) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(data)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_body_on_route_without_body_is_refused_unread(atelier: AtelierProcess) -> None:
    for method, path in (("GET", "/"), ("GET", "/api/welcome"), ("POST", "/page/main.js")):
        for length in ("Content-Length: 419430400", "Transfer-Encoding: chunked"):
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"
            answer = exchange(atelier.url, head.encode())
            assert answer.startswith(b"HTTP/1.1 413"), (method, path, length)
    assert answers(atelier.url)


def test_large_json_is_refused(visit: Visit) -> None:
    ann = visit()
    for path in ("/api/actions", "/api/studio/doors", "/api/sign-in"):
        assert ann.http.post(path, content=b" " * MEGABYTE).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        json.dumps({"action": "report"}).encode("utf-16"),
        b'{"action": "report", "words": "\xe9"}',
        b'{"action": "report", "words": "\\ud800"}',
        b'{"action": "report", "words": "\\u0000"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 5000,
        b"NaN",
    ],
)
def test_malformed_json_is_refused(visit: Visit, body: bytes) -> None:
    ann = visit(administrator=True)
    for path in ("/api/actions", "/api/studio/doors", "/api/sign-in"):
        answer = ann.http.post(path, content=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def form(text: bytes, header: bytes = b"") -> bytes:
    fields = {b"key": uuid.uuid4().hex.encode(), b"channel": b"general", b"text": text}
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n' % (name, header, value)
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--x--\r\n"


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=x; charset=utf-7",
        "multipart/form-data; boundary=x; charset=idna",
        'multipart/form-data; boundary=x; CharSet="punycode"',
        "multipart/form-data; charset=unicode_escape; boundary=x",
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
    ],
)
def test_form_in_another_encoding_is_refused(visit: Visit, kind: str) -> None:
    body = form(b"/quota " + b"a" * 100_000)
    answer = visit().http.post("/api/messages", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    "body",
    [form(b"\xff\xfe"), form(b"\xed\xa0\x80"), form(b"a", b"X: " + b"y" * 100_000 + b"\r\n")],
)
def test_malformed_form_is_refused(visit: Visit, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = visit().http.post("/api/messages", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def test_form_in_utf_8_is_accepted(visit: Visit) -> None:
    headers = {"Content-Type": 'multipart/form-data; boundary=x; charset="UTF-8"'}
    answer = visit().http.post("/api/messages", content=form(b"/quota"), headers=headers)
    assert answer.json()["kind"] == "answer"


@pytest.mark.parametrize(
    "path", ["/page/%00", "/%00", "/api/%ff", "/pictures/%00", "/page/locales/%00.ftl", "/page/%f0"]
)
def test_malformed_path_is_not_found(visit: Visit, path: str) -> None:
    assert visit().http.get(path).status_code in (400, 404)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[\r\n",
        b"GET / HTTP/1.1\r\nHost: [\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: atelier_session=\xff\r\n",
        b"GET /api/welcome HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\r\n",
        b"GET /api/quota HTTP/1.1\r\nHost: localhost\r\nAtelier-Member: \xff\r\n",
        b"GET /api/welcome?locale=\xff HTTP/1.1\r\nHost: localhost\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1e9\r\n",
        b"NONSENSE\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200_000 + b"\r\n",
    ],
)
def test_malformed_head_gets_a_client_error(atelier: AtelierProcess, head: bytes) -> None:
    before = atelier.log.count("request-failed")
    answer = exchange(atelier.url, head + b"Connection: close\r\n\r\n")
    assert answer[9:10] in (b"4", b"2"), answer[:100]
    assert atelier.log.count("request-failed") == before


def test_connection_without_whole_headers_is_closed(atelier: AtelierProcess) -> None:
    with contextlib.ExitStack() as stack:
        heads = [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\n"]
        connections = []
        for head in heads:
            connection = socket.create_connection(address_of(atelier.url), timeout=60)
            stack.enter_context(connection)
            connection.sendall(head)
            connections.append(connection)
        for connection in connections:
            assert connection.recv(1) == b""


@dataclass(frozen=True, slots=True)
class LimitedWeb:
    """A web process that may open 256 files."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture
def limited_web(atelier: AtelierProcess, tmp_path: Path) -> Iterator[LimitedWeb]:
    """A web process that may open 256 files."""
    port = free_port()
    environment = {
        **atelier.full_environment,
        "ATELIER_WEB_PORT": str(port),
        "ATELIER_METRICS_PORT": "0",
    }
    with (tmp_path / "web.log").open("ab") as log:
        process = subprocess.Popen(
            ["sh", "-c", 'ulimit -n 256; exec "$0" -P -m bots.cli web', sys.executable],
            env=environment,
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url), 60, "the page answers")
        yield LimitedWeb(url, process, tmp_path / "web.log")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("burst", [False, True])
def test_idle_connections_do_not_keep_others_out(limited_web: LimitedWeb, burst: bool) -> None:
    """In a burst, the process finds all connections at once: it was busy when they came."""
    with contextlib.ExitStack() as stack:
        if burst:
            limited_web.process.send_signal(signal.SIGSTOP)
        for number in range(300):
            connection = socket.create_connection(address_of(limited_web.url), timeout=30)
            stack.enter_context(connection)
            connection.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
        limited_web.process.send_signal(signal.SIGCONT)
        for _ in range(5):
            assert httpx.get(f"{limited_web.url}/", timeout=60).status_code == 200
        assert Visitor(limited_web.url).welcome["token"]
    log = limited_web.log.read_text()
    assert "connection-limit-reached" in log
    assert "out of system resource" not in log
