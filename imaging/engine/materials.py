"""Reading a request's sources and mask from storage. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable

from imaging.engine.work import Materials
from imaging.errors import NotAPicture, Unsupported
from imaging.formats import FileLimits, decode, decode_mask
from imaging.provenance import read_source_type
from imaging.request import ImageRequest, Operation

Reader = Callable[[str], bytes]
"""A stored picture's bytes by its name. Raises FileNotFoundError where it is gone."""


def read_materials(request: ImageRequest, read: Reader, limits: FileLimits) -> Materials:
    """The decoded sources and mask.

    Raises NotAPicture, PictureTooLarge, or Unsupported for a mask that marks nothing.
    """
    files = [_read(name, read) for name in request.sources]
    mask = None
    if request.operation is Operation.FILL and request.mask is not None:
        mask = decode_mask(_read(request.mask, read), limits)
        if mask.histogram()[128:] == [0] * 128:
            raise Unsupported("The mask marks nothing: paint white where something new shall be.")
    return Materials(
        sources=tuple(decode(file, limits) for file in files),
        mask=mask,
        made_by=read_source_type(files[0]) if files else None,
    )


def _read(name: str, read: Reader) -> bytes:
    try:
        return read(name)
    except FileNotFoundError as error:
        raise NotAPicture("The source picture is no longer stored.", gone=1) from error
