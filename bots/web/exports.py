"""A member's export over HTTP: one ZIP, built while it is sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import anyio
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Send

from bots.core.command_handler import CommandHandler
from bots.core.commands import Privacy
from bots.core.locales import localizer_for
from bots.core.refusals import sentence
from bots.web.access_guard import refusal_response
from bots.web.roles import member_of
from bots.web.views import EXPORT_URL
from tasks.jobs.job import Reason
from tasks.jobs.members import Member

STALL_SECONDS = 60.0  # a download that nobody reads on for so long ends
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ExportRoutes:
    """The route of exports."""

    handler: CommandHandler

    def routes(self) -> list[Route]:
        """The exports' route."""
        return [Route(EXPORT_URL, self.get)]

    async def get(self, request: Request) -> Response:
        """Everything stored about the member, as a file to save."""
        member = member_of(request)
        if wait := self.handler.rate_limiter.wait(member, Privacy("export")):
            return _refuse(Reason("rate-limited", {"seconds": wait}), member)
        if self.handler.client.exports.is_running(member):
            return _refuse(Reason("export-running"), member)
        chunks = self.handler.client.exports.stream(member)
        first = await anext(chunks)  # an outage is a refusal, not a broken file
        headers = {
            "Content-Disposition": 'attachment; filename="atelier-export.zip"',
            "Cache-Control": "no-store",
        }
        return _Download(_all(first, chunks), headers)


class _Download(StreamingResponse):
    """A stream that ends where the client does not read on: it would hold an export's turn."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> None:
        super().__init__(chunks, media_type="application/zip", headers=headers)
        self._chunks = chunks

    async def stream_response(self, send: Send) -> None:
        """Send the chunks, and give the export's turn back whatever happens."""

        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(STALL_SECONDS):
                await send(message)

        async with aclosing(self._chunks):
            try:
                await super().stream_response(send_in_time)
            except TimeoutError:  # the server closes a connection without the end of its response
                log.warning("export-not-read", seconds=STALL_SECONDS)


async def _all(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk


def _refuse(reason: Reason, member: Member) -> Response:
    text = sentence(reason, localizer_for(member.locale))
    return refusal_response(429, reason.code, text)
