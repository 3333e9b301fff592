"""Stops the processes that a killed `atelier up` leaves behind.

`up` holds the write end of this process's standard input and never writes to it. When `up` dies,
the read returns and this process stops every process that the pid files name. It holds the
home's lock meanwhile, so that the next `up` waits. This works on every Unix; the parent-death
signal (`parent_death_signal`) works on Linux only.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from bots.operator.shutdown import stop_leftovers


def main() -> None:
    """Wait until `up` has ended, then stop what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    stop_leftovers(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
