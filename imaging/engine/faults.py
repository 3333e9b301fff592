"""What goes wrong inside torch and the model libraries, as errors that a member can be told.

An exception from torch holds the frames it came through, and they hold tensors on the device. So
only its words are kept, and the new error is raised after the old one was let go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
import torch

from imaging.engine.traces import trace_of
from imaging.errors import ImagingError, ModelUnavailable, OutOfMemory

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "alloc_failed",
)


def guarded(act: Callable[[], Result], model: str) -> Result:
    """Run a model. Raises OutOfMemory, or ImagingError for whatever else the libraries raise.

    An ImagingError (a cancel, a deadline) passes through.
    """
    return _run(act, lambda words: ImagingError(f"The model {model} failed: {words}", model=model))


def loading(act: Callable[[], Result], model: str) -> Result:
    """Load a model. Raises OutOfMemory, or ModelUnavailable for whatever else is wrong with it."""
    return _run(
        act,
        lambda words: ModelUnavailable(f"The model {model} cannot be loaded: {words}", model=model),
    )


def _run(act: Callable[[], Result], other: Callable[[str], ImagingError]) -> Result:
    try:
        return act()
    except ImagingError:
        raise
    except Exception as error:  # noqa: BLE001 - the libraries raise anything; it is told as theirs
        failure = _failure(error, other)
        log.warning("engine.model_failed", reason=str(failure), **trace_of(error))
    raise failure


def _failure(error: Exception, other: Callable[[str], ImagingError]) -> ImagingError:
    words = str(error).strip() or type(error).__name__
    if is_out_of_memory(error):
        return OutOfMemory(f"The device had too little memory: {words.splitlines()[0]}")
    return other(words.splitlines()[0])


def is_out_of_memory(error: Exception) -> bool:
    """Whether torch or Python found no room: CUDA, MPS and the CPU each say it their own way."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in _NO_MEMORY
    )
