"""The images API of OpenAI, as many servers speak it. Imports no torch.

A text prompt is a POST to `/images/generations` (JSON), a prompt with pictures one to
`/images/edits` (a form). Pictures come back as base64. The API has no progress, and a request is
cancelled by closing its connection.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import aiohttp
from PIL import Image

from imaging.engine.compositing import cover
from imaging.engine.servers.backend import ServerCall, decode_result, inside_mask
from imaging.engine.servers.server_client import Answer, ServerClient
from imaging.errors import ModelUnavailable, ServerRefused, ServerUnavailable, Unsafe
from imaging.formats import encode_png
from imaging.profiles import Profile
from imaging.request import Stage
from imaging.server_models import Field, ServerModel

_MODERATION = ("content_policy", "moderation", "content_filter", "safety")
"""Parts of the error codes with which servers refuse a prompt's or a picture's content."""
_LEGAL = 451


class OpenAIImages:
    """One model of one server."""

    def __init__(self, model: ServerModel, key: str | None) -> None:
        self._model = model
        self._client = ServerClient(model.name, model.url, key)
        self._profile = model.profile()

    @property
    def profile(self) -> Profile:
        """The model."""
        return self._profile

    async def render(self, call: ServerCall) -> list[Image.Image]:
        """The pictures: one call for all where the server takes `n`, else one for each."""
        together = Field.COUNT in self._model.takes and not self._needs_seeds(call)
        counts = [len(call.seeds)] if together else [1] * len(call.seeds)
        images: list[Image.Image] = []
        call.report(Stage.STEPS)
        for count in counts:
            images += await self._draw(call, call.seeds[len(images)], count)
        return images

    async def check(self) -> str:
        """Ask for the list of models. A server without that list answers 404, which will do."""
        answer = await self._client.call_once("GET", "/models")
        names = _model_names(answer.fields())
        if names and self._model.model and self._model.model not in names:
            known = ", ".join(sorted(names)[:10])
            raise ModelUnavailable(
                f"The server has no model {self._model.model!r}, only {known}: "
                f"correct models.{self._model.name}.model.",
                model=self._model.name,
            )
        if names:
            return f"serves {len(names)} model{'s' if len(names) > 1 else ''}"
        return "answers, and lists no models"

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    def _needs_seeds(self, call: ServerCall) -> bool:
        """Whether each picture needs a call of its own, so that its seed draws it again."""
        return Field.SEED in self._model.takes and len(call.seeds) > 1

    async def _draw(self, call: ServerCall, seed: int, count: int) -> list[Image.Image]:
        fields = self._fields(call, seed, count)
        if call.inputs.sources:
            answer = await self._client.call_patiently(
                "POST", "/images/edits", until=call.until, form=lambda: _form(call, fields)
            )
        else:
            answer = await self._client.call_patiently(
                "POST", "/images/generations", until=call.until, json_body=fields
            )
        if not answer.ok:
            raise self._failure(answer)
        images = [self._decoded(one, call) for one in self._entries(answer, count)]
        return [inside_mask(image, call) for image in images]

    def _fields(self, call: ServerCall, seed: int, count: int) -> dict[str, Any]:
        """The fields of one call: the prompt, and those options that the server takes."""
        request, takes = call.request, self._model.takes
        steps = request.steps or self._profile.steps_of(request.operation)
        guidance = request.guidance
        offered: Mapping[Field, Any] = {
            Field.COUNT: count,
            Field.SIZE: f"{call.size[0]}x{call.size[1]}",
            Field.RESPONSE_FORMAT: "b64_json",
            Field.SEED: seed,
            Field.NEGATIVE: request.negative or None,
            Field.STEPS: steps,
            Field.GUIDANCE: self._profile.guidance if guidance is None else guidance,
        }
        fields: dict[str, Any] = {"prompt": request.prompt}
        if self._model.model:
            fields["model"] = self._model.model
        wanted = {name: value for name, value in offered.items() if name in takes}
        return fields | {str(name): value for name, value in wanted.items() if value is not None}

    def _failure(self, answer: Answer) -> Exception:
        """The lasting error of a refused call."""
        codes = _error_codes(answer.fields())
        moderated = any(part in code for code in codes for part in _MODERATION)
        if moderated or answer.status == _LEGAL:
            return Unsafe(f"The server of {self._model.name} refused the content of the request.")
        if answer.status in {404, 405}:
            return ModelUnavailable(
                f"The server of {self._model.name} has no images API at its url, or no such model "
                f"(status {answer.status}): the url usually ends in /v1.",
                model=self._model.name,
            )
        kind = f"the request ({codes[0]})" if codes else "the request"
        return self._client.refusal(answer, kind)

    def _entries(self, answer: Answer, count: int) -> list[Any]:
        """The answer's pictures, still encoded."""
        found = answer.json()
        entries = found.get("data") if isinstance(found, dict) else None
        if not isinstance(entries, list) or len(entries) < count:
            number = len(entries) if isinstance(entries, list) else 0
            raise ServerUnavailable(
                f"The server of {self._model.name} sent {number} of {count} pictures."
            )
        return entries[:count]

    def _decoded(self, entry: Any, call: ServerCall) -> Image.Image:
        text = entry.get("b64_json") if isinstance(entry, dict) else None
        if not isinstance(text, str):
            raise ServerRefused(
                f"The server of {self._model.name} sent no base64 picture: "
                f'add "{Field.RESPONSE_FORMAT}" to models.{self._model.name}.takes.',
                model=self._model.name,
            )
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ServerUnavailable(
                f"The server of {self._model.name} sent invalid base64."
            ) from None
        return decode_result(data, call.size, self._model.name)


def _form(call: ServerCall, fields: Mapping[str, Any]) -> aiohttp.FormData:
    """The form of an edit: the sources, at the drawn size where there is a mask, and the mask."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, str(value))
    sources, mask = call.inputs.sources, call.mask
    name = "image" if len(sources) == 1 else "image[]"
    for index, source in enumerate(sources):
        image = cover(source, call.size) if mask is not None else source
        file = f"source-{index + 1}.png"
        form.add_field(name, encode_png(image), filename=file, content_type="image/png")
    if mask is not None:
        data = encode_png(_transparent_where_white(mask))
        form.add_field("mask", data, filename="mask.png", content_type="image/png")
    return form


def _transparent_where_white(mask: Image.Image) -> Image.Image:
    """The API's kind of mask: the transparent part is drawn anew."""
    return Image.merge("RGBA", (mask, mask, mask, mask.point(lambda value: 255 - value)))


def _error_codes(fields: Mapping[str, Any]) -> list[str]:
    """The codes and types of an error; its message may repeat the prompt and is not read."""
    error = fields.get("error")
    details = fields.get("detail")
    tables = [error, fields, *(details if isinstance(details, list) else [])]
    found = [one.get(name) for one in tables if isinstance(one, dict) for name in ("code", "type")]
    return [code[:60] for code in found if isinstance(code, str)]


def _model_names(fields: Mapping[str, Any]) -> set[str]:
    entries = fields.get("data")
    if not isinstance(entries, list):
        return set()
    return {str(one["id"]) for one in entries if isinstance(one, dict) and "id" in one}
