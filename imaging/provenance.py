"""Provenance metadata in image files. Pillow only; imports no torch.

Every PNG that the engine writes contains:

- an XMP packet (chunk `XML:com.adobe.xmp`) with the properties that the IPTC Photo Metadata
  Standard requires for AI-generated images: `Iptc4xmpExt:DigitalSourceType`, a term of
  http://cv.iptc.org/newscodes/digitalsourcetype/, and `xmp:CreatorTool`, `dc:description`;
- the text chunk `atelier`: a JSON object with the fields of `Provenance`, enough to reproduce the
  picture, and the standard chunks `Description`, `Software` and `Comment` for other viewers.

Nothing identifies the requester: no member, no place, no time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from imaging.formats import xmp_packet
from imaging.request import Operation

CHUNK = "atelier"
XMP_CHUNK = "XML:com.adobe.xmp"
_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:CreatorTool={tool}
    Iptc4xmpExt:DigitalSourceType={source}>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{words}</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


class SourceType(StrEnum):
    """The IPTC digital source types in use."""

    MADE = "trainedAlgorithmicMedia"  # generated entirely by a trained model
    EDITED = "compositeWithTrainedAlgorithmicMedia"  # an image edited by a trained model
    ENLARGED = "algorithmicallyEnhanced"  # by an algorithm without a trained model

    @property
    def uri(self) -> str:
        """The term's URI, as written to files."""
        return _TERMS + self.value


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture was made. `method` is "diffusion" or another algorithm ("lanczos")."""

    operation: Operation
    prompt: str
    negative: str
    model: str
    seed: int
    steps: int | None
    guidance: float | None
    strength: float | None
    width: int
    height: int
    source_type: SourceType
    method: str = "diffusion"
    software: str = ""

    def png_info(self) -> PngInfo:
        """The text chunks for Pillow's PNG writer."""
        info = PngInfo()
        info.add_itxt(CHUNK, json.dumps(self._values(), sort_keys=True))
        info.add_itxt("Description", _printable(self.prompt))
        info.add_text("Software", self._software())
        info.add_text("Comment", self._summary())
        info.add_itxt(XMP_CHUNK, self.xmp().decode())
        return info

    def xmp(self) -> bytes:
        """The XMP packet: RDF/XML in UTF-8 (ISO 16684-1)."""
        return _PACKET.format(
            tool=quoteattr(self._software()),
            source=quoteattr(self.source_type.uri),
            words=escape(_printable(f"{self.prompt} ({self._summary()})")),
        ).encode()

    def _values(self) -> dict[str, Any]:
        return asdict(self) | {"software": self._software()}

    def _software(self) -> str:
        return self.software or f"Atelier {atelier_version()}"

    def _summary(self) -> str:
        if self.source_type is SourceType.ENLARGED:
            return f"Enlarged by an algorithm ({self.method})"
        return f"Made by AI (model {self.model})"


def read_provenance(data: bytes) -> Provenance | None:
    """The file's provenance, or None without readable provenance."""
    text = _text_of(data)
    if text is None:
        return None
    try:
        values = json.loads(text)
        known = {field.name for field in fields(Provenance)}
        values = {name: value for name, value in values.items() if name in known}
        values["operation"] = Operation(values["operation"])
        values["source_type"] = SourceType(values["source_type"])
        return Provenance(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # written by another program or a later version


def read_source_type(data: bytes) -> SourceType | None:
    """The IPTC source type in the file's XMP packet, written by any program, or None."""
    try:
        with Image.open(BytesIO(data)) as image:
            packet = xmp_packet(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None
    return next((kind for kind in SourceType if kind.uri.encode() in packet), None)


@lru_cache(maxsize=1)
def atelier_version() -> str:
    """The installed version of Atelier; "dev" in a checkout that is not installed."""
    try:
        return version("atelier")
    except PackageNotFoundError:
        return "dev"


def _text_of(data: bytes) -> str | None:
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            text = image.info.get(CHUNK)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None
    return text if isinstance(text, str) else None


def _printable(text: str) -> str:
    """Remove the characters that XML 1.0 forbids (controls, lone surrogates, U+FFFE)."""
    return "".join(letter for letter in text if _allowed(letter))


def _allowed(letter: str) -> bool:
    code = ord(letter)
    if code in {0x9, 0xA, 0xD}:
        return True
    return 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
