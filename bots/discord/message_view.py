"""Renders cards as components v2, and answers as plain text with buttons."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO

import discord
from discord import ui

from bots.core.cards import bar_text, shorten
from bots.core.reply import Attachment, Card, Reply
from bots.discord import buttons
from bots.discord.escaping import escape
from imaging.request import Operation
from tasks.client import Archive
from tasks.jobs.job import Job, Picture
from tasks.jobs.tier_colours import ON_DARK

TIER_COLOURS = {tier: int(colour.removeprefix("#"), 16) for tier, colour in ON_DARK.items()}
REPORT_COLOUR = 0xB3423A
MAX_CONTENT = 2000  # characters
PREVIEW = "preview.jpg"

HELP_CODE = "help-title"
_LINK_SIGNS = str.maketrans({"\ue000": "</", "\ue001": ":", "\ue002": ">"})
"""Stand for the signs of a command link until the text around them is escaped."""
_COMMAND = re.compile(r"(?<![\w/])/([a-z]+)\b")


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A file of a message."""

    name: str
    data: bytes = field(repr=False)
    alt: str = ""
    covered: bool = False  # behind a spoiler

    def upload(self) -> discord.File:
        """A new upload for one request: sending consumes it.

        A gallery covers its files itself; a file outside a gallery is covered by its name.
        """
        return discord.File(BytesIO(self.data), self.name, description=self.alt[:1024] or None)


@dataclass(frozen=True, slots=True)
class RenderedReply:
    """A reply as a message: a layout without text, or a text with buttons below."""

    text: str | None
    view: ui.View | ui.LayoutView | None
    files: Sequence[MessageFile]
    private: bool
    rest: AsyncGenerator[Archive, None] | None = field(default=None, repr=False)
    """The archives of an export that follow the first one."""

    async def close(self) -> None:
        """Drop the archives that were not sent."""
        if self.rest is not None:
            await self.rest.aclose()


def card_view(card: Card, files: Sequence[MessageFile] = ()) -> ui.LayoutView:
    """A job's message: its text, its pictures (files of the same message), its buttons."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=TIER_COLOURS[card.tier])
    box.add_item(ui.TextDisplay(card_text(card)))
    if files:
        box.add_item(ui.MediaGallery(*(_gallery_item(file) for file in files)))
    for row in buttons.action_rows(card.buttons):
        box.add_item(row)
    view.add_item(box)
    view.stop()  # discord.py need not track it: a button is handled by its custom id
    return view


def report_view(reply: Reply, files: Sequence[MessageFile]) -> ui.LayoutView:
    """A report in the moderators' channel: its text, its covered pictures, its buttons."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=REPORT_COLOUR)
    box.add_item(ui.TextDisplay(answer_text(reply)))
    if files:
        covered = (replace(file, covered=True) for file in files)
        box.add_item(ui.MediaGallery(*(_gallery_item(file) for file in covered)))
    for row in buttons.action_rows(reply.buttons):
        box.add_item(row)
    view.add_item(box)
    view.stop()
    return view


def decided_report_view(reply: Reply, moderator: str) -> ui.LayoutView:
    """A report after its decision: what was decided, and by whom."""
    decided = replace(reply, text=f"{reply.text} ({moderator})", buttons=())
    return report_view(decided, ())


def card_text(card: Card) -> str:
    """The title, the state in a sentence, and the progress bar of a running job."""
    lines = [f"**{escape(shorten(card.title, 300))}**", escape(card.text)]
    if card.bar is not None:
        lines.append(f"`{bar_text(card.bar, 16)}` {round(card.bar * 100)} %")
    return "\n".join(lines)


def render_answer(
    reply: Reply, files: Sequence[MessageFile], drawing: Attachment | None
) -> RenderedReply:
    """An answer with its thumbnails and its chart."""
    others = [MessageFile(drawing.name, drawing.data)] if drawing else []
    view = answer_view(reply)
    return RenderedReply(answer_text(reply), view, [*files, *others], reply.private)


def answer_text(reply: Reply) -> str:
    """An answer as one text of at most 2,000 characters; members' words in it are escaped.

    Where it is too long, its longest line is shortened, so that every fact stays visible.
    """
    lines = [f"**{escape(reply.title)}**"] if reply.title else []
    lines += [escape(reply.text)] if reply.text else []
    lines += [_line(field.name, field.value) for field in reply.fields]
    overflow = len("\n".join(lines)) - MAX_CONTENT
    if overflow > 0:
        longest = max(range(len(lines)), key=lambda index: len(lines[index]))
        lines[longest] = shorten(lines[longest], max(1, len(lines[longest]) - overflow))
    text = shorten("\n".join(lines), MAX_CONTENT)
    return text.translate(_LINK_SIGNS) if reply.code == HELP_CODE else text


def with_clickable_commands(reply: Reply, command_ids: Mapping[str, str]) -> Reply:
    """A help reply whose slash commands can be clicked, where their ids are known."""
    if reply.code != HELP_CODE:
        return reply

    def link(match: re.Match[str]) -> str:
        id_ = command_ids.get(match[1])
        return f"\ue000{match[1]}\ue001{id_}\ue002" if id_ else match[0]

    fields = tuple(replace(one, value=_COMMAND.sub(link, one.value)) for one in reply.fields)
    return replace(reply, fields=fields)


def answer_view(reply: Reply) -> ui.View | None:
    """The buttons of an answer; None if it has none."""
    if not reply.buttons:
        return None
    view = ui.View(timeout=None)
    for index, row in enumerate(buttons.rows(reply.buttons)[:5]):
        for button in row:
            item: ui.Button[ui.View] = ui.Button(
                label=button.label[:80],
                custom_id=buttons.custom_id(button),
                style=buttons.STYLES[button.style],
                row=index,
            )
            view.add_item(item)
    view.stop()
    return view


def question_view(reply: Reply) -> ui.LayoutView:
    """A question with its buttons, to post in a channel."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(escape(reply.text)))
    for row in buttons.action_rows(reply.buttons):
        view.add_item(row)
    return view


def file_name(card: Card, number: int, mime: str) -> str:
    """The file name of a picture: the job's short name and the picture's number."""
    kind = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}.get(mime, "bin")
    word = "picture" if card.job.order.request.operation is Operation.IMAGINE else "edit"
    return f"{word}-{card.job.short}-{number}.{kind}"


def _line(name: str, value: str) -> str:
    return f"**{escape(name)}** · {escape(value)}" if name else escape(value)


def covers(job: Job, picture: Picture) -> bool:
    """Whether a picture is behind a spoiler: if it is flagged, unless the server shows such ones.

    Where the server's setting was not recorded with the placeholder, the picture is covered.
    """
    return picture.flagged and bool(job.placeholder.get("spoiler", True))


def _gallery_item(file: MessageFile) -> discord.MediaGalleryItem:
    return discord.MediaGalleryItem(
        f"attachment://{file.name}", description=file.alt[:1024] or None, spoiler=file.covered
    )
