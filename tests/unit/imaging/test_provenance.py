from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.formats import encode_jpeg, encode_png, fit_into, thumbnail
from imaging.provenance import (
    Provenance,
    SourceType,
    atelier_version,
    read_provenance,
    read_source_type,
)
from imaging.request import Operation
from tests.unit.imaging.pictures import disc, encode_image, noise, open_image

texts = st.text(max_size=200)
provenances = st.builds(
    Provenance,
    operation=st.sampled_from(Operation),
    prompt=texts,
    negative=texts,
    model=st.sampled_from(["postcard", 'a "model" & <co>']),
    seed=st.integers(0, 2**32 - 1),
    steps=st.none() | st.integers(1, 200),
    guidance=st.none() | st.floats(0, 30),
    strength=st.none() | st.floats(0, 1),
    width=st.integers(1, 4096),
    height=st.integers(1, 4096),
    source_type=st.sampled_from(SourceType),
    method=st.sampled_from(["diffusion", "lanczos"]),
    software=st.just("Atelier 9.9"),
)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"


@settings(max_examples=60, deadline=None)
@given(provenances)
def test_provenance_round_trips_through_png(provenance: Provenance) -> None:
    data = encode_png(disc((8, 8)), provenance.png_info())
    assert read_provenance(data) == provenance
    assert read_source_type(data) is provenance.source_type


@settings(max_examples=60, deadline=None)
@given(provenances)
def test_xmp_packet_is_valid_rdf_xml(provenance: Provenance) -> None:
    data = encode_png(disc((8, 8)), provenance.png_info())
    packet = open_image(data).info["xmp"]
    description = ElementTree.fromstring(packet).find(f"{RDF}RDF/{RDF}Description")
    assert description is not None
    assert description.get(f"{EXT}DigitalSourceType") == provenance.source_type.uri
    assert description.get("{http://ns.adobe.com/xap/1.0/}CreatorTool") == "Atelier 9.9"


def a_provenance(source_type: SourceType = SourceType.MADE) -> Provenance:
    return Provenance(
        Operation.IMAGINE, "a red house", "", "postcard", 7, 8, 3.0, None, 64, 64, source_type
    )


def test_png_text_chunks_carry_prompt_and_software() -> None:
    info = open_image(encode_png(disc(), a_provenance().png_info())).info
    assert info["Description"] == "a red house"
    assert info["Software"] == f"Atelier {atelier_version()}"
    assert info["Comment"] == "Made by AI (model postcard)"


def test_recompressed_file_keeps_ai_source_type() -> None:
    data = encode_png(noise((200, 200)), a_provenance().png_info())
    assert read_source_type(fit_into(data, 20_000).data) is SourceType.MADE
    assert read_source_type(thumbnail(data, 64).data) is SourceType.MADE
    packet = a_provenance(SourceType.EDITED).xmp()
    assert read_source_type(encode_jpeg(disc(), xmp=packet)) is SourceType.EDITED


def test_files_without_provenance_return_none() -> None:
    assert read_provenance(encode_image(disc())) is None
    assert read_provenance(encode_image(disc(), "JPEG")) is None
    assert read_provenance(b"no picture") is None
    assert read_source_type(b"no picture") is None
    assert read_source_type(encode_image(disc())) is None
