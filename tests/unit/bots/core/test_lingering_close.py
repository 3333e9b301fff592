"""A connection that its client has reset is closed without an error."""

from __future__ import annotations

import asyncio
import socket
import struct

from bots.core.lingering_close import LingeringTransport

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class Receiver(asyncio.Protocol):
    """Keeps the error that ended the connection."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self.transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self.ended.set()


async def test_reset_connection_is_closed_without_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        _, receiver = await asyncio.get_running_loop().connect_accepted_socket(Receiver, accepted)
        assert receiver.transport is not None
        transport = LingeringTransport(receiver.transport, lambda: True)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        transport.close()
        async with asyncio.timeout(30):
            await receiver.ended.wait()
        assert transport.is_closing()
