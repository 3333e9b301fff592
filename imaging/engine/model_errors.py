"""Maps exceptions of torch and the model libraries to ImagingError.

An exception references its frames, and these reference tensors on the device. Only its message is
kept, and the new error is raised after the original has been released.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
import torch

from imaging.engine.error_summary import error_fields
from imaging.errors import ImagingError, ModelFailed, ModelUnavailable, OutOfMemory

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

_OUT_OF_MEMORY_MESSAGES = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "alloc_failed",
)


def run_model(action: Callable[[], Result], model: str) -> Result:
    """Run a model. Raises OutOfMemory, or ModelFailed for other library exceptions.

    An ImagingError (cancellation, deadline) passes through.
    """
    return _run(
        action, lambda message: ModelFailed(f"The model {model} failed: {message}", model=model)
    )


def run_load(action: Callable[[], Result], model: str) -> Result:
    """Load a model. Raises OutOfMemory, or ModelUnavailable for other library exceptions."""
    return _run(
        action,
        lambda message: ModelUnavailable(
            f"The model {model} cannot be loaded: {message}", model=model
        ),
    )


def _run(action: Callable[[], Result], wrap: Callable[[str], ImagingError]) -> Result:
    try:
        return action()
    except ImagingError:
        raise
    except Exception as error:  # noqa: BLE001 - the libraries raise any type
        failure = _failure(error, wrap)
        log.warning("model-failed", reason=str(failure), **error_fields(error))
    raise failure


def _failure(error: Exception, wrap: Callable[[str], ImagingError]) -> ImagingError:
    message = str(error).strip() or type(error).__name__
    if is_out_of_memory(error):
        return OutOfMemory(f"The device had too little memory: {message.splitlines()[0]}")
    return wrap(message.splitlines()[0])


def is_out_of_memory(error: Exception) -> bool:
    """Whether an allocation failed; CUDA, MPS and CPU report it differently."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        message in str(error).lower() for message in _OUT_OF_MEMORY_MESSAGES
    )
