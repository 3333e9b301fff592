"""Removes what a PNG's pixels do not need, so that metadata cannot make it unreadable. Pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PROFILE = 8 * 1024 * 1024
"""Bytes of an ICC profile; a larger one is ignored."""
XMP = b"XML:com.adobe.xmp\0\0"  # the keyword, and no compression
_KEPT = frozenset({b"acTL", b"fcTL", b"fdAT", b"eXIf"})
_GREY, _RGB = 0, 2  # colour types


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its name, its body, and whether its checksum is right."""

    name: bytes
    body: bytes
    intact: bool


@dataclass(frozen=True, slots=True)
class EssentialPng:
    """A PNG with the chunks that pixels need, and its ICC profile decompressed."""

    data: bytes
    profile: bytes | None


def essential_png(data: bytes) -> EssentialPng:
    """The file without ancillary chunks, except transparency, animation, EXIF and XMP.

    A damaged ancillary chunk is left out. The transparent colour of a file with fewer or more than
    8 bits is rescaled to 8 bits, in which it is decoded; for 16-bit grey it stays as it is.
    """
    kept, profile, header = [SIGNATURE], None, b""
    for chunk in _chunks(data):
        critical = not chunk.name[0] & 0x20
        if critical:
            kept.append(_raw(chunk))
            header = chunk.body if chunk.name == b"IHDR" else header
        elif not chunk.intact:
            continue
        elif chunk.name == b"tRNS":
            kept.append(_encoded(chunk.name, _transparency(chunk.body, header)))
        elif chunk.name == b"iCCP":
            profile = _profile(chunk.body)
        elif chunk.name in _KEPT or (chunk.name == b"iTXt" and chunk.body.startswith(XMP)):
            kept.append(_encoded(chunk.name, chunk.body))
    return EssentialPng(b"".join(kept), profile)


def _chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to the end chunk, which is added where it is missing.

    Of a cut last chunk the rest is kept if it has pixels, as browsers do: the decoder finds whether
    pixels are missing.
    """
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        name = data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        checksum = data[place + 8 + length : place + 12 + length]
        place += 12 + length
        if name == b"IEND":
            break
        cut = place > len(data) and name == b"IDAT"
        yield Chunk(name, body, cut or checksum == struct.pack(">I", zlib.crc32(name + body)))
    yield Chunk(b"IEND", b"", intact=True)


def _encoded(name: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def _raw(chunk: Chunk) -> bytes:
    """A critical chunk; a damaged one keeps a wrong checksum, so that the decoder refuses it."""
    encoded = _encoded(chunk.name, chunk.body)
    return encoded if chunk.intact else encoded[:-1] + bytes([encoded[-1] ^ 0xFF])


def _transparency(body: bytes, header: bytes) -> bytes:
    if len(header) != 13:
        return body
    bits, kind = header[8], header[9]
    if kind == _GREY and bits < 8 and len(body) >= 2:
        value = int.from_bytes(body[:2], "big") & ((1 << bits) - 1)
        return struct.pack(">H", value * 255 // ((1 << bits) - 1))
    if kind == _RGB and bits == 16:
        return b"".join(b"\0" + body[place : place + 1] for place in range(0, len(body), 2))
    return body


def _profile(body: bytes) -> bytes | None:
    """A decompressed ICC profile; None if it is damaged or too large."""
    name, _, compressed = body.partition(b"\0")
    if not name or not compressed:
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(compressed[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof else None
