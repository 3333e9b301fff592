"""What Slack sends, as a core `Command`. Pure: what has to be looked up is handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bots.core import flags, grammar
from bots.core.command import (
    BadCommand,
    BadInput,
    Blend,
    Command,
    Edit,
    Imagine,
    Source,
    Undo,
    Upload,
    Upscale,
    Vary,
)
from bots.slack.mrkdwn import plain, without_mention
from bots.slack.surface import ATELIER, Shortcut
from tasks.members import Place

# A message that was edited, joined, pinned … says nothing to the app; these two kinds do.
_SAID = frozenset({"file_share", "thread_broadcast"})
MAX_FILES = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a member said to the app, in a channel or to it alone."""

    team: str
    channel: str
    user: str
    text: str  # Slack's own markup
    ts: str
    thread: str | None  # the thread it was said in
    files: tuple[Mapping[str, Any], ...]
    direct: bool

    @property
    def key(self) -> str:
        """One text for this message, whatever event ids it comes under."""
        return f"slack:{self.team}:{self.channel}:{self.ts}"

    @property
    def root(self) -> str:
        """The thread that the answer goes to."""
        return self.thread or self.ts

    @property
    def place(self) -> Place:
        """Where it was said, as a conversation: every one is a thread."""
        return Place("slack", self.team, self.channel, self.root)


def heard(event: Mapping[str, Any], team: str, bot_user: str) -> Heard | None:
    """What a member said, or None where nobody spoke to the app."""
    user = str(event.get("user") or "")
    if not user or user == bot_user or event.get("bot_id") or "edited" in event:
        return None
    if event.get("subtype") not in {None, *_SAID}:
        return None
    return Heard(
        team=team,
        channel=str(event["channel"]),
        user=user,
        text=without_mention(str(event.get("text") or ""), bot_user),
        ts=str(event["ts"]),
        thread=event.get("thread_ts"),
        files=tuple(event.get("files") or ()),
        direct=event.get("channel_type") == "im" or str(event["channel"]).startswith("D"),
    )


def wants_picture(text: str) -> bool:
    """Whether the text is a prompt or an instruction, and not a command with a slash."""
    return not plain(text).startswith("/")


def understand(text: str, files: Sequence[Upload], picture: UUID | None) -> Command | BadCommand:
    """The command in what a member said, with the files they sent.

    `picture` is the newest picture of the thread: an instruction there edits it. A file is edited
    by the words beside it, varied where there are none, and followed loosely where a strength is
    given.
    """
    words = plain(text)
    if words.startswith("/"):
        return grammar.parse(words)
    prompt = flags.parse_prompt(words, may_be_empty=bool(files))
    if isinstance(prompt, BadCommand):
        return prompt
    if files:
        return _of_files(prompt, files)
    return _in_thread(prompt, picture) if picture else prompt.imagine()


def _of_files(prompt: flags.Prompt, files: Sequence[Upload]) -> Command:
    if len(files) > 1:
        return Blend(tuple(files), prompt.words)
    if not prompt.words:
        return Vary(files[0], prompt.strength, prompt.count)
    if "strength" in prompt.flags:
        return prompt.imagine(files[0])
    return Edit(files[0], prompt.words, count=prompt.count, seed=prompt.seed)


def _in_thread(prompt: flags.Prompt, picture: UUID) -> Command:
    if grammar.takes_back(prompt.words):
        return Undo(picture)
    return Edit(picture, prompt.words, count=prompt.count, seed=prompt.seed)


def slash(command: str, text: str) -> Command | BadCommand:
    """The command in a slash command."""
    words = plain(text)
    return grammar.parse_atelier(words) if command == ATELIER.command else grammar.imagine(words)


def on_picture(shortcut: Shortcut, source: Source) -> Command:
    """What a message shortcut does to a picture at once (editing asks for words first)."""
    return Upscale(source) if shortcut is Shortcut.UPSCALE else Vary(source)


def composed(
    values: Mapping[str, Mapping[str, Any]], reference: Upload | None
) -> Command | BadCommand:
    """The order in the composer modal; the prompt may hold flags, the modal's own choices win."""
    prompt = flags.parse_prompt(typed(values, "prompt"))
    if isinstance(prompt, BadCommand):
        return prompt
    aspect, count, model = (chosen(values, name) for name in ("aspect", "count", "model"))
    return Imagine(
        prompt=prompt.words,
        aspect=aspect or prompt.aspect,
        count=int(count) if count else prompt.count,
        model=model or prompt.model,
        seed=prompt.seed,
        negative=typed(values, "negative") or prompt.negative,
        reference=reference,
        strength=prompt.strength,
    )


def typed(values: Mapping[str, Mapping[str, Any]], block: str) -> str:
    """What stands in a modal's text field."""
    return str(_state(values, block).get("value") or "").strip()


def chosen(values: Mapping[str, Mapping[str, Any]], block: str) -> str | None:
    """What was chosen in a modal's list."""
    state = _state(values, block)
    option = state.get("selected_option")
    return str(option["value"]) if option else state.get("selected_conversation")


def sent(values: Mapping[str, Mapping[str, Any]], block: str) -> list[Mapping[str, Any]]:
    """The files in a modal's file field."""
    return list(_state(values, block).get("files") or [])


def no_picture() -> BadCommand:
    """The answer to a shortcut on a message without a picture."""
    return BadCommand(BadInput.NEEDS_PICTURE)


def _state(values: Mapping[str, Mapping[str, Any]], block: str) -> Mapping[str, Any]:
    return next(iter(values.get(block, {}).values()), {})
