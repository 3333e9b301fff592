"""A child of `up` asks the kernel for SIGTERM when `up` dies."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

VARIABLE = "ATELIER_TREE"  # in a child's environment: the pid of its `up`
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(environ: Mapping[str, str] = os.environ) -> None:
    """Request SIGTERM on the death of `up`, if this process is its child. Survives `exec`.

    Linux only; elsewhere the reaper alone stops the children.
    """
    parent = environ.get(VARIABLE, "")
    if not parent.isdigit() or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the request
        sys.exit(1)
