"""How a process notifies `atelier up` that it can serve.

`up` gives each child the write end of a pipe and its number in ATELIER_READY_FD; a process that was
started alone has none. The descriptor survives `exec`.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

VARIABLE = "ATELIER_READY_FD"


def announce(environ: MutableMapping[str, str] = os.environ) -> None:
    """Notify once that this process can serve; later calls, and calls without a pipe, do nothing.

    Call it from an entry point only: it reads the environment.
    """
    number = environ.pop(VARIABLE, "")
    if not number.isdigit():
        return
    descriptor = int(number)
    try:
        os.write(descriptor, b"ready\n")
    except BrokenPipeError:
        return  # the parent is gone, which is handled elsewhere
    finally:
        os.close(descriptor)
