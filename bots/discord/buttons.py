"""What is written in a button: the action and its target. It works as long as the record does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import discord
from discord import ui

from bots.core.reply import Action, Button, Style

TEMPLATE = re.compile(
    r"atelier:(?P<action>[a-z-]{1,20}):(?P<target>[0-9a-f]{32}|-):(?P<index>\d{1,2})"
)
ROW = 5  # buttons in a row
STYLES = {
    Style.PRIMARY: discord.ButtonStyle.primary,
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.DANGER: discord.ButtonStyle.danger,
}


@dataclass(frozen=True, slots=True)
class Press:
    """What a pressed button asks for."""

    action: Action
    target: UUID | None


def custom_id(button: Button) -> str:
    """What Discord keeps in the button; at most 68 characters of the 100 there are."""
    target = button.target.hex if button.target else "-"
    return f"atelier:{button.action}:{target}:{button.index or 0}"


def read(custom: str) -> Press | None:
    """The press behind a custom id; None where it is not one of ours."""
    match = TEMPLATE.fullmatch(custom)
    if match is None or match["action"] not in list(Action):
        return None
    target = None if match["target"] == "-" else UUID(match["target"])
    return Press(Action(match["action"]), target)


def component(button: Button) -> ui.Button[ui.LayoutView]:
    """The button as discord.py's component."""
    return ui.Button(
        label=button.label[:80], custom_id=custom_id(button), style=STYLES[button.style]
    )


def rows(buttons: Sequence[Button]) -> list[list[Button]]:
    """Buttons in rows of at most five; the numbered ones of one action stay together."""
    grouped: list[list[Button]] = []
    for button in buttons:
        last = grouped[-1] if grouped else None
        numbered = button.index is not None
        if last and len(last) < ROW and _fits(last[-1], button, numbered):
            last.append(button)
        else:
            grouped.append([button])
    return grouped


def _fits(last: Button, button: Button, numbered: bool) -> bool:
    if numbered or last.index is not None:
        return last.action is button.action
    return True


def picture_in(message: discord.Message) -> UUID | None:
    """The first picture of one of our messages, read off its own buttons."""
    return _target(message, frozenset({Action.EDIT, Action.VARY, Action.UPSCALE}))


def job_in(message: discord.Message) -> UUID | None:
    """The job that one of our messages is about, read off its own buttons."""
    return _target(message, frozenset({Action.CANCEL, Action.DETAILS}))


def waits(message: discord.Message) -> bool:
    """Whether this is the message of a job in progress: a finished one cannot be cancelled."""
    return _target(message, frozenset({Action.CANCEL})) is not None


def _target(message: discord.Message, actions: frozenset[Action]) -> UUID | None:
    for part in message.components:
        for one in _inside(part):
            press = read(getattr(one, "custom_id", None) or "")
            if press and press.action in actions:
                return press.target
    return None


def _inside(part: object) -> list[object]:
    inner = getattr(part, "children", None) or []
    return [part, *(leaf for child in inner for leaf in _inside(child))]
