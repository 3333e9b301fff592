"""Pictures that come in: a file that a member sent, or one of Atelier's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import anyio.to_thread
from PIL import Image

from bots.core.command import Source, Upload
from bots.core.context import Context
from imaging.errors import ImagingError
from imaging.formats import LIMITS, Encoded, decode, decode_mask, encode_png
from tasks.job import Job, Reason

LONGEST_SIDE = 4096
"""Pixels; a larger picture is made smaller at the door, since no model sees more."""


@dataclass(frozen=True, slots=True)
class Material:
    """A picture that an order is made from, stored under `blob`."""

    blob: str
    width: int
    height: int
    prompt: str = ""
    profile: str | None = None
    seed: int | None = None
    parent: UUID | None = None
    private: bool = False


class Unusable(Exception):
    """The source cannot be used; `reason` says why, for the member."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def unreadable(code: str, most: int = LIMITS.bytes) -> Reason:
    """Why a member's file cannot be used, with what one may be; `most` bytes come in this way."""
    details = {
        "megabytes": most // 2**20,
        "megapixels": LIMITS.pixels // 1_000_000,
        "side": LIMITS.side,
    }
    return Reason(code, details)


async def take(context: Context, source: Source) -> Material:
    """The material behind a source. Raises Unusable."""
    if isinstance(source, Upload):
        return await _take_upload(context, source, clean)
    return await _take_picture(context, source)


async def take_mask(context: Context, mask: Upload) -> Material:
    """The material of a mask: white is painted anew. Raises Unusable."""
    return await _take_upload(context, mask, clean_mask)


def clean(data: bytes) -> Encoded:
    """The file read as a picture and written anew: nothing hidden in it (a place, a name) is kept.

    Raises NotAPicture or PictureTooLarge.
    """
    return _written(decode(data))


def clean_mask(data: bytes) -> Encoded:
    """The same for a mask, in grey."""
    return _written(decode_mask(data))


def _written(image: Image.Image) -> Encoded:
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return Encoded(encode_png(image), "image/png", image.width, image.height)


async def _take_upload(
    context: Context, upload: Upload, read: Callable[[bytes], Encoded]
) -> Material:
    try:
        picture = await anyio.to_thread.run_sync(read, upload.data)
    except ImagingError as error:
        raise Unusable(unreadable(error.code)) from error
    blob = await context.client.store_source(picture.data)
    return Material(blob, picture.width, picture.height)


async def _take_picture(context: Context, id_: UUID) -> Material:
    picture = await context.client.picture(id_)
    if picture is None or picture.deleted:
        raise Unusable(Reason("unknown-picture"))
    job = await context.client.job(picture.job)
    if job is None or not may_see(context, job):
        raise Unusable(Reason("unknown-picture"))
    request = picture.request
    return Material(
        picture.blob,
        picture.width,
        picture.height,
        prompt=request.prompt,
        profile=request.profile,
        seed=picture.seed,
        parent=picture.id,
        private=job.order.private,
    )


def may_see(context: Context, job: Job) -> bool:
    """Pictures stay in their server; private ones with their owner."""
    member = context.ask.member
    mine = job.order.member.key == member.key
    here = (job.order.member.platform, job.order.member.workspace) == (
        member.platform,
        member.workspace,
    )
    return mine or (here and not job.order.private)
