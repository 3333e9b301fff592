"""The tree's keeper: ends what `atelier up` leaves behind when it is killed.

`up` holds the writing end of this process's standard input and never writes to it. When `up` is
gone, by whatever signal, the reading ends, and the keeper ends every process that the pid files
name. It holds the home's lock meanwhile, so the next `up` waits for it. It works on every Unix;
that children ask the kernel to follow their parent (`leash`) works on Linux alone.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from bots.operator.ending import end_leftovers


def main() -> None:
    """Wait for the end of `up`, then clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_leftovers(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
