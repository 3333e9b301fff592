"""HTTP calls to an image server, with limits on time and size. Imports no torch.

Neither keys nor prompts are logged: no body and no header of a request, and of an answer only its
status and the fields that name an error's kind.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from random import Random
from typing import Any

import aiohttp
import structlog

from imaging.engine.servers.retries import backoff, retry_after
from imaging.errors import ModelUnavailable, ServerRefused, ServerUnavailable

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
QUICK_SECONDS = 15.0
"""For a call that a healthy server answers at once."""
MOST_BYTES = 256 * 1024 * 1024
"""The largest answer: four pictures of 64 MB. A larger one is broken off."""

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same call may succeed later."""
LOCKED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises ServerUnavailable where it is none, as a cut-off answer."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ServerUnavailable("The server's answer is not JSON, or was cut off.") from None

    def fields(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty where it is none. Raises nothing."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class ServerClient:
    """Calls one server. Used on one event loop; `close` ends its connections.

    `key` is sent as a bearer token to this server only: redirects are not followed.
    """

    def __init__(self, name: str, url: str, key: str | None = None) -> None:
        self.name = name
        self.url = url
        self._key = key
        self._session: aiohttp.ClientSession | None = None
        self._random = Random()  # noqa: S311 - spreads repeats, protects nothing

    async def call(
        self,
        method: str,
        path: str,
        *,
        seconds: float = QUICK_SECONDS,
        json_body: Any = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call. Raises ServerUnavailable where no whole answer comes within `seconds`."""
        try:
            async with self._opened().request(
                method,
                self.url + path,
                json=json_body,
                data=form() if form else None,
                params=query,
                timeout=aiohttp.ClientTimeout(total=max(0.001, seconds), connect=CONNECT_SECONDS),
                allow_redirects=False,
            ) as response:
                body = await _read(response)
                return Answer(
                    response.status, body, retry_after(response.headers.get("Retry-After"))
                )
        except TimeoutError:  # an OSError, too
            raise ServerUnavailable(f"The server of {self.name} did not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from None

    async def call_patiently(
        self, method: str, path: str, *, until: float, each: float = inf, **how: Any
    ) -> Answer:
        """A call that is repeated while the server is busy or away, until a time of the loop.

        One attempt takes at most `each` seconds. Raises ServerUnavailable once no repeat fits,
        ModelUnavailable where the key is refused. `how` is passed to `call`.
        """
        loop = asyncio.get_running_loop()
        waits = backoff(self._random)
        while True:
            wait = next(waits)
            try:
                answer = await self.call(
                    method, path, seconds=min(each, until - loop.time()), **how
                )
            except ServerUnavailable as error:
                failure = error
            else:
                if answer.status not in BUSY:
                    return self._allowed(answer)
                failure = self._busy(answer)
                wait = max(wait, answer.retry_after or 0.0)
            if loop.time() + wait >= until:
                raise failure
            log.warning("server-busy", model=self.name, reason=str(failure), seconds=round(wait, 1))
            await asyncio.sleep(wait)

    async def call_once(self, method: str, path: str, **how: Any) -> Answer:
        """A call that is not repeated. Raises ServerUnavailable for a busy server, too."""
        answer = await self.call(method, path, **how)
        if answer.status in BUSY:
            raise self._busy(answer)
        return self._allowed(answer)

    @asynccontextmanager
    async def websocket(self, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A connected websocket. Raises ServerUnavailable."""
        try:
            async with self._opened().ws_connect(
                self.url + path,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                heartbeat=20.0,
                max_msg_size=MOST_BYTES,
            ) as socket:
                yield socket
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unreachable(error) from None

    def refusal(self, answer: Answer, what: str) -> ServerRefused:
        """The lasting error for an answer that no later attempt mends."""
        status = f"{answer.status} {_phrase(answer.status)}".strip()
        return ServerRefused(
            f"The server of {self.name} refused {what} (status {status}).", model=self.name
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._session = aiohttp.ClientSession(
                headers=headers, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def _allowed(self, answer: Answer) -> Answer:
        if answer.status in LOCKED:
            raise ModelUnavailable(
                f"The server of {self.name} refuses the key (status {answer.status}): "
                "check key_env.",
                model=self.name,
            )
        return answer

    def _busy(self, answer: Answer) -> ServerUnavailable:
        return ServerUnavailable(
            f"The server of {self.name} is busy or failing (status {answer.status})."
        )

    def _unreachable(self, error: Exception) -> ServerUnavailable:
        """Without the exception's own text, which may hold the whole address."""
        return ServerUnavailable(
            f"The server of {self.name} cannot be reached ({type(error).__name__})."
        )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body. Raises ServerUnavailable beyond `MOST_BYTES`."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(1 << 16):
        size += len(part)
        if size > MOST_BYTES:
            raise ServerUnavailable(f"The server's answer has more than {MOST_BYTES} bytes.")
        parts.append(part)
    return b"".join(parts)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
