"""A real worker process whose model is blank and whose courier writes down what it posts.

Run as `python -m tests.integration.worker_process SECONDS_PER_STEP POSTS`: everything but the model
and the platform is what an operator runs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from imaging.engine.blank import BlankRunner
from imaging.request import Progress
from tasks.deliver import CourierDesk, Parcel, Receipt
from tasks.job import Job
from tasks.members import Member
from tasks.worker import Equipment, main


class WritingCourier:
    """Posts by adding a line to a file, which is atomic: every post of every process counts."""

    platform = "test"

    def __init__(self, posts: Path) -> None:
        self._posts = posts

    async def progress(self, job: Job, progress: Progress) -> None:
        """Not written down."""

    async def deliver(self, parcel: Parcel) -> Receipt:
        """One line for each post."""
        line = {
            "job": str(parcel.job.id),
            "pictures": len(parcel.enclosures),
            "bytes": [len(one.data) for one in parcel.enclosures],
            "state": parcel.job.state.value,
            "code": parcel.job.reason.code if parcel.job.reason else None,
            "pid": os.getpid(),
        }
        with self._posts.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return Receipt(f"message-{parcel.job.short}")

    async def roles(self, member: Member) -> frozenset[str] | None:
        """What a test has written down beside the posts; nothing is known where it has not."""
        told = self._posts.with_name("roles.json")
        if not told.exists():
            return None
        return frozenset(json.loads(told.read_text()).get(member.id, ()))

    async def close(self) -> None:
        """Nothing to let go of."""


def run(seconds_per_step: float, posts: Path) -> int:
    """A worker until SIGTERM."""

    def connect(_desk: CourierDesk) -> WritingCourier:
        return WritingCourier(posts)

    return main(Equipment(BlankRunner(seconds_per_step), {"test": connect}))


if __name__ == "__main__":
    sys.exit(run(float(sys.argv[1]), Path(sys.argv[2])))
