"""Removes what is not needed for a JPEG's pixels, so that metadata can't make it unreadable. Pure.

Only the segments in front of the first scan are looked at; what follows is kept as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

START = b"\xff\xd8"
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_SCAN = 0xDA
_KEPT = {
    _APP0: (b"JFIF\0", 14),
    _APP1: (b"", 0),  # EXIF, whose orientation counts, and XMP
    _APP2: (b"ICC_PROFILE\0", 14),
    _APP14: (b"Adobe", 12),  # how colours are stored
}
"""How the body of a metadata segment that is kept starts, and its least length."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its marker's second byte, and where its body starts and ends."""

    marker: int
    start: int
    end: int


def essential_jpeg(data: bytes) -> bytes:
    """The file without comments, damaged metadata, and metadata that no reader here needs."""
    kept, place = [START], len(START)
    for segment in _segments(data):
        if _is_needed(segment, data[segment.start : segment.end]):
            kept.append(data[place : segment.end])
        place = segment.end
    return b"".join((*kept, data[place:]))


def _segments(data: bytes) -> Iterator[Segment]:
    """The segments in front of the first scan; stops where the structure is damaged."""
    place = len(START)
    while place + 4 <= len(data) and data[place] == 0xFF:
        while data[place + 1 : place + 2] == b"\xff":  # fill bytes
            place += 1
        header = data[place : place + 4]
        length = int.from_bytes(header[2:], "big")
        end = place + 2 + length
        if len(header) < 4 or header[1] == _SCAN or length < 2 or end > len(data):
            return
        yield Segment(header[1], place + 4, end)
        place = end


def _is_needed(segment: Segment, body: bytes) -> bool:
    if not (_APP0 <= segment.marker <= _APP15 or segment.marker == _COMMENT):
        return True
    beginning, least = _KEPT.get(segment.marker, (b"", 1 << 16))
    return body.startswith(beginning) and len(body) >= least
