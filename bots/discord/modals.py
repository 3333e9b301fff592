"""Modals that a button opens. Their target is in the custom id, so that they survive a restart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import discord
from discord import ui

from bots.core.commands import MAX_PROMPT
from bots.core.locales import Localizer
from bots.core.reply import Action

EDIT_FILE = "edit-file"
"""An edit of a file in a message; the target is the key of its pending URL."""

PURPOSES = frozenset({Action.EDIT, Action.REROLL, Action.REPORT, EDIT_FILE})
TEMPLATE = re.compile(r"atelier-form:(?P<purpose>[a-z-]{1,20}):(?P<target>[0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class SubmittedModal:
    """A submitted modal: its purpose, its values by field, and the URL of an uploaded file."""

    purpose: str  # an action, or EDIT_FILE
    target: UUID
    values: dict[str, str]
    file: str | None = None


def edit_modal(target: UUID, localize: Localizer, purpose: str = Action.EDIT) -> ui.Modal:
    """Asks for an instruction and an optional mask."""
    modal = _modal(purpose, target, localize("discord-form-edit"))
    modal.add_item(_text_input("instruction", localize("discord-form-instruction"), MAX_PROMPT))
    upload: ui.FileUpload[ui.Modal] = ui.FileUpload(
        custom_id="mask", required=False, min_values=0, max_values=1
    )
    about = localize("discord-form-mask-about")
    modal.add_item(
        ui.Label(text=localize("discord-form-mask"), description=about, component=upload)
    )
    return modal


def reroll_modal(job: UUID, prompt: str, localize: Localizer) -> ui.Modal:
    """Asks for a prompt, filled with the present one."""
    modal = _modal(Action.REROLL, job, localize("discord-form-reroll"))
    modal.add_item(_text_input("prompt", localize("discord-form-prompt"), MAX_PROMPT, prompt))
    return modal


def report_modal(job: UUID, localize: Localizer) -> ui.Modal:
    """Asks what is wrong with a picture."""
    modal = _modal(Action.REPORT, job, localize("discord-form-report"))
    modal.add_item(_text_input("words", localize("discord-form-words"), 1000, required=False))
    return modal


def parse(interaction: discord.Interaction) -> SubmittedModal | None:
    """Parse a submitted modal; None if it is not one of Atelier's."""
    data: Any = interaction.data or {}
    match = TEMPLATE.fullmatch(data.get("custom_id", ""))
    if match is None or match["purpose"] not in PURPOSES:
        return None
    values: dict[str, str] = {}
    file = None
    files = data.get("resolved", {}).get("attachments", {})
    for part in data.get("components", []):
        field = part.get("component") or {}
        if "value" in field:
            values[field["custom_id"]] = field["value"] or ""
        elif field.get("values"):
            file = files.get(field["values"][0], {}).get("url")
    return SubmittedModal(match["purpose"], UUID(match["target"]), values, file)


def _modal(purpose: str, target: UUID, title: str) -> ui.Modal:
    return ui.Modal(title=title[:45], custom_id=f"atelier-form:{purpose}:{target.hex}", timeout=1)


def _text_input(
    custom_id: str, label: str, max_length: int, value: str = "", *, required: bool = True
) -> ui.Label[ui.Modal]:
    field: ui.TextInput[ui.Modal] = ui.TextInput(
        custom_id=custom_id,
        style=discord.TextStyle.paragraph,
        max_length=max_length,
        default=value[:max_length] or None,
        required=required,
    )
    return ui.Label(text=label[:45], component=field)
