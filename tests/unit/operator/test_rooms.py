"""Tokens that a platform does not take are a fault of the settings; everything else is not."""

from __future__ import annotations

import discord
import pytest
from slack_sdk.errors import SlackApiError

from bots.operator.rooms import token_refused


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked"])
def test_a_refused_slack_token_is_named(code: str) -> None:
    error = SlackApiError("no", {"ok": False, "error": code})
    sentence = token_refused(ExceptionGroup("tasks", [ValueError(), ExceptionGroup("", [error])]))
    assert sentence is not None
    assert "ATELIER_SLACK_APP_TOKEN" in sentence
    assert code in sentence


def test_a_refused_discord_token_is_named() -> None:
    sentence = token_refused(discord.LoginFailure("Improper token has been passed."))
    assert sentence is not None
    assert sentence.startswith("ATELIER_DISCORD_TOKEN ")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        SlackApiError("no", {"ok": False, "error": "ratelimited"}),
        discord.GatewayNotFound(),
        ExceptionGroup("tasks", [OSError()]),
    ],
)
def test_other_errors_are_not_the_token_s(error: Exception) -> None:
    assert token_refused(error) is None
