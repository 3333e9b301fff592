"""Errors of image generation. Imports no torch.

Every error has a stable `code`, which bots localize, and `details` for the localized sentence.
`str(error)` is one English sentence for the operator's log.
"""

from __future__ import annotations

from typing import ClassVar


class ImagingError(Exception):
    """A request failed. `code` is the reason; a `permanent` error must not be retried."""

    code: ClassVar[str] = "imaging-failed"
    permanent: ClassVar[bool] = True

    def __init__(self, message: str, **details: str | int | float) -> None:
        super().__init__(message)
        self.details = details


class NotAPicture(ImagingError):
    """The file is not an image, is truncated, or has an unsupported format."""

    code = "not-a-picture"


class PictureTooLarge(ImagingError):
    """The file exceeds the byte or pixel limit."""

    code = "picture-too-large"


class MaskEmpty(ImagingError):
    """The mask marks no part of the picture."""

    code = "mask-empty"


class MaskUnclear(ImagingError):
    """It can't be told which part of the picture the mask marks."""

    code = "mask-unclear"


class EncodingFailed(ImagingError):
    """A picture cannot be written in a format, for example because a side is too long for it."""


class UnknownProfile(ImagingError):
    """No profile has this name."""

    code = "unknown-model"


class ModelUnavailable(ImagingError):
    """The profile's files are missing or corrupt."""

    code = "model-unavailable"


class ModelFailed(ImagingError):
    """The model's code raised an error while it drew; another worker may succeed."""

    permanent = False


class DownloadFailed(ModelUnavailable):
    """A model's files could not be downloaded; a later try may succeed."""


class Unsupported(ImagingError):
    """The profile does not support this operation or parameter."""

    code = "unsupported"


class OutOfMemory(ImagingError):
    """The device ran out of memory; a smaller request may fit."""

    code = "out-of-memory"


class Unsafe(ImagingError):
    """The safety check rejected the prompt or every picture."""

    code = "unsafe"


class RenderCancelled(ImagingError):
    """The request was cancelled."""

    code = "cancelled"


class RenderTimedOut(ImagingError):
    """The request exceeded its deadline."""

    code = "render-timed-out"
    permanent = False


class EngineStopped(ImagingError):
    """The engine stopped before the request finished; another worker can retry it."""

    code = "engine-stopped"
    permanent = False


class ParameterUnsupported(ImagingError):
    """The profile does not follow a parameter; `parameter` is its name."""

    code = "parameter-unsupported"


class ServerUnavailable(ImagingError):
    """Another image server cannot be reached, is busy, or broke off; a later attempt may succeed.

    The message and the details never contain a prompt or a key.
    """

    code = "server-unavailable"
    permanent = False


class ServerRefused(ImagingError):
    """Another image server cannot serve this request, now or later."""

    code = "server-refused"
