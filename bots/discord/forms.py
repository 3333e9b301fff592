"""Forms that a button opens. Their target is in the form's own id, so they outlive a restart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import discord
from discord import ui

from bots.core.command import MAX_PROMPT
from bots.core.reply import Action
from bots.core.sentences import Sentences

EDIT_FILE = "edit-file"
"""An edit of somebody's file; the target is what the file was put aside under."""

PURPOSES = frozenset({Action.EDIT, Action.REROLL, Action.REPORT, EDIT_FILE})
TEMPLATE = re.compile(r"atelier-form:(?P<purpose>[a-z-]{1,20}):(?P<target>[0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was sent: what for, the words by field, and the address of a file."""

    purpose: str  # an action's word, or EDIT_FILE
    target: UUID
    words: dict[str, str]
    file: str | None = None


def edit_form(target: UUID, say: Sentences, purpose: str = Action.EDIT) -> ui.Modal:
    """What to change, and a mask for where."""
    form = _form(purpose, target, say("discord-form-edit"))
    form.add_item(_text("instruction", say("discord-form-instruction"), MAX_PROMPT))
    upload: ui.FileUpload[ui.Modal] = ui.FileUpload(
        custom_id="mask", required=False, min_values=0, max_values=1
    )
    about = say("discord-form-mask-about")
    form.add_item(ui.Label(text=say("discord-form-mask"), description=about, component=upload))
    return form


def reroll_form(job: UUID, prompt: str, say: Sentences) -> ui.Modal:
    """The prompt, open for change."""
    form = _form(Action.REROLL, job, say("discord-form-reroll"))
    form.add_item(_text("prompt", say("discord-form-prompt"), MAX_PROMPT, prompt))
    return form


def report_form(job: UUID, say: Sentences) -> ui.Modal:
    """What is wrong with a picture."""
    form = _form(Action.REPORT, job, say("discord-form-report"))
    form.add_item(_text("words", say("discord-form-words"), 1000, required=False))
    return form


def read(interaction: discord.Interaction) -> Filled | None:
    """The form behind a submitted interaction; None where it is not one of ours."""
    data: Any = interaction.data or {}
    match = TEMPLATE.fullmatch(data.get("custom_id", ""))
    if match is None or match["purpose"] not in PURPOSES:
        return None
    words: dict[str, str] = {}
    file = None
    files = data.get("resolved", {}).get("attachments", {})
    for part in data.get("components", []):
        field = part.get("component") or {}
        if "value" in field:
            words[field["custom_id"]] = field["value"] or ""
        elif field.get("values"):
            file = files.get(field["values"][0], {}).get("url")
    return Filled(match["purpose"], UUID(match["target"]), words, file)


def _form(purpose: str, target: UUID, title: str) -> ui.Modal:
    return ui.Modal(title=title[:45], custom_id=f"atelier-form:{purpose}:{target.hex}", timeout=1)


def _text(
    name: str, label: str, longest: int, value: str = "", *, required: bool = True
) -> ui.Label[ui.Modal]:
    field: ui.TextInput[ui.Modal] = ui.TextInput(
        custom_id=name,
        style=discord.TextStyle.paragraph,
        max_length=longest,
        default=value[:longest] or None,
        required=required,
    )
    return ui.Label(text=label[:45], component=field)
