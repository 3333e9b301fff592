"""The model libraries made ready, before the first of them is imported. Imports no torch itself."""

from __future__ import annotations

import os


def prepare_libraries() -> None:
    """Set what the libraries read once, when they are loaded. Harmless, and without effect, later.

    Torch's threads wait for one another in a busy loop between two operators. Where another process
    wants the same cores (here: the servers, the bots) the loop burns the time that the other thread
    needs: a picture of 0.12 s was seen to take 4 to 12 s. With a passive wait it stays at 0.12 s.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # one short prompt at a time

    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
