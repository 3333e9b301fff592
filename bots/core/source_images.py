"""Loads the pictures an order is made from: uploaded files and Atelier's own pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from PIL import Image

from bots.core.commands import MAX_SOURCES, Source, Upload
from bots.core.context import Context
from bots.core.image_decoder import DecoderBusy
from imaging.errors import ImagingError, MaskEmpty
from imaging.formats import LIMITS, RESULT_LIMITS, Encoded, decode, decode_layer, encode_png
from imaging.masks import cover_mask, read_mask
from tasks.jobs.job import Reason

MAX_SIDE = 4096
"""Pixels. Larger pictures are scaled down when they are loaded: no model uses more."""


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A source of an order, stored as `blob`; sizes in pixels."""

    blob: str
    width: int
    height: int
    prompt: str = ""
    profile: str | None = None
    seed: int | None = None
    parent: UUID | None = None
    private: bool = False
    flagged: bool = False


class UnusableImage(Exception):
    """The source can't be used; `reason` is for the member."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def unusable_file(code: str, upload_bytes: int, name: str = "") -> Reason:
    """Why a member's file can't be used, with its name and the limits.

    A file may have `upload_bytes`.
    """
    details = {
        "name": name,
        "megabytes": upload_bytes // 2**20,
        "megapixels": LIMITS.pixels // 1_000_000,
        "side": LIMITS.side,
        "photo": LIMITS.photo_pixels // 1_000_000,
        "jpeg": LIMITS.scalable_pixels // 1_000_000,
    }
    return Reason(code, details)


def refused_files(names_and_types: Sequence[tuple[str, str]]) -> Reason | None:
    """Why files can't be used together, from their names and MIME types; None if they can.

    A file of unknown type is opened to find out.
    """
    for name, mime in names_and_types:
        if mime and not mime.startswith("image/"):
            return Reason("not-a-picture", {"name": name})
    if len(names_and_types) > MAX_SOURCES:
        return Reason("too-many-files", {"count": len(names_and_types), "limit": MAX_SOURCES})
    return None


async def load_source(context: Context, source: Source) -> SourceImage:
    """Load a source. Raises UnusableImage."""
    if isinstance(source, Upload):
        return await _load_upload(context, source, sanitize)
    return await _load_picture(context, source)


async def load_mask(
    context: Context, mask: Upload, source: SourceImage, size: tuple[int, int]
) -> SourceImage:
    """Load a mask of a source, for an edit of `size`. Raises UnusableImage.

    It is stored in the source's size, white on black.
    """
    try:
        picture = await context.client.pictures.read_blob(source.blob)
    except FileNotFoundError as error:
        raise UnusableImage(Reason("unknown-picture")) from error
    return await _load_upload(context, mask, partial(sanitize_mask, picture, size))


def sanitize(data: bytes) -> Encoded:
    """Decode a file and encode it again without its metadata, such as a location or a name.

    Raises NotAPicture or PictureTooLarge.
    """
    return _re_encode(decode(data))


def sanitize_mask(picture: bytes, size: tuple[int, int], data: bytes) -> Encoded:
    """A mask of a picture, in the picture's size, white on black; `size` is that of the result.

    Raises NotAPicture, PictureTooLarge, MaskEmpty or MaskUnclear.
    """
    mask = read_mask(_shrunk(decode_layer(data)), decode(picture, RESULT_LIMITS))
    if cover_mask(mask, size).getbbox() is None:
        raise MaskEmpty("Nothing that is marked is in the result, which is cropped.")
    return _encoded(mask)


def _re_encode(image: Image.Image) -> Encoded:
    return _encoded(_shrunk(image))


def _shrunk(image: Image.Image) -> Image.Image:
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return image


def _encoded(image: Image.Image) -> Encoded:
    return Encoded(encode_png(image), "image/png", image.width, image.height)


async def _load_upload(
    context: Context, upload: Upload, read: Callable[[bytes], Encoded]
) -> SourceImage:
    most = context.client.pictures.upload_bytes
    try:
        async with context.decoder.file():
            data = await upload.read()
            if len(data) > most:
                raise UnusableImage(unusable_file("picture-too-large", most))
            picture = await context.decoder.run(read, data)
    except DecoderBusy as error:
        raise UnusableImage(Reason("too-many-uploads")) from error
    except ImagingError as error:
        raise UnusableImage(unusable_file(error.code, most, upload.name)) from error
    blob = await context.client.pictures.store_source(picture.data, owner=context.invocation.member)
    return SourceImage(blob, picture.width, picture.height)


async def _load_picture(context: Context, id_: UUID) -> SourceImage:
    picture = await context.client.pictures.read(id_)
    if picture is None or picture.deleted:
        raise UnusableImage(Reason("unknown-picture"))
    job = await context.client.jobs.read(picture.job)
    if job is None or not job.visible_to(context.invocation.member):
        raise UnusableImage(Reason("unknown-picture"))
    request = picture.request
    return SourceImage(
        picture.blob,
        picture.width,
        picture.height,
        prompt=request.prompt,
        profile=request.profile,
        seed=picture.seed,
        parent=picture.id,
        private=job.order.private,
        flagged=picture.flagged,
    )
