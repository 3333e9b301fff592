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

from bots.operator.doctor import check_unknown_variables
from bots.operator.doctor_checks.finding import Finding, Level
from bots.operator.doctor_checks.machine import check_machine
from bots.operator.doctor_checks.platforms import MANIFEST, check_discord, check_slack, invite
from tasks.policy.access import AccessMode, AccessPolicy
from tasks.policy.config import load
from tasks.runtime.settings import Settings

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


def test_accepted_token(answering: Answering) -> None:
    found = list(check_discord(answering(200, {"id": "42", "name": "Atelier"})))
    assert levels(iter(found)) == [Level.OK, Level.OK]
    assert "client_id=42" in found[-1].text
    assert levels(check_slack(answering(200, {"ok": True, "team": "Us"}))) == [Level.OK, Level.OK]


def test_rejected_token(answering: Answering) -> None:
    found = list(check_discord(answering(401, {"message": "401: Unauthorized"})))
    assert levels(iter(found)) == [Level.FAIL]
    assert "Reset Token" in found[0].fix
    refused = list(check_slack(answering(200, {"ok": False, "error": "invalid_auth"})))
    assert levels(iter(refused)) == [Level.FAIL, Level.FAIL]
    assert "ATELIER_SLACK_APP_TOKEN" in refused[1].text


@pytest.mark.parametrize("value", [{"ok": False, "error": "ratelimited"}, {}, ["no object"]])
def test_platform_error_is_not_blamed_on_the_token(answering: Answering, value: Any) -> None:
    assert levels(check_slack(answering(503, value))) == [Level.WARN, Level.WARN]


def test_unreachable_platform_is_not_blamed_on_the_token(tmp_path: Path) -> None:
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


def test_findings_contain_no_secrets(answering: Answering) -> None:
    settings = answering(401, {})
    for finding in [*check_discord(settings), *check_slack(settings)]:
        assert TOKEN not in finding.text + finding.fix
        assert "-1-2-3" not in finding.text + finding.fix


def test_invite_link_requests_no_moderation_permission() -> None:
    link = invite("42")
    rights = int(link.partition("permissions=")[2].partition("&")[0])
    administrator, manage_guild, manage_messages, mention_everyone = 3, 5, 13, 17
    for bit in (administrator, manage_guild, manage_messages, mention_everyone):
        assert not rights >> bit & 1


def test_missing_model_is_a_failure(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, web_port=0, model=str(tmp_path / "none"))
    found = {finding.subject: finding for finding in check_machine(settings, load(None))}
    assert found["model"].level is Level.FAIL
    assert found["torch"].level is Level.OK


@pytest.mark.parametrize(
    ("public", "mode", "warned"),
    [
        (True, AccessMode.EVERYONE, True),
        (True, AccessMode.APPROVED, False),
        (True, AccessMode.LISTED, False),
        (False, AccessMode.EVERYONE, False),
    ],
)
def test_public_bot_without_allow_list_is_a_warning(
    answering: Answering, public: bool, mode: AccessMode, warned: bool
) -> None:
    settings = answering(200, {"id": "42", "name": "Atelier", "bot_public": public})
    found = list(check_discord(settings, AccessPolicy(mode)))
    assert [finding.level for finding in found].count(Level.WARN) == warned
    assert any("any server can use this bot" in finding.text for finding in found) == warned


def test_unknown_variables_are_named_with_the_nearest_known_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("ATELIER_DISCORD_TOKN=secret\nATELIER_HOME=here\nOTHER=1\n")
    monkeypatch.setenv("ATELIER_WEBPORT", "1")
    monkeypatch.setenv("ATELIER_FAVOURITE_COLOUR", "blue")
    monkeypatch.setenv("ATELIER_READY_FD", "7")
    found = [finding for finding in check_unknown_variables() if finding.level is Level.WARN]
    texts = "\n".join(finding.text for finding in found)
    assert len(found) == 3
    assert "ATELIER_DISCORD_TOKN is no setting and has no effect; did you mean" in texts
    assert (
        "ATELIER_WEBPORT is no setting and has no effect; did you mean ATELIER_WEB_PORT?" in texts
    )
    assert "ATELIER_FAVOURITE_COLOUR is no setting and has no effect" in texts
    assert "secret" not in texts


def test_platform_that_is_not_set_up_is_walked_through(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    for check, count in ((check_discord, 4), (check_slack, 5)):
        first, *steps = check(settings)
        assert f"not set up; {count} steps" in first.text
        assert [step.text.split(".")[0] for step in steps] == [str(n + 1) for n in range(count)]
        assert {step.level for step in [first, *steps]} == {Level.OK}
    assert MANIFEST.is_file()
    assert any(str(MANIFEST) in step.text for step in check_slack(settings))


def test_bot_that_is_in_no_server_is_a_warning(answering: Answering) -> None:
    found = list(check_discord(answering(200, [])))
    assert any(one.level is Level.WARN and "in no server yet" in one.text for one in found)
    assert not any("in no server" in one.text for one in check_discord(answering(200, [{}])))


@pytest.mark.parametrize(("checker", "level"), [("", Level.OK), ('"checker": "off"', Level.WARN)])
def test_picture_checker_that_is_off_is_said(tmp_path: Path, checker: str, level: Level) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (tmp_path / "atelier.json").write_text(f"{{{checker}}}")
    settings = Settings(_env_file=None, home=tmp_path, web_port=0, model=str(tmp_path))
    (found,) = (one for one in check_machine(settings, load(None)) if one.subject == "safety")
    assert found.level is level
