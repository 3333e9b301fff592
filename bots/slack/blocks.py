"""Cards and replies as Block Kit. Pure.

Prompts only ever stand in `plain_text`, or escaped. Limits are those of
https://docs.slack.dev/reference/block-kit; what is too long is cut, never refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from bots.core.cards import bar_text
from bots.core.reply import Action, Button, Card, Reply, Style
from bots.core.sentences import Sentences
from bots.slack.mrkdwn import clip, escape

Block = dict[str, Any]
TEXT_LIMIT = 4000  # what chat.update takes; chat.postMessage takes more
SECTION, FIELD, FIELDS, LABEL, BUTTONS, ALT, TITLE = 3000, 2000, 10, 75, 25, 2000, 2000
ROW = 5  # buttons that stand beside each other on a narrow window
ACTION_PREFIX = "atelier:"
TARGETLESS = "-"
# Pressing one of these by mistake would cost something, so Slack asks once more.
ASKED_AGAIN = frozenset({Action.DELETE, Action.CONFIRM_FORGET})
MESSAGE_BLOCKS = 50


def card_blocks(card: Card, files: Sequence[str], say: Sentences) -> list[Block]:
    """A job's message. `files` are the Slack file ids of its pictures, in their order."""
    head = f"*{escape(card.title)}*\n{_state(card)}"
    blocks = [section(head)]
    for number, file in enumerate(files, 1):
        blocks.append(picture_block(file, card.alt, card.title, number, len(files)))
    return blocks + button_rows(card.buttons, say)


def card_text(card: Card) -> str:
    """What notifications and screen readers get in place of a card's blocks."""
    return clip(f"{escape(card.title)}: {escape(card.text)}", TEXT_LIMIT)


def picture_block(file: str, alt: str, title: str, number: int, count: int) -> Block:
    """One picture that is a file on Slack."""
    which = f" ({number}/{count})" if count > 1 else ""
    return {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": clip(alt, ALT - 10) + which,
        "title": plain_text(clip(title, 150) + which, TITLE),
    }


def reply_blocks(reply: Reply, say: Sentences) -> list[Block]:
    """An answer: its title, text, list of facts and buttons."""
    head = f"*{escape(reply.title)}*\n" if reply.title else ""
    body = head + escape(reply.text)
    blocks = [section(body)] if body.strip() else []
    blocks += field_blocks([(field.name, field.value) for field in reply.fields])
    return [*blocks, *button_rows(reply.buttons, say)][:MESSAGE_BLOCKS]


def reply_text(reply: Reply) -> str:
    """What notifications and screen readers get in place of an answer's blocks."""
    facts = "\n".join(f"{field.name}: {field.value}" for field in reply.fields)
    return clip(escape("\n".join(filter(None, (reply.title, reply.text, facts)))), TEXT_LIMIT)


def field_blocks(fields: Sequence[tuple[str, str]]) -> list[Block]:
    """Names and values, ten to a section."""
    shown = [mrkdwn(f"*{escape(name)}*\n{escape(value)}", FIELD) for name, value in fields]
    return [
        {"type": "section", "fields": shown[at : at + FIELDS]}
        for at in range(0, len(shown), FIELDS)
    ]


def button_rows(buttons: Sequence[Button], say: Sentences) -> list[Block]:
    """Buttons in rows: numbered ones of a kind beside each other, and no more than Slack takes."""
    rows: list[Block] = []
    for _, kind in groupby(buttons[:BUTTONS], key=_row):
        drawn = [_button(button, say) for button in kind]
        rows += [
            {"type": "actions", "elements": drawn[at : at + ROW]}
            for at in range(0, len(drawn), ROW)
        ]
    return rows


def section(text: str) -> Block:
    """A paragraph of mrkdwn; the caller has escaped what members typed."""
    return {"type": "section", "text": mrkdwn(text, SECTION)}


def mrkdwn(text: str, length: int) -> Block:
    """A mrkdwn text object."""
    return {"type": "mrkdwn", "text": clip(text, length) or " "}


def plain_text(text: str, length: int) -> Block:
    """A plain text object: nothing in it is ever read as markup."""
    return {"type": "plain_text", "text": clip(text, length) or " ", "emoji": True}


def read_button(action: Mapping[str, Any]) -> tuple[Action, UUID | None]:
    """The action and target of a button that was pressed. Raises ValueError for any other."""
    name = str(action["action_id"]).removeprefix(ACTION_PREFIX).partition(":")[0]
    value = str(action.get("value", TARGETLESS))
    return Action(name), None if value == TARGETLESS else UUID(value)


def shown_files(message: Mapping[str, Any]) -> list[str]:
    """Ids of the Slack files that a message's image blocks show."""
    return [
        block["slack_file"]["id"]
        for block in message.get("blocks", [])
        if block.get("type") == "image" and "id" in block.get("slack_file", {})
    ]


def _row(button: Button) -> str:
    return str(button.action) if button.index else ""


def _state(card: Card) -> str:
    if card.bar is None:
        return escape(card.text)
    return f"{bar_text(card.bar)}  {escape(card.text)}"


def _button(button: Button, say: Sentences) -> Block:
    drawn: Block = {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{button.action}:{button.index or 0}",
        "text": plain_text(button.label, LABEL),
        "value": button.target.hex if button.target else TARGETLESS,
    }
    if button.style is not Style.PLAIN:
        drawn["style"] = str(button.style)
    if button.action in ASKED_AGAIN:
        drawn["confirm"] = _confirm(button, say)
    return drawn


def _confirm(button: Button, say: Sentences) -> Block:
    return {
        "title": plain_text(button.label, 100),
        "text": plain_text(say("slack-sure"), 300),
        "confirm": plain_text(button.label, 30),
        "deny": plain_text(say("slack-no"), 30),
        "style": "danger",
    }
