"""What the page suggests is what the server understands."""

from __future__ import annotations

import pytest

from bots.core.command_grammar import STUDIO_WORDS, is_command
from bots.core.command_parser import parse
from bots.core.commands import BadCommand, BadInput
from bots.web.commands import COMMANDS


@pytest.mark.parametrize("word", STUDIO_WORDS)
def test_suggested_studio_command_exists(word: str) -> None:
    parsed = parse(f"/studio {word}")
    assert not isinstance(parsed, BadCommand) or parsed.code is not BadInput.UNKNOWN_COMMAND


@pytest.mark.parametrize("word", COMMANDS)
def test_suggested_command_exists(word: str) -> None:
    assert word == "imagine" or is_command(word)


def test_moderation_is_suggested() -> None:
    assert {"reports", "settings", "words", "audit"} <= set(STUDIO_WORDS)
