"""Translates Slack's payloads into core commands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bots.core import command_grammar, command_parser, prompt_flags
from bots.core.commands import (
    BadCommand,
    BadInput,
    Command,
    Imagine,
    Source,
    Upload,
    Upscale,
    Vary,
)
from bots.slack.app_spec import ATELIER, Modal, Shortcut
from bots.slack.mrkdwn import name_mentions, strip_mention, to_plain_text
from tasks.jobs.members import Place

# Only these message subtypes carry a member's text; others report edits, joins, pins …
_MESSAGE_SUBTYPES = frozenset({"file_share", "thread_broadcast"})


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message to the app, in a channel or as a direct message."""

    team: str
    channel: str
    user: str
    text: str  # Slack's markup
    ts: str
    thread: str | None  # the thread of the message
    files: tuple[Mapping[str, Any], ...]
    direct: bool

    @property
    def key(self) -> str:
        """The idempotency key: one per message, whatever the event id."""
        return f"slack:{self.team}:{self.channel}:{self.ts}"

    @property
    def root(self) -> str:
        """The thread of the reply."""
        return self.thread or self.ts

    @property
    def place(self) -> Place:
        """The conversation of the message: its thread."""
        return Place("slack", self.team, self.channel, self.root)


def parse_message(event: Mapping[str, Any], team: str, bot_user: str) -> IncomingMessage | None:
    """The message a member sent to the app, or None for any other event."""
    user = str(event.get("user") or "")
    if not user or user == bot_user or event.get("bot_id") or "edited" in event:
        return None
    if event.get("subtype") not in {None, *_MESSAGE_SUBTYPES}:
        return None
    return IncomingMessage(
        team=team,
        channel=str(event["channel"]),
        user=user,
        text=strip_mention(str(event.get("text") or ""), bot_user),
        ts=str(event["ts"]),
        thread=event.get("thread_ts"),
        files=tuple(event.get("files") or ()),
        direct=event.get("channel_type") == "im" or str(event["channel"]).startswith("D"),
    )


def files_of(files: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The names and MIME types of files."""
    return [(str(file.get("name") or ""), str(file.get("mimetype") or "")) for file in files]


def is_prompt(text: str) -> bool:
    """Whether the text is a prompt or an instruction, not a command with a slash."""
    return not to_plain_text(text).startswith("/")


def parse_text(text: str, files: Sequence[Upload], picture: UUID | None) -> Command | BadCommand:
    """The command in a message, with the files the member sent.

    `picture` is the newest picture of the thread, which an instruction edits.
    """
    text = to_plain_text(text)
    if files and not text.startswith("/"):
        return command_parser.parse_with_files(text, files)
    if picture is not None:
        return command_parser.parse_about(text, picture)
    return command_parser.parse_in_channel(text)


def parse_slash_command(command: str, text: str) -> Command | BadCommand:
    """The command in a slash command."""
    return (
        command_grammar.parse_atelier(to_plain_text(text))
        if command == ATELIER.command
        else command_parser.parse_prompt_field(to_plain_text(name_mentions(text, {})))
    )


def shortcut_command(shortcut: Shortcut, source: Source) -> Command:
    """The command of a message shortcut; editing needs an instruction and opens a modal."""
    return Upscale(source) if shortcut is Shortcut.UPSCALE else Vary(source)


def parse_composer(
    values: Mapping[str, Mapping[str, Any]], reference: Upload | None
) -> Command | BadCommand:
    """The command of the composer; its fields take precedence over flags in the prompt."""
    prompt = prompt_flags.parse_prompt(text_value(values, "prompt"))
    if isinstance(prompt, BadCommand):
        return prompt
    aspect, count, model = (selected_value(values, name) for name in ("aspect", "count", "model"))
    return Imagine(
        prompt=prompt.words,
        aspect=aspect or prompt.aspect,
        count=int(count) if count else prompt.count,
        model=model or prompt.model,
        seed=prompt.seed,
        negative=text_value(values, "negative") or prompt.negative,
        reference=reference,
        strength=prompt.strength,
    )


def prompt_error(modal: Modal, values: Mapping[str, Mapping[str, Any]]) -> BadCommand | None:
    """What is wrong with the prompt of a submitted modal; None if nothing."""
    if modal is Modal.REPORT:
        return None
    text = text_value(values, "prompt")
    prompt = prompt_flags.parse_prompt(text, may_be_empty=modal is Modal.REROLL)
    return prompt if isinstance(prompt, BadCommand) else None


def text_value(values: Mapping[str, Mapping[str, Any]], block: str) -> str:
    """The value of a modal's text field."""
    return str(_state(values, block).get("value") or "").strip()


def selected_value(values: Mapping[str, Mapping[str, Any]], block: str) -> str | None:
    """The value selected in a modal's list."""
    state = _state(values, block)
    option = state.get("selected_option")
    return str(option["value"]) if option else state.get("selected_conversation")


def file_values(values: Mapping[str, Mapping[str, Any]], block: str) -> list[Mapping[str, Any]]:
    """The files in a modal's file field."""
    return list(_state(values, block).get("files") or [])


def pictures_among(files: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The files of a message that are pictures, or whose type Slack does not say."""
    kinds = ((file, str(file.get("mimetype") or "image/")) for file in files)
    return [file for file, kind in kinds if kind.startswith("image/")]


def unclear_picture(count: int) -> BadCommand:
    """The refusal of a shortcut on a message without a picture, or with several."""
    if count == 0:
        return BadCommand(BadInput.NEEDS_PICTURE)
    return BadCommand(BadInput.SEVERAL_PICTURES, {"count": count})


def _state(values: Mapping[str, Mapping[str, Any]], block: str) -> Mapping[str, Any]:
    return next(iter(values.get(block, {}).values()), {})
