"""A real worker process with the blank model and a publisher that appends each post to a file.

Run as `python -m tests.integration.worker_process SECONDS_PER_STEP POSTS KIND`: everything but the
model and the platform is what an operator runs. Of the kind `broken` the model draws at its trial
and fails in every job; of the kind `model` it is that of ATELIER_MODEL.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from imaging.engine.blank_runner import BlankRunner
from imaging.engine.render_handle import RenderHandle
from imaging.engine.types import RawImage, RenderInputs
from imaging.errors import ModelFailed
from imaging.profiles import Profile
from imaging.request import Progress
from tasks.delivery.publisher import Delivery, DeliveryResult, PublisherContext
from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.worker.process import WorkerOverrides, main


class FilePublisher:
    """Publishes by appending a line to a file, which is atomic across processes."""

    platform = "test"

    def __init__(self, posts: Path) -> None:
        self._posts = posts

    async def progress(self, job: Job, progress: Progress) -> float:
        """Progress is not recorded."""
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Append one line."""
        line = {
            "job": str(delivery.job.id),
            "pictures": len(delivery.attachments),
            "bytes": [len(one.data) for one in delivery.attachments],
            "state": delivery.job.state.value,
            "code": delivery.job.reason.code if delivery.job.reason else None,
            "pid": os.getpid(),
        }
        with self._posts.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return DeliveryResult(f"message-{delivery.job.short}")

    async def roles(self, member: Member) -> frozenset[str] | None:
        """The roles in `roles.json` beside the posts; None without that file."""
        roles = self._posts.with_name("roles.json")
        if not roles.exists():
            return None
        return frozenset(json.loads(roles.read_text()).get(member.id, ()))

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class PacedRunner(BlankRunner):
    """Steps take no time once the file `hurry` exists (`Deployment.hurry`)."""

    hurry: Path = Path("hurry")
    broken: bool = False

    def render(
        self, profile: Profile, handle: RenderHandle, inputs: RenderInputs
    ) -> list[RawImage]:
        """Fails in jobs where it is broken."""
        if self.broken and not handle.is_warmup:
            raise ModelFailed("The device is lost.", model=profile.name)
        # `super()` does not work in a class that `slots=True` has replaced.
        return BlankRunner.render(self, profile, handle, inputs)

    def next_step_seconds(self) -> float:
        """None once there is a hurry."""
        return 0.0 if self.hurry.exists() else self.seconds_per_step


def run(seconds_per_step: float, posts: Path, kind: str) -> int:
    """Run a worker until SIGTERM."""

    def connect(_context: PublisherContext) -> FilePublisher:
        return FilePublisher(posts)

    runner = PacedRunner(seconds_per_step, posts.with_name("hurry"), kind == "broken")
    return main(WorkerOverrides(None if kind == "model" else runner, {"test": connect}))


if __name__ == "__main__":
    sys.exit(run(float(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
