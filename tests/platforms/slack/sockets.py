"""Socket Mode: tickets, connections, envelopes, acknowledgements, disconnects."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.platforms.slack.world import JSON, Clock

DEADLINE = 3.0  # seconds for an acknowledgement
POLL_SECONDS = 0.05


@dataclass
class Envelope:
    """One delivery and its acknowledgement."""

    id: str
    sent: float
    acked: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # acknowledged or dropped
    answer: JSON | None = None
    took: float | None = None


class Sockets:
    """The connections of one app. Envelopes go to the newest open connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tickets: set[str] = set()
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, Envelope] = {}
        self.connections = 0  # number opened so far
        self.acks: list[float] = []  # seconds until each acknowledgement
        self.late = 0  # deliveries without an acknowledgement in time
        self.drop_acks = False  # acknowledgements are lost

    @property
    def connected(self) -> bool:
        """Whether a bot is connected."""
        return bool(self._open)

    def ticket(self) -> str:
        """A new ticket, valid for one connection."""
        name = uuid.uuid4().hex
        self._tickets.add(name)
        return name

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Accept a bot's connection with its ticket."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._open.append(socket)
        self.connections += 1
        await socket.send_str(json.dumps({"type": "hello", "num_connections": len(self._open)}))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(json.loads(frame.data))
        finally:
            self._open.remove(socket)
        return socket

    async def deliver(
        self, kind: str, payload: JSON, attempt: int = 0, reason: str = "", through: int = -1
    ) -> Envelope:
        """Send one envelope and wait for its acknowledgement, or until the deadline.

        A dropped acknowledgement ends the wait at once. `through` is the index of the connection,
        by default the newest.
        """
        await self._any()
        socket = self._open[through]
        envelope = Envelope(str(uuid.uuid4()), time.monotonic())
        self._waiting[envelope.id] = envelope
        body: JSON = {
            "envelope_id": envelope.id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            body |= {"retry_attempt": attempt, "retry_reason": reason}
        await socket.send_str(json.dumps(body))
        if not await _in_time(envelope.ended):
            self.late += 1
        return envelope

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask the newest connection to reconnect, as Slack does every few hours."""
        socket = await self._any()
        await socket.send_str(json.dumps({"type": "disconnect", "reason": reason}))

    async def drop(self) -> None:
        """Abort every connection."""
        for socket in list(self._open):
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()

    async def close(self) -> None:
        """Close every connection."""
        for socket in list(self._open):
            await socket.close()

    async def _any(self) -> web.WebSocketResponse:
        end = time.monotonic() + 60
        while not self._open:
            if time.monotonic() > end:
                raise AssertionError("no bot is connected")
            await asyncio.sleep(0.05)
        return self._open[-1]

    def _acknowledge(self, body: JSON) -> None:
        envelope = self._waiting.pop(body.get("envelope_id", ""), None)
        if envelope is None:
            return
        if self.drop_acks:
            envelope.ended.set()
            return
        envelope.took = time.monotonic() - envelope.sent
        envelope.answer = body.get("payload")
        self.acks.append(envelope.took)
        envelope.acked.set()
        envelope.ended.set()


async def _in_time(event: asyncio.Event) -> bool:
    """Whether the event was set before the deadline, counted in polls.

    A stalled machine counts as one poll.
    """
    for _ in range(round(DEADLINE / POLL_SECONDS)):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await event.wait()
        if event.is_set():
            return True
    return False
