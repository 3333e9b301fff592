"""Which processes `atelier up` starts."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bots.operator.up import log_next_steps, process_names
from tasks.runtime.settings import Settings

BOT = {"slack_bot_token": SecretStr("xoxb-1")}


@pytest.mark.parametrize(
    ("values", "bots"),
    [
        ({}, []),
        ({"discord_token": SecretStr("token")}, ["discord"]),
        ({**BOT, "slack_app_token": SecretStr("xapp-1")}, ["slack"]),
        ({**BOT, "slack_signing_secret": SecretStr("0" * 32)}, ["slack"]),
    ],
    ids=["none", "discord", "socket-mode", "http"],
)
def test_bots_run_where_their_tokens_are_set(values: dict[str, SecretStr], bots: list[str]) -> None:
    settings = Settings(_env_file=None).model_copy(update=values)
    assert process_names(settings) == ["clock", "worker", "web", *bots]


def told(settings: Settings) -> list[MutableMapping[str, Any]]:
    with capture_logs() as events:
        log_next_steps(settings)
    return events


def test_what_is_left_to_do_is_told_with_links() -> None:
    settings = Settings(_env_file=None)
    discord, slack = told(settings)
    assert (discord["event"], slack["event"]) == ("discord-not-set-up", "slack-not-set-up")
    assert Path(slack["manifest"]).is_file()
    token = SecretStr("MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123")
    (invited,) = told(settings.model_copy(update={"discord_token": token, **BOT}))
    assert invited["event"] == "discord-invite"
    assert "client_id=123456789012345678" in invited["url"]
    assert told(settings.model_copy(update={"discord_token": SecretStr("x"), **BOT})) == []
