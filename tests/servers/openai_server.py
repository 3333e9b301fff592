"""A server with the images API: pictures of one colour, by the seed or the prompt."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

from tests.servers.loopback import LoopbackServer

Fault = Callable[[bytes], web.StreamResponse]
"""Makes an answer in place of the right one, from the right picture's file."""


@dataclass
class Asked:
    """One call: its fields, the files of its form, and how it ended."""

    path: str
    fields: dict[str, Any]
    files: dict[str, list[bytes]] = field(default_factory=dict)
    key: str | None = None
    disconnected: bool = False
    answered: bool = False


class OpenAIServer(LoopbackServer):
    """`faults` are used up one a call; with `hold`, calls wait until `release` is called."""

    def __init__(self, *, key: str | None = None, hold: bool = False) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.faults: deque[Fault] = deque()
        self.models = ["big-model"]
        self._key = key
        self._open = asyncio.Event()
        self._hold = hold
        self.app.router.add_get("/v1/models", self._list)
        self.app.router.add_post("/v1/images/generations", self._generate)
        self.app.router.add_post("/v1/images/edits", self._edit)

    def pause(self) -> None:
        """Hold what comes from now on, until `release`."""

        def close() -> None:
            self._hold = True
            self._open.clear()

        self.on_loop(close)

    def release(self) -> None:
        """Answer the calls that wait, and all later ones at once."""
        self.on_loop(self._open.set)

    @property
    def in_flight(self) -> int:
        """How many calls wait for their answer."""
        return sum(not one.answered and not one.disconnected for one in self.asked)

    async def _list(self, request: web.Request) -> web.Response:
        if not self._allowed(request):
            return _error(401, "invalid_api_key", "Incorrect API key provided.")
        data = [{"id": name, "object": "model"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, Asked(request.path, await request.json()))

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.path, {})
        form = await request.post()
        for name, value in form.items():
            if isinstance(value, web.FileField):
                asked.files.setdefault(name, []).append(value.file.read())
            else:
                asked.fields[name] = value
        return await self._answer(request, asked)

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        asked.key = request.headers.get("Authorization")
        self.asked.append(asked)
        if not self._allowed(request):
            return _error(401, "invalid_api_key", "Incorrect API key provided.")
        try:
            if self._hold:
                await self._open.wait()
        except asyncio.CancelledError:
            asked.disconnected = True
            raise
        asked.answered = True
        width, height = (int(side) for side in str(asked.fields["size"]).split("x"))
        seed = int(asked.fields.get("seed", 0))
        count = int(asked.fields.get("n", 1))
        files = [picture(width, height, colour(asked, seed + k)) for k in range(count)]
        if self.faults:
            return self.faults.popleft()(files[0])
        return pictures_answer(files)

    def _allowed(self, request: web.Request) -> bool:
        return self._key is None or request.headers.get("Authorization") == f"Bearer {self._key}"


def pictures_answer(files: list[bytes]) -> web.Response:
    """The API's answer with these pictures."""
    data = [{"b64_json": base64.b64encode(file).decode()} for file in files]
    return web.json_response({"created": 1, "data": data})


def picture(width: int, height: int, fill: tuple[int, int, int]) -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), fill).save(buffer, "PNG")
    return buffer.getvalue()


def colour(asked: Asked, seed: int) -> tuple[int, int, int]:
    """The colour that a prompt and a seed draw."""
    digest = hashlib.sha256(f"{asked.fields['prompt']}/{seed}".encode()).digest()
    return digest[0], digest[1], digest[2]


def failing(status: int, code: str = "", headers: dict[str, str] | None = None) -> Fault:
    """An error with a status and the API's error object, which repeats the prompt."""

    def make(_: bytes) -> web.Response:
        answer = _error(status, code, "Your prompt “a secret wish” was refused.")
        answer.headers.update(headers or {})
        return answer

    return make


def half_a_picture(file: bytes) -> web.Response:
    """The first half of the file, in whole base64."""
    return pictures_answer([file[: len(file) // 2]])


def invalid_base64(_: bytes) -> web.Response:
    """An entry that is not base64."""
    return web.json_response({"data": [{"b64_json": "*** not base64 ***"}]})


def half_an_answer(file: bytes) -> web.Response:
    """JSON that stops in the middle."""
    whole = pictures_answer([file]).text or ""
    return web.Response(text=whole[: len(whole) // 2], content_type="application/json")


def too_few(_: bytes) -> web.Response:
    """No picture at all."""
    return pictures_answer([])


def wrong_size(_: bytes) -> web.Response:
    """A picture of another size."""
    return pictures_answer([picture(8, 8, (1, 2, 3))])


def _error(status: int, code: str, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status)
