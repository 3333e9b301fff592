"""Picture files with unusual metadata or pixels, generated; tests compare how they are read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageDraw

SIZE = (48, 32)
RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 170, 60), (40, 80, 200), (240, 210, 40)
XMP_TURNED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
JUNK_EXIF = b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xee" * 40


def quarters() -> Image.Image:
    """Four colours: red and green above, blue and yellow below."""
    image = Image.new("RGB", SIZE, YELLOW)
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=RED)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=BLUE)
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> bytes:
    """An EXIF block with an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def swapped_profile() -> bytes:
    """An ICC profile with sRGB's red and green primaries exchanged."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table = srgb[128:400].replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ")
    return srgb[:128] + table.replace(b"????", b"gXYZ") + srgb[400:]


def linear_grey_profile() -> bytes:
    """A minimal ICC profile of linear grey."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63_190, 65_536, 54_061)
    curve = b"curv\0\0\0\0" + struct.pack(">I", 1) + struct.pack(">H", 256) + b"\0\0"
    text = b"text\0\0\0\0none\0\0\0\0"
    words = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(79)
    words += b"\0" * (-len(words) % 4)
    bodies = {b"desc": words, b"wtpt": white, b"cprt": text, b"kTRC": curve}
    place, table, data = 128 + 4 + 12 * len(bodies), struct.pack(">I", len(bodies)), b""
    for name, body in bodies.items():
        table += name + struct.pack(">II", place + len(data), len(body))
        data += body
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(data), b"none", 0x02100000, b"mntr",
                       b"GRAY", b"XYZ ")  # fmt: skip
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63_190, 65_536, 54_061)
    return head + bytes(128 - len(head)) + table + data


def chunk(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    """A PNG chunk, with a wrong checksum if one is given."""
    right = zlib.crc32(name + body)
    return (
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", right if checksum is None else checksum)
    )


def with_chunk(png: bytes, added: bytes) -> bytes:
    """A PNG with a chunk right behind its header."""
    return png[:33] + added + png[33:]


def raw_png(bits: int, kind: int, pixels: Callable[[int], bytes], *chunks: bytes) -> bytes:
    """A PNG of `SIZE`; `pixels` packs the row of a height."""
    width, height = SIZE
    rows = b"".join(b"\0" + pixels(y) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def halves(left: bytes, right: bytes) -> Callable[[int], bytes]:
    """Rows of two halves, of whole pixels each."""
    return lambda _y: left * (SIZE[0] // 2) + right * (SIZE[0] // 2)


def packed_halves(bits: int, left: int, right: int) -> Callable[[int], bytes]:
    """Rows of two halves, of pixels with fewer than 8 bits."""

    def row(_y: int) -> bytes:
        values = [left] * (SIZE[0] // 2) + [right] * (SIZE[0] // 2)
        text = "".join(format(value, f"0{bits}b") for value in values)
        return int(text, 2).to_bytes(len(text) // 8, "big")

    return row


def _with_broken_exif(avif: bytes) -> bytes:
    """The AVIF, whose EXIF block has no byte order; the file itself says which way up it is."""
    start = max(avif.find(order) for order in (b"II*\0", b"MM\0*"))
    return avif[:start] + b"\xff" * 8 + avif[start + 8 :]


def _webp_exif(block: bytes) -> bytes:
    return encoded(quarters(), "WEBP", lossless=True, exif=block)


def _compressed(name: bytes, size: int) -> bytes:
    if name == b"iTXt":
        return chunk(name, b"Comment\0\1\0\0\0" + zlib.compress(b"a" * size))
    return chunk(name, b"Comment\0\0" + zlib.compress(b"a" * size))


def _profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"a profile\0\0" + zlib.compress(profile))


def _declared(profile: bytes) -> bytes:
    """The profile with its length in its header."""
    return struct.pack(">I", len(profile)) + profile[4:]


def odd_files() -> Mapping[str, bytes]:
    """Files by name. Chromium shows all of them."""
    plain, png = quarters(), encoded(quarters(), "PNG")
    jpeg = encoded(plain, "JPEG", quality=95)
    progressive = encoded(plain, "JPEG", quality=95, progressive=True)
    palette = plain.quantize(8)
    grey, clear = plain.convert("L"), Image.new("L", SIZE, 255)
    clear.paste(0, (0, 0, SIZE[0] // 2, SIZE[1] // 2))
    turned_avif = encoded(plain, "AVIF", quality=95, exif=exif(6))
    turned = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURNED)
    clear16 = chunk(b"tRNS", b"\x12\x34")
    layered = plain.copy()
    layered.putalpha(clear)
    swapped, linear = swapped_profile(), linear_grey_profile()
    large = _declared(swapped + bytes(1_300_000))
    return {
        "exif-turned.jpg": encoded(plain, "JPEG", quality=95, exif=exif(6)),
        "exif-mirrored.jpg": encoded(plain, "JPEG", quality=95, exif=exif(5)),
        "exif-turned.png": encoded(plain, "PNG", exif=exif(6)),
        "exif-turned.webp": _webp_exif(exif(6)),
        "exif-junk.jpg": encoded(plain, "JPEG", quality=95, exif=JUNK_EXIF),
        "exif-junk.png": with_chunk(png, chunk(b"eXIf", b"\xff" * 23)),
        "exif-empty.png": with_chunk(png, chunk(b"eXIf", b"")),
        "exif-junk.webp": _webp_exif(JUNK_EXIF),
        "exif-beyond.jpg": encoded(plain, "JPEG", quality=95, exif=exif(9)),
        "xmp-turned.jpg": encoded(plain, "JPEG", quality=95, xmp=XMP_TURNED),
        "xmp-turned.png": with_chunk(png, turned),
        "xmp-turned.webp": encoded(plain, "WEBP", lossless=True, xmp=XMP_TURNED),
        "text-ztxt.png": with_chunk(png, _compressed(b"zTXt", 1_300_000)),
        "text-itxt.png": with_chunk(png, _compressed(b"iTXt", 1_300_000)),
        "text-plain.png": with_chunk(png, chunk(b"tEXt", b"Comment\0" + b"a" * 2_000_000)),
        "text-damaged.png": with_chunk(png, chunk(b"zTXt", b"Comment\0\0no zlib")),
        "text-checksum.png": with_chunk(png, chunk(b"tEXt", b"Comment\0hello", 7)),
        "chunk-unknown.png": with_chunk(png, chunk(b"prVt", b"anything")),
        "icc-large.png": with_chunk(png, _profile_chunk(large)),
        "icc-large.jpg": encoded(plain, "JPEG", quality=95, icc_profile=_declared(large[:200_000])),
        "icc-cut.jpg": encoded(plain, "JPEG", quality=95, icc_profile=large[:200_000]),
        "icc-junk.png": with_chunk(png, _profile_chunk(b"nonsense")),
        "icc-no-zlib.png": with_chunk(png, chunk(b"iCCP", b"a profile\0\0nonsense")),
        "icc-method.png": with_chunk(png, chunk(b"iCCP", b"a profile\0\7nonsense")),
        "icc-junk.webp": encoded(plain, "WEBP", lossless=True, icc_profile=b"nonsense"),
        "icc-rgb.png": encoded(plain, "PNG", icc_profile=swapped),
        "icc-rgba.png": encoded(layered, "PNG", icc_profile=swapped),
        "icc-palette.png": encoded(palette, "PNG", icc_profile=swapped),
        "icc-palette-clear.png": encoded(palette, "PNG", icc_profile=swapped, transparency=0),
        "icc-grey.png": encoded(grey, "PNG", icc_profile=linear),
        "icc-grey-alpha.png": encoded(layered.convert("LA"), "PNG", icc_profile=linear),
        "icc-grey-wrong.png": encoded(grey, "PNG", icc_profile=swapped),
        "icc-rgb.jpg": encoded(plain, "JPEG", quality=95, icc_profile=swapped),
        "icc-rgb.webp": encoded(plain, "WEBP", lossless=True, icc_profile=swapped),
        "no-end.jpg": jpeg[:-2],
        "no-end-progressive.jpg": progressive[:-2],
        "half-end.jpg": jpeg[:-1],
        "grey16-clear.png": raw_png(16, 0, halves(b"\x12\x34", b"\x80\x80"), clear16),
        "grey16-no-clear.png": raw_png(16, 0, halves(b"\x12\x35", b"\x80\x80"), clear16),
        "grey16-alpha.png": raw_png(16, 4, halves(b"\x40\x00\x00\x00", b"\x80\x80\xff\xff")),
        "rgb16-clear.png": raw_png(
            16, 2, halves(b"\x12\x34\x40\x40\x90\x90", b"\x80\x80\x20\x20\x10\x10"),
            chunk(b"tRNS", b"\x12\x34\x40\x40\x90\x90"),
        ),
        "grey1-clear.png": raw_png(1, 0, packed_halves(1, 0, 1), chunk(b"tRNS", b"\0\0")),
        "grey2-clear.png": raw_png(2, 0, packed_halves(2, 1, 2), chunk(b"tRNS", b"\0\1")),
        "grey4-clear.png": raw_png(4, 0, packed_halves(4, 5, 9), chunk(b"tRNS", b"\0\5")),
        "grey8-clear.png": raw_png(8, 0, halves(b"\x30", b"\x90"), chunk(b"tRNS", b"\0\x30")),
        "palette-clear.png": encoded(palette, "PNG", transparency=0),
        "clear.gif": encoded(palette, "GIF", transparency=0),
        "clear.webp": encoded(layered, "WEBP", lossless=True),
        "cmyk.jpg": encoded(plain.convert("CMYK"), "JPEG", quality=95),
        "plain.bmp": encoded(plain, "BMP"),
        "plain.avif": encoded(plain, "AVIF", quality=95),
        "exif-turned-broken.avif": _with_broken_exif(turned_avif),
        "no-end.png": png[:-12],
        "half-end.png": png[:-6],
        "no-checksum.png": png[:-16],
        "no-stream-end.png": png[:-20],
        "wrong-end.png": png[:-4] + bytes(4),
        "exif-turned.avif": turned_avif,
    }  # fmt: skip
