"""Archives of an export: bounded in size, complete, and each readable by itself."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Iterator
from typing import IO

from hypothesis import given
from hypothesis import strategies as st

from tasks.client.export import Archive, pack, stream

MOST = 32 * 1024
SIZES = st.lists(st.one_of(st.integers(0, 2 * MOST), st.integers(MOST - 5000, MOST)), max_size=8)


def files(sizes: list[int]) -> dict[str, bytes]:
    """Incompressible contents by name."""
    made = random.Random(len(sizes))
    return {
        "account.json" if number == 0 else f"pictures/{number:036}/0123456789ab-0.png": (
            made.randbytes(size)
        )
        for number, size in enumerate(sizes)
    }


def opened(contents: dict[str, bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    yield from ((name, io.BytesIO(data)) for name, data in contents.items())


def unpacked(archives: list[Archive]) -> dict[str, bytes]:
    """The files of all archives, with their pieces joined."""
    found: dict[str, bytes] = {}
    for archive in archives:
        with zipfile.ZipFile(io.BytesIO(archive.data)) as each:
            for name in each.namelist():
                whole = re.sub(r"\.part\d+-of-\d+$", "", name)
                found[whole] = found.get(whole, b"") + each.read(name)
    return found


@given(SIZES)
def test_archives_hold_every_byte_and_keep_the_limit(sizes: list[int]) -> None:
    contents = files(sizes)
    archives = list(pack(opened(contents), MOST))
    assert unpacked(archives) == contents
    assert max(len(archive.data) for archive in archives) <= MOST
    assert [archive.number for archive in archives] == list(range(1, len(archives) + 1))
    assert [archive.last for archive in archives] == [False] * (len(archives) - 1) + [True]


def test_names_are_numbered_only_where_there_are_several() -> None:
    alone = list(pack(opened(files([10])), MOST))
    several = list(pack(opened(files([10, 2 * MOST])), MOST))
    assert [archive.name for archive in alone] == ["atelier-export.zip"]
    assert [archive.name for archive in several][:2] == [
        "atelier-export-1.zip",
        "atelier-export-2.zip",
    ]


@given(SIZES)
def test_stream_is_one_archive_with_every_byte(sizes: list[int]) -> None:
    contents = files(sizes)
    with zipfile.ZipFile(io.BytesIO(b"".join(stream(opened(contents))))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
