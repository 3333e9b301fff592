"""The doctor's checks against a platform on this machine that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bots.operator.checkup.finding import Finding, Level
from bots.operator.checkup.machine import check_machine
from bots.operator.checkup.platforms import check_discord, check_slack, invite
from tasks.settings import Settings

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123"
Answering = Callable[[int, Any], Settings]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    """Settings for a platform that answers everything with a status and a value."""
    told: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(told["value"]).encode()
            self.send_response(told["status"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Not in the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"

    def tell(status: int, value: Any) -> Settings:
        told.update(status=status, value=value)
        return Settings(
            _env_file=None,
            home=tmp_path,
            discord_token=SecretStr(TOKEN),
            discord_api_url=f"{address}/api/v10",
            slack_bot_token=SecretStr("xoxb-1-2-3"),
            slack_app_token=SecretStr("xapp-1-2-3"),
            slack_api_url=f"{address}/api/",
        )

    yield tell
    server.shutdown()
    thread.join()
    server.server_close()


def levels(findings: Iterator[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


def test_a_token_that_is_taken(answering: Answering) -> None:
    found = list(check_discord(answering(200, {"id": "42", "name": "Atelier"})))
    assert levels(iter(found)) == [Level.OK, Level.OK]
    assert "client_id=42" in found[-1].text
    assert levels(check_slack(answering(200, {"ok": True, "team": "Us"}))) == [Level.OK, Level.OK]


def test_a_token_that_is_refused(answering: Answering) -> None:
    found = list(check_discord(answering(401, {"message": "401: Unauthorized"})))
    assert levels(iter(found)) == [Level.FAIL]
    assert "Reset Token" in found[0].mend
    refused = list(check_slack(answering(200, {"ok": False, "error": "invalid_auth"})))
    assert levels(iter(refused)) == [Level.FAIL, Level.FAIL]
    assert "ATELIER_SLACK_APP_TOKEN" in refused[1].text


@pytest.mark.parametrize("value", [{"ok": False, "error": "ratelimited"}, {}, ["no object"]])
def test_a_platform_in_trouble_is_no_fault_of_the_token(answering: Answering, value: Any) -> None:
    assert levels(check_slack(answering(503, value))) == [Level.WARN, Level.WARN]


def test_a_platform_that_is_away_is_no_fault_of_the_token(tmp_path: Path) -> None:
    away = Settings(
        _env_file=None,
        home=tmp_path,
        discord_token=SecretStr(TOKEN),
        discord_api_url="http://127.0.0.1:1/api/v10",
        slack_bot_token=SecretStr("xoxb-1"),
        slack_signing_secret=SecretStr("0" * 32),
        slack_api_url="http://127.0.0.1:1/api/",
    )
    assert levels(check_discord(away)) == [Level.WARN, Level.OK]
    assert levels(check_slack(away)) == [Level.WARN]


def test_secrets_are_not_in_what_is_found(answering: Answering) -> None:
    settings = answering(401, {})
    for finding in [*check_discord(settings), *check_slack(settings)]:
        assert TOKEN not in finding.text + finding.mend
        assert "-1-2-3" not in finding.text + finding.mend


def test_the_invitation_asks_for_no_right_over_others() -> None:
    link = invite("42")
    rights = int(link.partition("permissions=")[2].partition("&")[0])
    administrator, manage_guild, manage_messages, mention_everyone = 3, 5, 13, 17
    for bit in (administrator, manage_guild, manage_messages, mention_everyone):
        assert not rights >> bit & 1


def test_a_model_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, web_port=0, model=str(tmp_path / "none"))
    found = {finding.subject: finding for finding in check_machine(settings)}
    assert found["model"].level is Level.FAIL
    assert found["torch"].level is Level.OK
