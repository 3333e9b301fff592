"""Why a picture could not be made. Imports no torch.

Every error carries a stable `code`, from which bots make a sentence in the member's language, and
`details` for that sentence. `str(error)` is one clear English sentence for an operator's log.
"""

from __future__ import annotations

from typing import ClassVar


class ImagingError(Exception):
    """A request cannot be carried out: `code` says why, `lasting` that another try is vain."""

    code: ClassVar[str] = "imaging-failed"
    lasting: ClassVar[bool] = True

    def __init__(self, message: str, **details: str | int | float) -> None:
        super().__init__(message)
        self.details = details


class NotAPicture(ImagingError):
    """The file is no picture, is truncated, or is of a kind that is not read."""

    code = "not-a-picture"


class PictureTooLarge(ImagingError):
    """The file has too many bytes or too many pixels."""

    code = "picture-too-large"


class UnknownProfile(ImagingError):
    """No profile has this name."""

    code = "unknown-model"


class ModelUnavailable(ImagingError):
    """The profile's files are missing or broken."""

    code = "model-unavailable"


class Unsupported(ImagingError):
    """The profile cannot do this operation."""

    code = "unsupported"


class OutOfMemory(ImagingError):
    """The device had no room for this request; a smaller one may fit."""

    code = "out-of-memory"


class Unsafe(ImagingError):
    """The safety check refused the prompt or every picture."""

    code = "unsafe"


class RenderCancelled(ImagingError):
    """Cancelled between two steps."""

    code = "cancelled"


class RenderTimedOut(ImagingError):
    """The request ran past its deadline."""

    code = "render-timed-out"
    lasting = False


class EngineStopped(ImagingError):
    """The engine was shut down before the request was finished; another worker can take it."""

    code = "engine-stopped"
    lasting = False
