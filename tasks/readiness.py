"""How a process of the tree tells `atelier up` that it can serve.

`up` hands each child the writing end of a pipe and names it in ATELIER_READY_FD; a process that was
started by hand has none, and then there is nobody to tell. The descriptor survives `exec`.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

VARIABLE = "ATELIER_READY_FD"


def announce(environ: MutableMapping[str, str] = os.environ) -> None:
    """Say once that this process can serve; later calls, and calls without a listener, do nothing.

    Call it from an entry point only: it reads the environment.
    """
    number = environ.pop(VARIABLE, "")
    if not number.isdigit():
        return
    descriptor = int(number)
    try:
        os.write(descriptor, b"ready\n")
    except BrokenPipeError:
        return  # whoever started us has gone; that is noticed elsewhere
    finally:
        os.close(descriptor)
