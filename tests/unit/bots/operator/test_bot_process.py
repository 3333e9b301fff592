"""Tokens that a platform does not take are a fault of the settings; everything else is not."""

from __future__ import annotations

import discord
import pytest

from bots.operator.bot_process import token_refused


def test_rejected_discord_token_is_reported() -> None:
    refused = discord.LoginFailure("Improper token has been passed.")
    sentence = token_refused(ExceptionGroup("", [ValueError(), ExceptionGroup("", [refused])]))
    assert sentence is not None
    assert sentence.startswith("ATELIER_DISCORD_TOKEN ")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        discord.InvalidData("no gateway"),
        ExceptionGroup("tasks", [OSError()]),
    ],
)
def test_other_errors_are_not_reported_as_token_errors(error: Exception) -> None:
    assert token_refused(error) is None
