"""Closes a connection so that its client reads the response, though it is still sending its body.

A socket that is closed with unread data resets the connection, and the client loses a response that
it has not read yet: a reverse proxy then answers 502 in place of the server's 413. RFC 9112,
section 9.6, describes the remedy: end the sending side, go on reading for a while, then close.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

LINGER_BYTES = 8 * 1024 * 1024
LINGER_SECONDS = 10.0


class LingeringTransport(asyncio.Transport):
    """A connection whose `close` discards what the client still sends, within limits.

    `unread` says whether the client is in the middle of a request when `close` is called. The
    protocol passes what it receives to `discard` while the connection is closing.
    """

    def __init__(self, transport: asyncio.Transport, unread: Callable[[], bool]) -> None:
        super().__init__()
        self._transport = transport
        self._unread = unread
        self._left = LINGER_BYTES
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def lingering(self) -> bool:
        """The response is sent, and the client's data is discarded."""
        return self._deadline is not None

    def close(self) -> None:
        """Close at once, or when the client has stopped sending."""
        if self._transport.is_closing() or self.lingering:
            return
        if not self._unread():
            self._transport.close()
            return
        self._deadline = asyncio.get_running_loop().call_later(LINGER_SECONDS, self.abandon)
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset the connection: nobody is left to read
            self.abandon()
        else:
            self._transport.resume_reading()

    def discard(self, data: bytes) -> None:
        """Drop what the client sent; close where it sends more than anybody needs to read."""
        self._left -= len(data)
        if self._left < 0:
            self.abandon()

    def abandon(self) -> None:
        """Close now."""
        self.forget()
        self._transport.close()

    def forget(self) -> None:
        """The connection is closed: stop waiting for its client."""
        if self._deadline is not None:
            self._deadline.cancel()

    def is_closing(self) -> bool:
        """Nothing may be written any more."""
        return self.lingering or self._transport.is_closing()

    def abort(self) -> None:
        """Close without sending what is buffered."""
        self._transport.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known about the connection."""
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the connection to another protocol."""
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol of the connection."""
        return self._transport.get_protocol()

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        """Whether data is read."""
        return self._transport.is_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data, unless the connection is closing."""
        if not self.lingering:
            self._transport.write(data)

    def write_eof(self) -> None:
        """End the sending side."""
        self._transport.write_eof()

    def can_write_eof(self) -> bool:
        """Whether the sending side can be ended by itself."""
        return self._transport.can_write_eof()
