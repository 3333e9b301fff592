"""What the server engine needs of one API: a request in, decoded pictures out. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

from imaging.engine.compositing import composite, cover
from imaging.engine.render_handle import RenderHandle
from imaging.engine.types import RenderInputs
from imaging.errors import NotAPicture, ServerRefused, ServerUnavailable
from imaging.formats import RESULT_LIMITS, decode
from imaging.masks import cover_mask
from imaging.profiles import Profile
from imaging.request import MAX_SEED, ImageRequest, Stage
from imaging.sizes import Size


@dataclass(frozen=True, slots=True)
class ServerCall:
    """One request on its way to a server. `size` is what the server is asked for.

    `until` is the time of the loop at which the request has failed. `preview` shows an encoded
    picture of the server as the request's preview; it may drop it.
    """

    handle: RenderHandle
    inputs: RenderInputs
    size: Size
    until: float
    preview: Callable[[bytes], None]

    @property
    def request(self) -> ImageRequest:
        """The request."""
        return self.handle.request

    @property
    def seeds(self) -> list[int]:
        """One seed for each picture."""
        request = self.request
        return [(request.seed + k) % (MAX_SEED + 1) for k in range(request.count)]

    @property
    def mask(self) -> Image | None:
        """The mask at the size to draw: white where the picture is drawn anew."""
        if self.inputs.mask is None:
            return None
        return cover_mask(self.inputs.mask, self.size, self.inputs.sources[0].size)

    def report(self, stage: Stage, step: int = 0, steps: int = 0) -> None:
        """Publish progress. Steps are reported where the server tells them, and only then."""
        self.handle.report(stage, step, steps)


class Backend(Protocol):
    """One server, spoken to on one event loop."""

    @property
    def profile(self) -> Profile:
        """The model."""

    async def render(self, call: ServerCall) -> list[Image]:
        """One picture of `call.size` for each seed, in mode RGB. Cancelling it tells the server.

        Raises ImagingError: ServerUnavailable and RenderTimedOut may pass, the others last.
        """

    async def check(self) -> str:
        """What answers, in words. Raises ServerUnavailable, or ModelUnavailable with what to do."""

    async def close(self) -> None:
        """Close connections."""


def decode_result(data: bytes, size: Size, model: str) -> Image:
    """A server's picture, whole and of the right size.

    Raises ServerUnavailable for a damaged file, ServerRefused for another size.
    """
    try:
        image = decode(data, RESULT_LIMITS)
    except NotAPicture as error:
        raise ServerUnavailable(f"The server of {model} sent no whole picture: {error}") from None
    if image.size != size:
        raise ServerRefused(
            f"The server of {model} drew {image.width} × {image.height} instead of "
            f"{size[0]} × {size[1]} pixels: correct the sizes of models.{model}.",
            model=model,
        )
    return image


def inside_mask(image: Image, call: ServerCall) -> Image:
    """The source's own pixels outside the mask, as in the in-process engine."""
    mask = call.mask
    if mask is None:
        return image
    return composite(cover(call.inputs.sources[0], call.size), image, mask)
