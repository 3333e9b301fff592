"""Cards and replies as Block Kit. Pure.

All text is in `plain_text` objects, in which Slack parses nothing, because most of it contains what
members wrote. Longer text than https://docs.slack.dev/reference/block-kit allows is truncated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from bots.core.cards import bar_text
from bots.core.locales import Localizer
from bots.core.reply import Action, Button, Card, Reply, Style
from bots.slack.mrkdwn import escape, truncate

Block = dict[str, Any]
TEXT_LIMIT = 4000  # of chat.update; chat.postMessage accepts more
HEADING_LIMIT, SECTION_LIMIT, FIELD_LIMIT = 150, 3000, 2000
FIELDS_PER_SECTION = 10
LABEL_LIMIT, MAX_BUTTONS = 75, 25
ALT_LIMIT, TITLE_LIMIT = 2000, 2000
BUTTONS_PER_ROW = 5  # buttons that fit side by side in a narrow window
ACTION_PREFIX = "atelier:"
NO_TARGET = "-"
# Slack asks for confirmation before these destructive actions.
CONFIRMED_ACTIONS = frozenset({Action.DELETE, Action.CONFIRM_FORGET})
MESSAGE_BLOCKS = 50


def card_blocks(card: Card, files: Sequence[str], localize: Localizer) -> list[Block]:
    """A job's message. `files` are the Slack file ids of its pictures, in their order."""
    blocks = [section(f"{card.title}\n{_status(card)}")]
    for number, file in enumerate(files, 1):
        blocks.append(picture_block(file, card.alt, card.title, number, len(files)))
    return blocks + button_rows(card.buttons, localize)


def card_text(card: Card) -> str:
    """The fallback text of a card, for notifications and screen readers."""
    return truncate(f"{escape(card.title)}: {escape(card.text)}", TEXT_LIMIT)


def picture_block(file: str, alt: str, title: str, number: int, count: int) -> Block:
    """An image block that shows a Slack file."""
    which = f" ({number}/{count})" if count > 1 else ""
    return {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": truncate(alt, ALT_LIMIT - 10) + which,
        "title": plain_text(truncate(title, 150) + which, TITLE_LIMIT),
    }


def reply_blocks(reply: Reply, localize: Localizer) -> list[Block]:
    """A reply: its title, text, fields and buttons."""
    blocks = [heading(reply.title)] if reply.title.strip() else []
    blocks += [section(reply.text)] if reply.text.strip() else []
    blocks += field_blocks([(field.name, field.value) for field in reply.fields])
    return [*blocks, *button_rows(reply.buttons, localize)][:MESSAGE_BLOCKS]


def reply_text(reply: Reply) -> str:
    """The fallback text of a reply, for notifications and screen readers."""
    facts = "\n".join(f"{field.name}: {field.value}" for field in reply.fields)
    return truncate(escape("\n".join(filter(None, (reply.title, reply.text, facts)))), TEXT_LIMIT)


def message(text: str) -> dict[str, Any]:
    """The arguments of a message that shows a text."""
    return {"text": truncate(escape(text), TEXT_LIMIT), "blocks": [section(text)]}


def field_blocks(fields: Sequence[tuple[str, str]]) -> list[Block]:
    """Names and values, ten per section."""
    shown = [plain_text(f"{name}\n{value}", FIELD_LIMIT) for name, value in fields]
    return [
        {"type": "section", "fields": shown[at : at + FIELDS_PER_SECTION]}
        for at in range(0, len(shown), FIELDS_PER_SECTION)
    ]


def button_rows(buttons: Sequence[Button], localize: Localizer) -> list[Block]:
    """Rows of buttons: numbered buttons of one action side by side, within Slack's limit."""
    rows: list[Block] = []
    for _, kind in groupby(buttons[:MAX_BUTTONS], key=_button_kind):
        elements = [_button(button, localize) for button in kind]
        rows += [
            {"type": "actions", "elements": elements[at : at + BUTTONS_PER_ROW]}
            for at in range(0, len(elements), BUTTONS_PER_ROW)
        ]
    return rows


def heading(text: str) -> Block:
    """A bold heading; Slack parses no markup in it."""
    return {"type": "header", "text": plain_text(text, HEADING_LIMIT)}


def section(text: str) -> Block:
    """A paragraph; Slack parses no markup in it."""
    return {"type": "section", "text": plain_text(text, SECTION_LIMIT)}


def plain_text(text: str, length: int) -> Block:
    """A plain text object: Slack parses neither markup, links nor `:emoji:` in it."""
    return {"type": "plain_text", "text": truncate(text, length) or " ", "emoji": False}


def mrkdwn(text: str, length: int) -> Block:
    """A mrkdwn text object, for text without any member-written part that is not escaped."""
    return {"type": "mrkdwn", "text": truncate(text, length) or " ", "verbatim": True}


def parse_button(action: Mapping[str, Any]) -> tuple[Action, UUID | None]:
    """The action and target of a pressed button. Raises ValueError for an unknown one."""
    name = str(action["action_id"]).removeprefix(ACTION_PREFIX).partition(":")[0]
    value = str(action.get("value", NO_TARGET))
    return Action(name), None if value == NO_TARGET else UUID(value)


def file_ids(message: Mapping[str, Any]) -> list[str]:
    """The ids of the Slack files in a message's image blocks."""
    return [
        block["slack_file"]["id"]
        for block in message.get("blocks", [])
        if block.get("type") == "image" and "id" in block.get("slack_file", {})
    ]


def _button_kind(button: Button) -> str:
    return str(button.action) if button.index else ""


def _status(card: Card) -> str:
    if card.bar is None:
        return card.text
    return f"{bar_text(card.bar)}  {card.text}"


def _button(button: Button, localize: Localizer) -> Block:
    elements: Block = {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{button.action}:{button.index or 0}",
        "text": plain_text(button.label, LABEL_LIMIT),
        "value": button.target.hex if button.target else NO_TARGET,
    }
    if button.style is not Style.PLAIN:
        elements["style"] = str(button.style)
    if button.action in CONFIRMED_ACTIONS:
        elements["confirm"] = _confirm(button, localize)
    return elements


def _confirm(button: Button, localize: Localizer) -> Block:
    return {
        "title": plain_text(button.label, 100),
        "text": plain_text(localize("slack-sure"), 300),
        "confirm": plain_text(button.label, 30),
        "deny": plain_text(localize("slack-no"), 30),
        "style": "danger",
    }
