"""Reading a request's sources and mask from storage. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable

from imaging.engine.types import RenderInputs
from imaging.errors import NotAPicture, Unsupported
from imaging.formats import FileLimits, decode, decode_mask
from imaging.provenance import read_source_type
from imaging.request import ImageRequest, Operation

Reader = Callable[[str], bytes]
"""Returns a stored picture's bytes by name. Raises FileNotFoundError if it was deleted."""


def read_inputs(request: ImageRequest, read: Reader, limits: FileLimits) -> RenderInputs:
    """The decoded sources and mask.

    Raises NotAPicture, PictureTooLarge, or Unsupported for an empty mask.
    """
    files = [_read(name, read) for name in request.sources]
    mask = None
    if request.operation is Operation.FILL and request.mask is not None:
        mask = decode_mask(_read(request.mask, read), limits)
        if mask.histogram()[128:] == [0] * 128:
            raise Unsupported("The mask is empty: paint the area to fill white.")
    return RenderInputs(
        sources=tuple(decode(file, limits) for file in files),
        mask=mask,
        made_by=read_source_type(files[0]) if files else None,
    )


def _read(name: str, read: Reader) -> bytes:
    try:
        return read(name)
    except FileNotFoundError as error:
        raise NotAPicture("The source picture is no longer stored.", gone=1) from error
