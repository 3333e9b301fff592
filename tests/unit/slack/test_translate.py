"""What Slack sends becomes the command that was meant."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from bots.core.command import (
    BadCommand,
    BadInput,
    Blend,
    Command,
    Edit,
    Imagine,
    Quota,
    StudioBlock,
    StudioRole,
    Undo,
    Upload,
    Vary,
)
from bots.slack.files import SLACK_API, allowed
from bots.slack.translate import heard, slash, understand
from tasks.members import Place
from tasks.tiers import Tier

BOT = "U0BOT00000"
PICTURE = uuid4()
FILE = Upload(b"picture", "mine.png")


def event(**more: Any) -> dict[str, Any]:
    return {"type": "app_mention", "user": "U0ANNA0000", "channel": "C0GENERAL0", "ts": "5.000001",
            "text": f"<@{BOT}> a red house", **more}  # fmt: skip


def test_a_mention_opens_a_thread_and_its_key_is_the_message() -> None:
    message = heard(event(), "T0001", BOT)
    assert message is not None
    assert message.text == "a red house"
    assert message.place == Place("slack", "T0001", "C0GENERAL0", "5.000001")
    again = heard(event(event_ts="9.9"), "T0001", BOT)
    assert again is not None
    assert again.key == message.key
    elsewhere = heard(event(), "T0002", BOT)
    assert elsewhere is not None
    assert elsewhere.key != message.key


def test_in_a_thread_the_answer_stays_there() -> None:
    message = heard(event(thread_ts="1.000001"), "T0001", BOT)
    assert message is not None
    assert (message.root, message.thread) == ("1.000001", "1.000001")


@pytest.mark.parametrize(
    "more",
    [
        {"user": BOT},
        {"user": None},
        {"bot_id": "B0OTHER000"},
        {"subtype": "message_changed"},
        {"subtype": "channel_join"},
        {"edited": {"ts": "6.0"}},
    ],
)
def test_what_nobody_said_to_the_app_is_not_heard(more: dict[str, Any]) -> None:
    assert heard(event(**more), "T0001", BOT) is None


@pytest.mark.parametrize(
    ("text", "files", "picture", "command"),
    [
        ("a red house --ar 16:9 --count 2", (), None,
         Imagine("a red house", aspect="16:9", count=2)),
        ("make it blue", (), PICTURE, Edit(PICTURE, "make it blue")),
        ("make it blue --seed 4", (FILE,), PICTURE, Edit(FILE, "make it blue", seed=4)),
        ("a house like this --strength 0.4", (FILE,), None,
         Imagine("a house like this", reference=FILE, strength=0.4)),
        ("", (FILE,), None, Vary(FILE)),
        ("together", (FILE, FILE), None, Blend((FILE, FILE), "together")),
        ("Undo", (), PICTURE, Undo(PICTURE)),
        ("/quota", (), PICTURE, Quota()),
        ("/imagine a new start", (), PICTURE, Imagine("a new start")),
        ("", (), None, BadCommand(BadInput.PROMPT_EMPTY)),
    ],
)  # fmt: skip
def test_words_files_and_threads(
    text: str, files: tuple[Upload, ...], picture: Any, command: Command | BadCommand
) -> None:
    assert understand(text, files, picture) == command


def test_ids_in_slash_commands_are_read() -> None:
    assert slash("/atelier", "studio role <!subteam^S0PLUS0000|@plus> plus") == StudioRole(
        "S0PLUS0000", Tier.PLUS
    )
    assert slash("/atelier", "studio block <@U0BORIS000|boris>") == StudioBlock("U0BORIS000")
    assert slash("/imagine", "a cat &amp; a dog") == Imagine("a cat & a dog")


@pytest.mark.parametrize(
    ("url", "api", "good"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", SLACK_API, True),
        ("http://files.slack.com/files-pri/T1-F1/a.png", SLACK_API, False),
        ("https://files.slack.com.evil.example/a.png", SLACK_API, False),
        ("https://files.slack.com@evil.example/a.png", SLACK_API, False),
        ("https://files.slack.com:444/a.png", SLACK_API, False),
        ("https://evil.example/?https://files.slack.com/", SLACK_API, False),
        ("http://169.254.169.254/latest/meta-data", SLACK_API, False),
        ("file:///etc/passwd", SLACK_API, False),
        ("https://[::1", SLACK_API, False),
        ("", SLACK_API, False),
        ("http://127.0.0.1:9/files/a.png", "http://127.0.0.1:9/api/", True),
        ("http://127.0.0.1:8/files/a.png", "http://127.0.0.1:9/api/", False),
        ("https://files.slack.com/a.png", "http://127.0.0.1:9/api/", False),
    ],
)
def test_the_token_is_shown_to_slack_alone(url: str, api: str, good: bool) -> None:
    assert allowed(url, api) is good
