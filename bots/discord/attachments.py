"""Stored pictures as files of a message: read, reduced to Discord's limits, and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import anyio.to_thread
from anyio import CapacityLimiter

from bots.core.cards import ALT_LENGTH, shorten
from bots.core.reply import Action, Button, Card
from bots.discord.message_view import MessageFile, covers, file_name
from imaging.formats import fit_into, thumbnail
from tasks.client import Client
from tasks.jobs.job import Picture

MAX_FILES = 10  # files in a message
THUMBNAIL_SIDE = 256  # pixels of the longer side
MAX_DECODING = 2
"""Pictures decoded at once: a large one takes some hundred MB."""
SPOILER_PREFIX = "SPOILER_"  # Discord's clients cover a file with this name
PICTURE_ACTIONS = frozenset({Action.VARY, Action.UPSCALE, Action.EDIT})


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Reads stored pictures; `size_limit` is in bytes a file."""

    client: Client
    size_limit: int
    _turns: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(MAX_DECODING), init=False
    )

    async def originals(self, card: Card) -> tuple[Card, list[MessageFile]]:
        """The card's pictures, and the card with only the buttons of those that are attached.

        Raises Unavailable, or FileNotFoundError for a picture whose file is missing.
        """
        files = []
        for number, picture in enumerate(card.pictures[:MAX_FILES], 1):
            data = await self.client.pictures.read_blob(picture.blob)
            fitting = await anyio.to_thread.run_sync(
                fit_into, data, self.size_limit, limiter=self._turns
            )
            name = file_name(card, number, fitting.mime)
            files.append(MessageFile(name, fitting.data, card.alt, covers(card.job, picture)))
        attached = {picture.id for picture in card.pictures}
        kept = tuple(button for button in card.buttons if _applies(button, attached))
        return replace(card, buttons=kept), files

    async def thumbnails(self, pictures: Sequence[Picture]) -> list[MessageFile]:
        """Thumbnails for a list; a picture whose file is missing is left out."""
        files = []
        for number, picture in enumerate(pictures[:MAX_FILES], 1):
            try:
                data = await self.client.pictures.read_blob(picture.blob)
            except FileNotFoundError:
                continue
            small = await anyio.to_thread.run_sync(
                thumbnail, data, THUMBNAIL_SIDE, limiter=self._turns
            )
            prefix = SPOILER_PREFIX if picture.flagged else ""
            name = f"{prefix}{number}-{picture.id.hex[-8:]}.webp"
            files.append(MessageFile(name, small.data, shorten(picture.instruction, ALT_LENGTH)))
        return files


def _applies(button: Button, pictures: set[UUID]) -> bool:
    return button.action not in PICTURE_ACTIONS or button.target in pictures
