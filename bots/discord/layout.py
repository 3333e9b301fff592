"""What members see: cards as components v2, answers as plain text with buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

import discord
from discord import ui
from discord.utils import escape_markdown

from bots.core.cards import bar_text, shorten
from bots.core.reply import Card, Reply
from bots.discord import buttons
from imaging.request import Operation
from tasks.job import Job, Picture
from tasks.tiers import Tier

COLOURS = {Tier.FREE: 0x8A8F98, Tier.PLUS: 0x3B82C4, Tier.TEAM: 0x2E9E6B, Tier.PRO: 0xC79A2B}
CONTENT = 2000  # characters
TEXT = 4000  # characters, of all text displays of a message
PREVIEW = "preview.jpg"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that goes with a message."""

    name: str
    data: bytes = field(repr=False)
    alt: str = ""
    covered: bool = False  # behind a spoiler

    def file(self) -> discord.File:
        """As discord.py sends it; made anew for each try, because sending uses it up.

        The gallery that shows it covers it; a file that stands alone is covered by its name.
        """
        return discord.File(BytesIO(self.data), self.name, description=self.alt[:1024] or None)


def card_view(card: Card, sheets: Sequence[Sheet] = ()) -> ui.LayoutView:
    """A job's message: its words, its pictures (files of the same message), its buttons."""
    view = _view()
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=COLOURS[card.tier])
    box.add_item(ui.TextDisplay(card_text(card)))
    if sheets:
        box.add_item(ui.MediaGallery(*(_shown(sheet) for sheet in sheets)))
    for row in buttons.rows(card.buttons):
        box.add_item(ui.ActionRow(*(buttons.component(button) for button in row)))
    view.add_item(box)
    return _inert(view)


def card_text(card: Card) -> str:
    """The title, the state in a sentence, and the bar while there is one."""
    lines = [f"**{escape_markdown(shorten(card.title, 300))}**", escape_markdown(card.text)]
    if card.bar is not None:
        lines.append(f"`{bar_text(card.bar, 16)}` {round(card.bar * 100)} %")
    return "\n".join(lines)


def answer_text(reply: Reply) -> str:
    """An answer as one text of at most 2,000 characters."""
    lines = [f"**{reply.title}**"] if reply.title else []
    lines += [reply.text] if reply.text else []
    lines += [_line(field.name, field.value) for field in reply.fields]
    return shorten("\n".join(lines), CONTENT)


def answer_view(reply: Reply) -> ui.View | None:
    """The buttons of an answer; None where it has none."""
    if not reply.buttons:
        return None
    view = ui.View(timeout=None)
    for number, row in enumerate(buttons.rows(reply.buttons)[:5]):
        for button in row:
            one: ui.Button[ui.View] = ui.Button(
                label=button.label[:80],
                custom_id=buttons.custom_id(button),
                style=buttons.STYLES[button.style],
                row=number,
            )
            view.add_item(one)
    view.stop()
    return view


def file_name(card: Card, number: int, mime: str) -> str:
    """What a picture is called when it is saved: the job's short name and the picture's number."""
    kind = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}.get(mime, "bin")
    word = "picture" if card.job.order.request.operation is Operation.IMAGINE else "edit"
    return f"{word}-{card.job.short}-{number}.{kind}"


def _line(name: str, value: str) -> str:
    return f"**{escape_markdown(name)}** · {value}" if name else value


def covers(job: Job, picture: Picture) -> bool:
    """Whether a picture is shown behind a spoiler: one that may be unfit, unless the server wants
    such pictures in the open. Where that was not noted, it is covered."""
    return picture.flagged and bool(job.placeholder.get("spoiler", True))


def _shown(sheet: Sheet) -> discord.MediaGalleryItem:
    return discord.MediaGalleryItem(
        f"attachment://{sheet.name}", description=sheet.alt[:1024] or None, spoiler=sheet.covered
    )


def _view() -> ui.LayoutView:
    return ui.LayoutView(timeout=None)


def _inert(view: ui.LayoutView) -> ui.LayoutView:
    """A view that discord.py does not remember: our buttons are rebuilt from their ids instead."""
    view.stop()
    return view
