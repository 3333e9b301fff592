"""Modals and the Home tab, as views. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bots.core.cards import bar_text, shorten
from bots.core.command import ASPECTS, MAX_COUNT, MAX_PROMPT
from bots.core.reply import Action, Button, Style
from bots.core.sentences import Sentences
from bots.slack.blocks import (
    Block,
    button_rows,
    field_blocks,
    picture_block,
    plain_text,
    section,
)
from bots.slack.mrkdwn import escape
from bots.slack.surface import Modal
from tasks.client import Allowance, Doors, WaitlistPlace, WorkspaceSettings
from tasks.job import Picture
from tasks.tiers import DoorState, Tier

View = dict[str, Any]
FILE_KINDS = ["png", "jpg", "jpeg", "webp", "gif"]
MAX_MODELS = 100
COMPOSE_ACTION = "compose"
SHOWN = 8  # recent pictures on the Home tab


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a modal was opened, carried in the modal itself: what it is about, where answers go."""

    channel: str = ""
    thread: str | None = None
    target: str = ""  # a picture's or job's id
    file: str = ""  # a member's file on Slack

    def dump(self) -> str:
        """As a modal's private metadata."""
        values = {"c": self.channel, "t": self.thread, "p": self.target, "f": self.file}
        return json.dumps({name: value for name, value in values.items() if value})

    @classmethod
    def load(cls, text: str) -> Origin:
        """What `dump` wrote."""
        values = json.loads(text or "{}")
        return cls(values.get("c", ""), values.get("t"), values.get("p", ""), values.get("f", ""))


@dataclass(frozen=True, slots=True)
class Server:
    """What administrators have set, and which group gives which tier."""

    settings: WorkspaceSettings
    roles: Mapping[str, Tier]


@dataclass(frozen=True, slots=True)
class Home:
    """All that the Home tab shows. `files` gives a picture's Slack file by the picture's id."""

    allowance: Allowance
    pictures: Sequence[Picture]
    doors: Sequence[Doors]
    waitlist: WaitlistPlace
    files: Mapping[str, str]
    server: Server | None = None  # for administrators


def compose(say: Sentences, models: Sequence[str], origin: Origin) -> View:
    """The composer: prompt, shape, number, model, a reference picture, and where to post."""
    where: Block = {
        "type": "conversations_select",
        "action_id": "value",
        "default_to_current_conversation": True,
        "filter": {"include": ["public", "private", "im"], "exclude_bot_users": False},
    }
    blocks = [
        _input("prompt", say("slack-prompt"), _text_field(True, say("slack-prompt-hint"))),
        _choice("aspect", say("settings-aspect"), ASPECTS),
        _choice("count", say("settings-count"), [str(n) for n in range(1, MAX_COUNT + 1)]),
        _input("negative", say("slack-negative"), _text_field(False), optional=True),
        _input("reference", say("slack-reference"), _file_field(), optional=True),
        _input("where", say("slack-where"), where, optional=True),
    ]
    if len(models) > 1:
        blocks.insert(3, _choice("model", say("settings-model"), models[:MAX_MODELS]))
    return _modal(Modal.COMPOSE, say("slack-compose"), say("slack-make"), blocks, origin)


def edit(say: Sentences, origin: Origin) -> View:
    """What to change in a picture, and perhaps where."""
    blocks = [
        _input("prompt", say("slack-instruction"), _text_field(True, say("slack-edit-hint"))),
        _input("mask", say("slack-mask"), _file_field(), optional=True),
    ]
    return _modal(Modal.EDIT, say("button-edit"), say("slack-make"), blocks, origin)


def reroll(say: Sentences, prompt: str, origin: Origin) -> View:
    """The same order again, with the prompt open for change."""
    field = _text_field(True) | {"initial_value": prompt[:MAX_PROMPT]}
    blocks = [_input("prompt", say("slack-prompt"), field)]
    return _modal(Modal.REROLL, say("button-reroll"), say("slack-make"), blocks, origin)


def report(say: Sentences, origin: Origin) -> View:
    """Why a picture is reported."""
    blocks = [_input("words", say("slack-report-why"), _text_field(True), optional=True)]
    return _modal(Modal.REPORT, say("button-report"), say("button-report"), blocks, origin)


def home(say: Sentences, seen: Home) -> View:
    """The Home tab: quota with a bar, my recent pictures, doors, and administrators' words."""
    make = {
        "type": "button",
        "action_id": COMPOSE_ACTION,
        "style": "primary",
        "text": plain_text(say("slack-compose"), 75),
    }
    blocks = [*_quota(say, seen.allowance), {"type": "actions", "elements": [make]}]
    blocks += [{"type": "divider"}, section(f"*{escape(say('history-title'))}*")]
    blocks += _recent(say, seen) or [section(escape(say("history-empty")))]
    blocks += [{"type": "divider"}, *_doors(say, seen)]
    if seen.server is not None:
        blocks += [{"type": "divider"}, *_server(say, seen.server)]
    return {"type": "home", "blocks": blocks}


def unavailable(say: Sentences) -> View:
    """The Home tab while the studio cannot be asked."""
    return {"type": "home", "blocks": [section(escape(say("unavailable")))]}


def _quota(say: Sentences, allowance: Allowance) -> list[Block]:
    share = allowance.left / allowance.limit if allowance.limit else 0.0
    left, limit = float(allowance.left), float(allowance.limit)
    words = say("quota-left-value", left=left, limit=limit)
    tier = say(f"tier-{allowance.tier}")
    return [
        section(f"*{escape(say('quota-title'))}* · {escape(tier)}"),
        section(f"{bar_text(share)}  {escape(words)}"),
    ]


def _recent(say: Sentences, seen: Home) -> list[Block]:
    blocks: list[Block] = []
    for picture in seen.pictures[:SHOWN]:
        words = shorten(picture.instruction, 150)
        file = seen.files.get(str(picture.id))
        if file:
            blocks.append(picture_block(file, words or " ", words, 1, 1))
        else:
            blocks.append(section(escape(words) or " "))
        blocks += button_rows(_home_buttons(say, picture), say)
    return blocks


def _home_buttons(say: Sentences, picture: Picture) -> tuple[Button, ...]:
    mine = (Action.VARY, Action.UPSCALE, Action.EDIT)
    own = tuple(Button(action, say(f"button-{action}"), picture.id) for action in mine)
    return (*own, Button(Action.REROLL, say("button-reroll"), picture.job, style=Style.PRIMARY))


def _doors(say: Sentences, seen: Home) -> list[Block]:
    rows = [(say(f"tier-{door.tier}"), say(f"slack-doors-{door.now}")) for door in seen.doors]
    blocks = [section(f"*{escape(say('studio-doors-title'))}*"), *field_blocks(rows)]
    if seen.waitlist.invited_until is not None:
        left = seen.waitlist.invited_until - datetime.now(UTC)
        blocks.append(section(escape(say("waitlist-invited", left=left))))
    elif seen.waitlist.position is not None:
        blocks.append(section(escape(say("waitlist-status", position=seen.waitlist.position))))
    elif any(d.tier is seen.allowance.tier and d.now is DoorState.WAITLIST for d in seen.doors):
        join = Button(Action.JOIN_WAITLIST, say("button-join-waitlist"), style=Style.PRIMARY)
        blocks += button_rows((join,), say)
    return blocks


def _server(say: Sentences, server: Server) -> list[Block]:
    """What administrators have set, and the words that change it."""
    groups = [f"<!subteam^{role}> → {say(f'tier-{tier}')}" for role, tier in server.roles.items()]
    set_ = server.settings
    rows = [
        ("default_tier", say(f"tier-{set_.default_tier}")),
        ("language", set_.language or say("settings-none")),
        ("channels", ", ".join(sorted(set_.channels)) or "*"),
        ("nsfw", set_.nsfw),
        ("largest_megapixels", str(set_.largest_megapixels or say("settings-none"))),
        ("visibility", set_.visibility),
    ]
    blocks = [section(f"*{escape(say('slack-admin'))}*"), *field_blocks(rows)]
    # A Home tab notifies nobody, so groups may stand there by their names.
    blocks += [section("\n".join(groups))] if groups else []
    return [*blocks, section(escape(say("slack-admin-words")))]


def _modal(callback: Modal, title: str, submit: str, blocks: list[Block], origin: Origin) -> View:
    return {
        "type": "modal",
        "callback_id": str(callback),
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "blocks": blocks,
        "private_metadata": origin.dump(),
    }


def _input(name: str, label: str, element: Block, optional: bool = False) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, 2000),
        "element": element,
        "optional": optional,
    }


def _text_field(many_lines: bool, hint: str = "") -> Block:
    field: Block = {
        "type": "plain_text_input",
        "action_id": "value",
        "multiline": many_lines,
        "max_length": MAX_PROMPT,
    }
    return field | ({"placeholder": plain_text(hint, 150)} if hint else {})


def _file_field() -> Block:
    return {"type": "file_input", "action_id": "value", "filetypes": FILE_KINDS, "max_files": 1}


def _choice(name: str, label: str, values: Sequence[str]) -> Block:
    options = [{"text": plain_text(value, 75), "value": value[:150]} for value in values]
    element = {"type": "static_select", "action_id": "value", "options": options}
    return _input(name, label, element, optional=True)
