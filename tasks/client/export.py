"""A member's export: ZIP archives of a bounded size, or one ZIP as a stream.

Rows go to a temporary file and pictures are read one at a time, in threads. An export needs the
memory of one archive and a few pictures, however much is stored.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TypeVar

import anyio.to_thread
from anyio import Semaphore

from tasks.client.async_database import Unavailable, unavailable_on_error
from tasks.jobs.members import Member
from tasks.runtime.blobs import Blobs, BlobStoreUnavailable
from tasks.store import personal_data
from tasks.store.database import Database

T = TypeVar("T")

MAX_EXPORTS = 2  # in progress at once in a process; further ones wait
SMALLEST_ARCHIVE = 1024 * 1024  # bytes; a smaller limit is raised to this
CHUNK = 256 * 1024  # bytes
STEM = "atelier-export"
_PER_FILE = 1024  # bytes of headers for a file with a name of a few hundred characters
_Files = Iterator[tuple[str, IO[bytes]]]


class ExportRunning(Unavailable):
    """Another export of the same member has not ended."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One ZIP of an export, readable by itself. `number` counts from 1."""

    number: int
    last: bool
    data: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name; numbered where there are several archives."""
        alone = self.last and self.number == 1
        return f"{STEM}.zip" if alone else f"{STEM}-{self.number}.zip"


@dataclass(frozen=True, slots=True)
class Exports:
    """Exports of members: one at a time for each member, and `MAX_EXPORTS` in a process.

    Both iterators raise ExportRunning at their start, and Unavailable where the database or the
    blob store cannot be reached.
    """

    database: Database
    blobs: Blobs
    _running: set[str] = field(default_factory=set)
    _slots: Semaphore = field(default_factory=lambda: Semaphore(MAX_EXPORTS))

    def is_running(self, member: Member) -> bool:
        """Whether an export of this member has not ended."""
        return member.key in self._running

    async def archives(self, member: Member, most: int) -> AsyncGenerator[Archive, None]:
        """Everything stored about a member, as archives of at most `most` bytes.

        A file that is too large for one archive is cut into pieces, `NAME.part1-of-2` and so on.
        """
        packed = pack(self._files(member), max(most, SMALLEST_ARCHIVE))
        async with self._turn(member), aclosing(_in_threads(packed)) as archives:
            async for archive in archives:
                yield archive

    async def stream(self, member: Member) -> AsyncGenerator[bytes, None]:
        """Everything stored about a member, as the bytes of one ZIP."""
        zipped = stream(self._files(member))
        async with self._turn(member), aclosing(_in_threads(zipped)) as chunks:
            async for chunk in chunks:
                yield chunk

    @asynccontextmanager
    async def _turn(self, member: Member) -> AsyncIterator[None]:
        if member.key in self._running:
            raise ExportRunning
        self._running.add(member.key)
        try:
            async with self._slots:
                yield
        finally:
            self._running.discard(member.key)

    def _files(self, member: Member) -> _Files:
        """`account.json`, then every picture and upload. Each file is closed after its turn."""
        with TemporaryFile() as account:
            self.database.run(lambda c: personal_data.write_rows(c, member.key, account))
            yield "account.json", account
        for name in self.database.run(lambda c: personal_data.blobs(c, member.key)):
            try:
                data = self.blobs.get(name)
            except FileNotFoundError:  # deleted meanwhile: account.json still lists it
                continue
            with io.BytesIO(data) as picture:
                del data
                yield name, picture


def pack(files: _Files, most: int) -> Iterator[Archive]:
    """The files in archives of at most `most` bytes."""
    number, draft = 1, _Draft(most)
    try:
        for name, size, file in _pieces(files, most):
            if draft.room < size:
                yield Archive(number, last=False, data=draft.close())
                number, draft = number + 1, _Draft(most)
            draft.add(name, file.read(size), size)
        yield Archive(number, last=True, data=draft.close())
    finally:
        draft.close()


def stream(files: _Files) -> Iterator[bytes]:
    """The files as one ZIP, in chunks."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, file in files:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = _compression(name)
            with archive.open(entry, "w", force_zip64=True) as target:
                while chunk := file.read(CHUNK):
                    target.write(chunk)
                    yield sink.take()
    yield sink.take()


class _Draft:
    """An archive in memory that is being filled."""

    def __init__(self, most: int) -> None:
        self.room = _room(most)
        self._buffer = io.BytesIO()
        self._archive = zipfile.ZipFile(self._buffer, "w")

    def add(self, name: str, data: bytes, size: int) -> None:
        self._archive.writestr(name, data, _compression(name))
        self.room -= size + _PER_FILE

    def close(self) -> bytes:
        self._archive.close()
        return self._buffer.getvalue()


class _Sink(io.RawIOBase):
    """A file that can only be written; `take` returns what was written since."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        before = len(self._written)
        self._written += bytes(data)  # type: ignore[call-overload]  # the typed buffer is generic
        return len(self._written) - before

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _room(most: int) -> int:
    """The most bytes of one file in an archive; data that does not compress grows a little."""
    return most - most // 1000 - 2 * _PER_FILE


def _pieces(files: _Files, most: int) -> Iterator[tuple[str, int, IO[bytes]]]:
    """(name, bytes to read, file) of each file, or of the pieces of one that is too large."""
    whole = _room(most)
    for name, file in files:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        count = max(1, -(-size // whole))
        for number in range(1, count + 1):
            piece = name if count == 1 else f"{name}.part{number}-of-{count}"
            yield piece, min(whole, size - (number - 1) * whole), file


def _compression(name: str) -> int:
    """Pictures are compressed already."""
    text = name.startswith("account.json")
    return zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED


async def _in_threads(iterator: Iterator[T]) -> AsyncGenerator[T, None]:
    """The values of an iterator, each computed in a thread of its own."""
    end = object()
    try:
        while True:
            with _unavailable():
                value = await anyio.to_thread.run_sync(next, iterator, end)
            if value is end:
                return
            yield value  # type: ignore[misc]  # it is no longer the end
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        with unavailable_on_error():
            yield
    except BlobStoreUnavailable as error:
        raise Unavailable("The blob store cannot be reached at the moment.") from error
