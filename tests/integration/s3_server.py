"""A loopback S3: objects, listings in pages, and outages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

WRITTEN = "2026-11-30T00:00:00.000Z"
PAGE = 3  # objects in one answer to a listing


@dataclass
class S3:
    """The state of the server: objects by `bucket/key`, and what was asked."""

    objects: dict[str, bytes] = field(default_factory=dict)
    down: threading.Event = field(default_factory=threading.Event)
    without_bucket: threading.Event = field(default_factory=threading.Event)
    refused: list[str] = field(default_factory=list)  # methods of requests during an outage
    listings: int = 0
    url: str = ""


def _listing(s3: S3, bucket: str, query: dict[str, list[str]]) -> bytes:
    prefix = query.get("prefix", [""])[0]
    after = query.get("continuation-token", [""])[0]
    keys = sorted(
        key.removeprefix(f"{bucket}/") for key in s3.objects if key.startswith(f"{bucket}/{prefix}")
    )
    rest = [key for key in keys if key > after]
    page, truncated = rest[:PAGE], len(rest) > PAGE
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>{WRITTEN}</LastModified>"
        f"<Size>{len(s3.objects[f'{bucket}/{key}'])}</Size></Contents>"
        for key in page
    )
    token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if truncated else ""
    return (
        f'<?xml version="1.0"?><ListBucketResult><Name>{bucket}</Name>'
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
    ).encode()


@contextmanager
def serving_s3() -> Iterator[S3]:
    """Serve on a loopback port."""
    s3 = S3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            name = unquote(parts.path).lstrip("/")
            query = parse_qs(parts.query, keep_blank_values=True)
            if s3.down.is_set():
                s3.refused.append(self.command)
                self._answer(503, b"<Error><Code>ServiceUnavailable</Code></Error>")
            elif s3.without_bucket.is_set():
                self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            elif self.command == "PUT":
                s3.objects[name] = _unchunked(body, self.headers.get("Content-Encoding", ""))
                self._answer(200, b"")
            elif self.command == "DELETE":
                s3.objects.pop(name, None)
                self._answer(204, b"")
            elif "list-type" in query:
                s3.listings += 1
                self._answer(200, _listing(s3, name.strip("/"), query))
            elif name in s3.objects:
                self._answer(200, s3.objects[name])
            else:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        do_GET = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815  http.server's names

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Last-Modified", "Mon, 30 Nov 2026 00:00:00 GMT")
            self.send_header("ETag", '"0"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    s3.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield s3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _unchunked(body: bytes, encoding: str) -> bytes:
    """The data of an upload with trailing checksums (`aws-chunked`)."""
    if "aws-chunked" not in encoding:
        return body
    data = b""
    while True:
        head, _, body = body.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if size == 0:
            return data
        data, body = data + body[:size], body[size + 2 :]
