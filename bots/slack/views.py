"""Modals, as views. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bots.core.commands import ASPECTS, MAX_COUNT, MAX_PROMPT
from bots.core.locales import Localizer
from bots.slack.app_spec import Modal
from bots.slack.blocks import (
    Block,
    plain_text,
)

View = dict[str, Any]
FILE_KINDS = ["png", "jpg", "jpeg", "webp", "gif"]
MAX_MODELS = 100
COMPOSE_ACTION = "compose"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a modal was opened and what it is about; stored in the modal's private metadata."""

    channel: str = ""
    thread: str | None = None
    target: str = ""  # the id of a picture or job
    file: str = ""  # a member's file on Slack

    def dump(self) -> str:
        """The private metadata of a modal."""
        values = {"c": self.channel, "t": self.thread, "p": self.target, "f": self.file}
        return json.dumps({name: value for name, value in values.items() if value})

    @classmethod
    def load(cls, text: str) -> Origin:
        """The origin from what `dump` returned."""
        values = json.loads(text or "{}")
        return cls(values.get("c", ""), values.get("t"), values.get("p", ""), values.get("f", ""))


def compose(localize: Localizer, models: Sequence[str], origin: Origin) -> View:
    """The composer: prompt, aspect, count, model, reference picture, and channel."""
    channel_select: Block = {
        "type": "conversations_select",
        "action_id": "value",
        "default_to_current_conversation": True,
        "filter": {"include": ["public", "private", "im"], "exclude_bot_users": False},
    }
    blocks = [
        _input(
            "prompt", localize("slack-prompt"), _text_field(True, localize("slack-prompt-hint"))
        ),
        _choice("aspect", localize("settings-aspect"), ASPECTS),
        _choice("count", localize("settings-count"), [str(n) for n in range(1, MAX_COUNT + 1)]),
        _input("negative", localize("slack-negative"), _text_field(False), optional=True),
        _input("reference", localize("slack-reference"), _file_field(), optional=True),
        _input("where", localize("slack-where"), channel_select, optional=True),
    ]
    if len(models) > 1:
        blocks.insert(3, _choice("model", localize("settings-model"), models[:MAX_MODELS]))
    return _modal(Modal.COMPOSE, localize("slack-compose"), localize("slack-make"), blocks, origin)


def edit(localize: Localizer, origin: Origin) -> View:
    """The edit form: an instruction and an optional mask."""
    blocks = [
        _input(
            "prompt", localize("slack-instruction"), _text_field(True, localize("slack-edit-hint"))
        ),
        _input("mask", localize("slack-mask"), _file_field(), optional=True),
    ]
    return _modal(Modal.EDIT, localize("button-edit"), localize("slack-make"), blocks, origin)


def reroll(localize: Localizer, prompt: str, origin: Origin) -> View:
    """The form that repeats an order with an editable prompt."""
    field = _text_field(True) | {"initial_value": prompt[:MAX_PROMPT]}
    blocks = [_input("prompt", localize("slack-prompt"), field)]
    return _modal(Modal.REROLL, localize("button-reroll"), localize("slack-make"), blocks, origin)


def report(localize: Localizer, origin: Origin) -> View:
    """The form that reports a picture."""
    blocks = [_input("words", localize("slack-report-why"), _text_field(True), optional=True)]
    return _modal(
        Modal.REPORT, localize("button-report"), localize("button-report"), blocks, origin
    )


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
