"""The lease loops of a worker, one for each engine: a busy server keeps no job from the device."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from tasks.worker.lease_loop import LeaseLoop

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class LeaseLoops:
    """Passes tickets to every loop. A ticket does not tell which engine its work is for."""

    loops: Sequence[LeaseLoop]
    _threads: Sequence[ThreadPoolExecutor] = field(init=False)

    def __post_init__(self) -> None:
        self._threads = [
            ThreadPoolExecutor(loop.slots.base, "serve-server") for loop in self.loops[1:]
        ]

    @property
    def size(self) -> int:
        """How many jobs all loops hold at this moment."""
        return sum(loop.slots.size for loop in self.loops)

    @property
    def base(self) -> int:
        """The same without the additional slots of a backlog."""
        return sum(loop.slots.base for loop in self.loops)

    def serve(self, jobs: int = 1) -> None:
        """Work while there is work: the first loop on this thread, the others beside it."""
        for loop, threads in zip(self.loops[1:], self._threads, strict=True):
            if not loop.slots.full:
                threads.submit(self._serve_beside, loop, jobs)
        self.loops[0].serve(jobs)

    def jobs_to_take(self) -> list[tuple[LeaseLoop, int]]:
        """The loops with ready work, and how many slots each fills now; for the watch only."""
        found = [(loop, loop.jobs_to_take()) for loop in self.loops]
        return [(loop, jobs) for loop, jobs in found if jobs]

    def stop(self) -> None:
        """Lease no more jobs; those that run go on."""
        for loop in self.loops:
            loop.stop()

    def _serve_beside(self, loop: LeaseLoop, jobs: int) -> None:
        try:
            loop.serve(jobs)
        except Exception:  # nothing reads the result of this thread
            log.exception("serve-failed")
