"""Decodes members' files in a process of their own, one at a time, with limits on memory and time.

A small file can decode to gigabytes, and a decoder can crash on a damaged one. Neither reaches the
bot's own process: what ends is the decoder, and the member gets a refusal.
"""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.to_process
from anyio import BrokenWorkerProcess, CapacityLimiter

from imaging.errors import ImagingError, NotAPicture, PictureTooLarge
from imaging.formats import Encoded

Decode = Callable[[bytes], Encoded]

MEMORY_BYTES = 1536 * 1024 * 1024  # address space of the decoder, its libraries included
SECONDS = 30.0  # for one file
MAX_WAITING = 16  # files; further ones are refused
MAX_FILES = 4  # in memory at once, each until it is decoded


class DecoderBusy(Exception):
    """Too many files are waiting to be decoded."""


@dataclass(frozen=True, slots=True)
class ImageDecoder:
    """Runs decoders, one at a time; some more files wait."""

    _turns: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    _files: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_FILES))

    @asynccontextmanager
    async def file(self) -> AsyncIterator[None]:
        """Room for one file, from before its download until it is decoded. Raises DecoderBusy."""
        if self._files.statistics().tasks_waiting >= MAX_WAITING:
            raise DecoderBusy
        async with self._files:
            yield

    async def run(self, decode: Decode, data: bytes) -> Encoded:
        """The decoded file; `decode` is a function of a module.

        Raises ImagingError, and DecoderBusy.
        """
        if self._turns.statistics().tasks_waiting >= MAX_WAITING:
            raise DecoderBusy
        async with self._turns:
            try:
                with anyio.fail_after(SECONDS):
                    result = await anyio.to_process.run_sync(
                        _decode_within_limits, decode, data, cancellable=True
                    )
            except TimeoutError:
                raise PictureTooLarge(f"Decoding took over {SECONDS:.0f} s.") from None
            except BrokenWorkerProcess as error:
                raise NotAPicture(f"The decoder crashed: {error}") from error
        if isinstance(result, ImagingError):
            raise result
        return result


def _decode_within_limits(decode: Decode, data: bytes) -> Encoded | ImagingError:
    """Runs in the decoder's process, which is reused: the limit is set every time."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    try:
        return decode(data)
    except ImagingError as error:
        return error
    except MemoryError:
        return PictureTooLarge("Decoding takes too much memory.")
