"""Stored pictures as files of a message: read, made to fit, and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import anyio.to_thread

from bots.core.cards import ALT_LENGTH, shorten
from bots.core.reply import Action, Button, Card
from bots.discord.layout import Sheet, covers, file_name
from imaging.formats import fit_into, thumbnail
from tasks.client import Client
from tasks.job import Picture

MOST = 10  # files in a message
SMALL = 256  # pixels of the longer side
COVERED = "SPOILER_"  # what Discord's clients know such a file by
ABOUT_ONE = frozenset({Action.VARY, Action.UPSCALE, Action.EDIT})


@dataclass(frozen=True, slots=True)
class Pictures:
    """Reads pictures through the studio's door."""

    client: Client
    size_limit: int

    async def stored(self, card: Card) -> tuple[Card, list[Sheet]]:
        """The pictures of a card as they are, and the card with the buttons of those alone."""
        sheets = []
        for number, picture in enumerate(card.pictures[:MOST], 1):
            data = await self.client.read_blob(picture.blob)
            fitting = await anyio.to_thread.run_sync(fit_into, data, self.size_limit)
            name = file_name(card, number, fitting.mime)
            covered = covers(card.job, picture)
            sheets.append(Sheet(name, fitting.data, card.alt, covered))
        shown = {picture.id for picture in card.pictures}
        kept = tuple(button for button in card.buttons if _belongs(button, shown))
        return replace(card, buttons=kept), sheets

    async def small(self, pictures: Sequence[Picture]) -> list[Sheet]:
        """Small copies for a list; a picture whose file is gone is left out."""
        sheets = []
        for number, picture in enumerate(pictures[:MOST], 1):
            try:
                data = await self.client.read_blob(picture.blob)
            except FileNotFoundError:
                continue
            made = await anyio.to_thread.run_sync(thumbnail, data, SMALL)
            alt = shorten(picture.instruction, ALT_LENGTH)
            name = f"{number}-{picture.id.hex[-8:]}.webp"
            sheets.append(Sheet(f"{COVERED}{name}" if picture.flagged else name, made.data, alt))
        return sheets


def _belongs(button: Button, shown: set[UUID]) -> bool:
    return button.action not in ABOUT_ONE or button.target in shown
