"""Buttons: the action and its target are in the custom id, so that a button never expires."""

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
ROW_LENGTH = 5
STYLES = {
    Style.PRIMARY: discord.ButtonStyle.primary,
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.DANGER: discord.ButtonStyle.danger,
}


@dataclass(frozen=True, slots=True)
class ComponentAction:
    """The action of a pressed button and what it applies to."""

    action: Action
    target: UUID | None


def custom_id(button: Button) -> str:
    """The button's custom id; at most 68 of the 100 characters that Discord allows."""
    target = button.target.hex if button.target else "-"
    return f"atelier:{button.action}:{target}:{button.index or 0}"


def parse(custom_id: str) -> ComponentAction | None:
    """Parse a custom id; None if it is not one of Atelier's."""
    match = TEMPLATE.fullmatch(custom_id)
    if match is None or match["action"] not in list(Action):
        return None
    target = None if match["target"] == "-" else UUID(match["target"])
    return ComponentAction(Action(match["action"]), target)


def action_rows(buttons: Sequence[Button]) -> list[ui.ActionRow[ui.LayoutView]]:
    """The buttons as discord.py's components."""
    return [ui.ActionRow(*(_component(button) for button in row)) for row in rows(buttons)]


def rows(buttons: Sequence[Button]) -> list[list[Button]]:
    """Buttons in rows of at most five; a row with numbered ones has one action."""
    grouped: list[list[Button]] = []
    for button in buttons:
        last = grouped[-1] if grouped else None
        numbered = button.index is not None
        if last and len(last) < ROW_LENGTH and _fits(last[-1], button, numbered):
            last.append(button)
        else:
            grouped.append([button])
    return grouped


def _component(button: Button) -> ui.Button[ui.LayoutView]:
    return ui.Button(
        label=button.label[:80], custom_id=custom_id(button), style=STYLES[button.style]
    )


def _fits(last: Button, button: Button, numbered: bool) -> bool:
    if numbered or last.index is not None:
        return last.action is button.action
    return True


def picture_in(message: discord.Message) -> UUID | None:
    """The first picture of one of the bot's messages, from its buttons."""
    return _target(message, frozenset({Action.EDIT, Action.VARY, Action.UPSCALE}))


def job_in(message: discord.Message) -> UUID | None:
    """The job of one of the bot's messages, from its buttons."""
    return _target(message, frozenset({Action.CANCEL, Action.DETAILS}))


def has_cancel_button(message: discord.Message) -> bool:
    """Whether this is the message of a job in progress: a finished one has no cancel button."""
    return _target(message, frozenset({Action.CANCEL})) is not None


def _target(message: discord.Message, actions: frozenset[Action]) -> UUID | None:
    for component in message.components:
        for nested in _flatten(component):
            parsed = parse(getattr(nested, "custom_id", None) or "")
            if parsed and parsed.action in actions:
                return parsed.target
    return None


def _flatten(component: object) -> list[object]:
    children = getattr(component, "children", None) or []
    return [component, *(leaf for child in children for leaf in _flatten(child))]
