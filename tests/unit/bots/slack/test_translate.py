"""Slack's payloads become the right commands."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bots.core import command_parser
from bots.core.commands import (
    Ask,
    BadCommand,
    BadInput,
    Blend,
    Cancel,
    Command,
    Edit,
    Help,
    Imagine,
    Quota,
    StudioBlock,
    StudioRole,
    Undo,
    Upload,
    Vary,
)
from bots.core.order_text import order_text
from bots.slack.app_spec import Modal
from bots.slack.files import SLACK_API, is_slack_file_url
from bots.slack.mrkdwn import escape
from bots.slack.translate import parse_message, parse_slash_command, parse_text, prompt_error
from tasks.jobs.members import Place
from tasks.jobs.tiers import Tier

BOT = "U0BOT00000"
PICTURE = uuid4()
FILE = Upload(b"picture", "mine.png")


def event(**more: Any) -> dict[str, Any]:
    return {"type": "app_mention", "user": "U0ANNA0000", "channel": "C0GENERAL0", "ts": "5.000001",
            "text": f"<@{BOT}> a red house", **more}  # fmt: skip


def test_mention_starts_a_thread_and_its_key_is_the_message() -> None:
    message = parse_message(event(), "T0001", BOT)
    assert message is not None
    assert message.text == "a red house"
    assert message.place == Place("slack", "T0001", "C0GENERAL0", "5.000001")
    again = parse_message(event(event_ts="9.9"), "T0001", BOT)
    assert again is not None
    assert again.key == message.key
    elsewhere = parse_message(event(), "T0002", BOT)
    assert elsewhere is not None
    assert elsewhere.key != message.key


def test_mention_in_a_thread_stays_in_it() -> None:
    message = parse_message(event(thread_ts="1.000001"), "T0001", BOT)
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
def test_other_events_are_ignored(more: dict[str, Any]) -> None:
    assert parse_message(event(**more), "T0001", BOT) is None


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
        ("help", (), None, Help()),
        ("quota", (), PICTURE, Quota()),
        ("annule", (), None, Cancel()),
        ("make it blue --ar 16:9 --no trees", (), PICTURE,
         Edit(PICTURE, "make it blue", aspect="16:9", negative="trees")),
        ("make it blue --count 2", (FILE,), None, Edit(FILE, "make it blue", count=2)),
        ("together --ar 3:2", (FILE, FILE), None, Blend((FILE, FILE), "together", aspect="3:2")),
        ("a house—ar 16:9", (), None, Imagine("a house", aspect="16:9")),
        ("make the house blue", (), None,
         Ask("make the house blue", Imagine("make the house blue"))),
    ],
)  # fmt: skip
def test_text_files_and_threads_become_commands(
    text: str, files: tuple[Upload, ...], picture: Any, command: Command | BadCommand
) -> None:
    assert parse_text(text, files, picture) == command


def test_slash_commands_resolve_ids() -> None:
    assert parse_slash_command(
        "/atelier", "studio role <!subteam^S0PLUS0000|@plus> plus"
    ) == StudioRole("S0PLUS0000", Tier.PLUS)
    assert parse_slash_command("/atelier", "studio block <@U0BORIS000|boris>") == StudioBlock(
        "U0BORIS000"
    )
    assert parse_slash_command("/imagine", "a cat &amp; a dog") == Imagine("a cat & a dog")


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
def test_token_is_sent_to_slack_hosts_only(url: str, api: str, good: bool) -> None:
    assert is_slack_file_url(url, api) is good


def modal_values(prompt: str) -> dict[str, Any]:
    return {"prompt": {"value": {"type": "plain_text_input", "value": prompt}}}


@pytest.mark.parametrize(
    ("modal", "prompt", "error"),
    [
        (Modal.COMPOSE, "a house --ar 99:1", BadInput.BAD_ASPECT),
        (Modal.EDIT, "make it blue --ar 99:1", BadInput.BAD_ASPECT),
        (Modal.REROLL, "a house --ar 99:1", BadInput.BAD_ASPECT),
        (Modal.EDIT, "", BadInput.PROMPT_EMPTY),
        (Modal.REROLL, "", None),
        (Modal.EDIT, "make it blue --ar 16:9", None),
        (Modal.REPORT, "", None),
    ],
)
def test_error_of_a_modals_prompt(modal: Modal, prompt: str, error: BadInput | None) -> None:
    wrong = prompt_error(modal, modal_values(prompt))
    assert (wrong and wrong.code) == error


def as_slack_sends(text: str) -> str:
    """What a member typed, as an event carries it: escaped, with addresses made links."""
    linked = re.sub(r"\bhttps?://[\w.]+", lambda m: f"<{m[0]}>", escape(text))
    return re.sub(r"(?<![\w/.])\w+\.example\b", lambda m: f"<http://{m[0]}|{m[0]}>", linked)


WORDS = st.lists(
    st.sampled_from(
        ["a", "red", "house", "&", "<b>", "*x*", "a.example", ":tada:", "d’été", "日本"]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)
ORDERS = st.builds(
    Imagine,
    prompt=WORDS,
    aspect=st.sampled_from([None, "16:9", "1:1"]),
    count=st.sampled_from([None, 1, 4]),
    seed=st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    negative=st.sampled_from(["", "trees", "fog, rain"]),
)


@settings(deadline=None)
@given(ORDERS)
def test_echoed_order_pasted_into_a_mention_is_the_same_order(order: Imagine) -> None:
    echoed = order_text(order)
    assume(command_parser.parse(echoed) == order)
    message = parse_message(event(text=f"<@{BOT}> {as_slack_sends(echoed)}"), "T0001", BOT)
    assert message is not None
    parsed = parse_text(message.text, (), None)
    assert (parsed.otherwise if isinstance(parsed, Ask) else parsed) == order
