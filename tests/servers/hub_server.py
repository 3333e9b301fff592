"""A model hub on this machine: repositories are folders, and faults can be set."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubServer:
    """Serves `repositories` (id → folder). `asked` lists the files that were sent, with ranges.

    `gated` and `private` are ids that this visitor may not read. `breaks_after` breaks off the
    next file of a larger size after so many bytes.
    """

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.repositories = repositories
        self.gated: set[str] = set()
        self.private: set[str] = set()
        self.breaks_after: int | None = None
        self.asked: list[tuple[str, str | None]] = []
        server = self

        class Handler(_Handler):
            hub = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever)

    @property
    def url(self) -> str:
        """For HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: Any) -> None:
        """Not in the tests' output."""

    def _answer(self, *, body: bool) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        is_api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if is_api else parts[:2])
        folder = self.hub.repositories.get(name)
        if name in self.hub.gated:
            return self._refuse(403, "GatedRepo")
        if folder is None or name in self.hub.private:
            return self._refuse(401, "RepoNotFound")
        if is_api:
            return self._send(200, json.dumps(self._info(name, folder)).encode(), body=body)
        return self._file(folder, "/".join(parts[4:]), body=body)

    def _info(self, name: str, folder: Path) -> dict[str, Any]:
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        siblings = [
            {"rfilename": file.relative_to(folder).as_posix(), "size": file.stat().st_size}
            for file in files
        ]
        return {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings}

    def _file(self, folder: Path, name: str, *, body: bool) -> None:
        path = folder / name
        if not path.is_file():
            return self._refuse(404, "EntryNotFound")
        data = path.read_bytes()
        asked = self.headers.get("Range")
        begin = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT}
        if asked:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        if body:
            self.hub.asked.append((name, asked))
        return self._send(206 if asked else 200, data[begin:], headers, body=body)

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def _send(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, *, body: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body or self.command == "HEAD":
            return
        limit = self.hub.breaks_after
        if limit is not None and len(data) > limit:
            self.hub.breaks_after = None
            self.wfile.write(data[:limit])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.wfile.write(data)
