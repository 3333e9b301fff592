"""Process-wide settings of the model libraries, applied before their import."""

from __future__ import annotations

import os

SPINS = 10_000
"""Turns of a waiting OpenMP thread before it sleeps: some tens of microseconds."""


def configure_libraries() -> None:
    """Set environment variables that the libraries read once, on import.

    OpenMP threads spin between operators by default. When other processes (servers, bots) share the
    cores, spinning starves the thread that has work: a picture takes many times as long. Without
    any spinning, a picture on idle cores takes half as long again, since threads must be woken. A
    short spin avoids both. An operator's `OMP_WAIT_POLICY` or `GOMP_SPINCOUNT` has precedence.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # prompts are tokenized one at a time

    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
