"""A rejected token is reported once, by its variable; the token itself is never printed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.stack import Servers, clean_environment

SECRET = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123"


class Refusing(BaseHTTPRequestHandler):
    """A platform that rejects every token: Discord with 401, Slack with `invalid_auth`."""

    def do_GET(self) -> None:
        self._answer(401, {"message": "401: Unauthorized", "code": 0})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(200, {"ok": False, "error": "invalid_auth"})

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def refusing() -> Iterator[str]:
    """The URL of a platform that rejects every token."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("command", "variable", "settings"),
    [
        (
            "discord",
            "ATELIER_DISCORD_TOKEN",
            {"ATELIER_DISCORD_TOKEN": SECRET, "ATELIER_DISCORD_API_URL": "{}/api/v10"},
        ),
        (
            "slack",
            "ATELIER_SLACK_APP_TOKEN",
            {
                "ATELIER_SLACK_APP_TOKEN": f"xapp-{SECRET}",
                "ATELIER_SLACK_BOT_TOKEN": f"xoxb-{SECRET}",
                "ATELIER_SLACK_API_URL": "{}/api/",
            },
        ),
    ],
)
def test_rejected_token_ends_the_bot_and_is_not_logged(
    servers: Servers,
    database_url: str,
    refusing: str,
    tmp_path: Path,
    command: str,
    variable: str,
    settings: dict[str, str],
) -> None:
    environment = clean_environment(
        ATELIER_HOME=str(tmp_path / "home"),
        ATELIER_DATABASE_URL=database_url,
        ATELIER_REDIS_URL=servers.valkey.url,
        **{name: value.format(refusing) for name, value in settings.items()},
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bots.cli", command],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stderr.strip().splitlines()
    assert done.returncode == 78, done.stderr
    assert said[-1].startswith(variable)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr + done.stdout
