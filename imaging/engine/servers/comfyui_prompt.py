"""One prompt on a ComfyUI server, from its posting to its history entry. Imports no torch.

Its websocket tells progress. Whatever the websocket misses is found in `/history`, so a dropped
connection costs progress and nothing else. A prompt that is no longer wanted is taken out of the
queue, or interrupted if it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any
from uuid import uuid4

import aiohttp
import structlog

from imaging.engine.servers.comfyui_messages import (
    Ended,
    Failed,
    Message,
    history_error,
    read_message,
    read_preview,
    validation_error,
)
from imaging.engine.servers.retries import backoff
from imaging.engine.servers.server_client import QUICK_SECONDS, ServerClient
from imaging.errors import ImagingError, RenderTimedOut, ServerUnavailable

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5.0
"""How long a prompt waits for its websocket before it is posted without one."""
POLL_SECONDS, DEAF_POLL_SECONDS, ENDED_POLL_SECONDS = 15.0, 1.0, 0.2
"""Between looks at the history: with a websocket, without one, and once the prompt has ended."""
WITHDRAW_SECONDS = 5.0
_BAD_REQUEST = 400


class Prompt:
    """One run of a filled workflow. `on_message` and `on_preview` are called on the loop."""

    def __init__(
        self,
        client: ServerClient,
        until: float,
        on_message: Callable[[Message], None],
        on_preview: Callable[[bytes], None],
    ) -> None:
        self._client = client
        self._until = until
        self._on_message = on_message
        self._on_preview = on_preview
        self._client_id = uuid4().hex
        self._id = str(uuid4())  # older servers choose another
        self._connected = asyncio.Event()
        self._ended = asyncio.Event()
        self._failure: ImagingError | None = None

    async def run(self, workflow: Mapping[str, Any]) -> Mapping[str, Any]:
        """Post the workflow and wait for its history entry. Withdraws it if that fails.

        Raises ModelUnavailable for a workflow that the server refuses, ServerUnavailable,
        RenderTimedOut, or the error of a node.
        """
        async with self._listening():
            with suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connected.wait()
            await self._post(workflow)
            try:
                entry = await self._history_entry()
            except BaseException:
                if self._failure is None:
                    await asyncio.shield(asyncio.ensure_future(self._withdraw()))
                raise
        if (error := history_error(entry, self._client.name)) is not None:
            raise error
        return entry

    # -- posting and withdrawing ----------------------------------------------------------------

    async def _post(self, workflow: Mapping[str, Any]) -> None:
        """Post it. A cancellation meanwhile waits for the answer, which names the prompt."""
        posting = asyncio.ensure_future(self._posted_id(workflow))
        try:
            self._id = await asyncio.shield(posting)
        except asyncio.CancelledError:
            with suppress(ImagingError, TimeoutError):
                async with asyncio.timeout(WITHDRAW_SECONDS):
                    self._id = await posting
                await self._withdraw()
            raise

    async def _posted_id(self, workflow: Mapping[str, Any]) -> str:
        body = {"prompt": workflow, "client_id": self._client_id, "prompt_id": self._id}
        answer = await self._client.call_patiently(
            "POST", "/prompt", until=self._until, each=QUICK_SECONDS, json_body=body
        )
        if answer.status == _BAD_REQUEST:
            raise validation_error(answer.fields(), self._client.name)
        if not answer.ok:
            raise self._client.refusal(answer, "the workflow")
        return str(answer.fields().get("prompt_id") or self._id)

    async def _withdraw(self) -> None:
        """Take the prompt out of the queue, or interrupt it if it runs. Never raises."""
        try:
            async with asyncio.timeout(WITHDRAW_SECONDS):
                await self._client.call_once("POST", "/queue", json_body={"delete": [self._id]})
                if self._id in await self._queued("queue_running"):
                    body = {"prompt_id": self._id}
                    await self._client.call_once("POST", "/interrupt", json_body=body)
        except (ImagingError, TimeoutError) as error:
            log.warning("server-cancel-failed", model=self._client.name, reason=str(error))

    # -- waiting for the end --------------------------------------------------------------------

    async def _history_entry(self) -> Mapping[str, Any]:
        """Wait for the end, by message or by looking. Raises the prompt's error."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                seconds = min(self._poll_seconds(), self._until - loop.time())
                if self._ended.is_set():
                    await asyncio.sleep(seconds)
                else:
                    async with asyncio.timeout(max(0.0, seconds)):
                        await self._ended.wait()
            if self._failure is not None:
                raise self._failure
            entry = await self._look(last=loop.time() >= self._until)
            if entry is not None:
                return entry

    def _poll_seconds(self) -> float:
        if self._ended.is_set():
            return ENDED_POLL_SECONDS
        return POLL_SECONDS if self._connected.is_set() else DEAF_POLL_SECONDS

    async def _look(self, last: bool) -> Mapping[str, Any] | None:
        """The history entry, or None while the prompt waits or runs.

        Raises ServerUnavailable where the server has forgotten it, RenderTimedOut with `last`.
        """
        try:
            queued = await self._queued("queue_running", "queue_pending")
            entry = await self._history()
        except ServerUnavailable:
            if last:
                raise
            return None
        if entry is None and self._id not in queued:
            raise ServerUnavailable(f"The server of {self._client.name} lost the request.")
        if entry is None and last:
            raise RenderTimedOut(f"The server of {self._client.name} took longer than it may.")
        return entry

    async def _history(self) -> Mapping[str, Any] | None:
        answer = await self._client.call_once("GET", f"/history/{self._id}")
        entry = answer.fields().get(self._id)
        return entry if isinstance(entry, dict) else None

    async def _queued(self, *lists: str) -> set[str]:
        """The ids in these lists of the queue; each item is [number, id, …]."""
        found = (await self._client.call_once("GET", "/queue")).fields()
        return {
            str(item[1])
            for name in lists
            for item in found.get(name) or ()
            if isinstance(item, list) and len(item) > 1
        }

    # -- the websocket --------------------------------------------------------------------------

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Listen in the background, through reconnections."""
        listener = asyncio.ensure_future(self._listen())
        try:
            yield
        finally:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener

    async def _listen(self) -> None:
        waits = backoff(Random())  # noqa: S311 - spreads reconnections, protects nothing
        while True:
            try:
                async with self._client.websocket(f"/ws?clientId={self._client_id}") as socket:
                    self._connected.set()
                    async for frame in socket:
                        self._receive(frame)
            except ServerUnavailable as error:
                log.warning("server-websocket-lost", model=self._client.name, reason=str(error))
            self._connected.clear()
            await asyncio.sleep(next(waits))

    def _receive(self, frame: aiohttp.WSMessage) -> None:
        if frame.type is aiohttp.WSMsgType.BINARY:
            if (preview := read_preview(frame.data)) is not None:
                self._on_preview(preview)
            return
        if frame.type is not aiohttp.WSMsgType.TEXT:
            return
        message = read_message(frame.data, self._id, self._client.name)
        match message:
            case Failed(error=error):
                self._failure = error
                self._ended.set()
            case Ended():
                self._ended.set()
            case None:
                pass
            case _:
                self._on_message(message)
