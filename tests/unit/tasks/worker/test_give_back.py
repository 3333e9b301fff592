"""Jobs that a grown worker has not begun go back to the queue where another worker is idle."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from imaging.errors import RenderCancelled
from imaging.request import Progress, Stage
from tasks.worker.renderer import Renderer
from tasks.worker.running_jobs import RunningJob
from tasks.worker.slots import Slots
from tasks.worker.worker import Worker

PARTS = ("app", "database", "engine", "dispatcher", "renderer", "lease_loops", "models")


def running(stage: Stage) -> RunningJob:
    """A job of its own, at this stage."""
    lease, render = Mock(), Mock()
    render.progress = Progress(stage)
    return RunningJob(lease, render)


def stopped(most: int | None) -> list[bool]:
    """Which of a beginning, a paused and three waiting jobs are put back."""
    stages = [Stage.STEPS, Stage.WAITING, Stage.PAUSED, Stage.WAITING, Stage.WAITING]
    renderer = Renderer(Mock(), Mock(), Mock(), Mock(), Mock())
    jobs = [running(stage) for stage in stages]
    for job in jobs:
        renderer.running.add(job)
    renderer.requeue_waiting(most)
    return [job.stop_reason is not None for job in jobs]


def test_newest_waiting_jobs_are_put_back_first() -> None:
    assert stopped(None) == [False, True, False, True, True]
    assert stopped(2) == [False, False, False, True, True]
    assert stopped(9) == [False, True, False, True, True]


def test_job_that_begins_after_the_drain_is_put_back() -> None:
    renderer = Renderer(Mock(), Mock(), Mock(), Mock(), Mock())
    renderer.rights.lost.return_value = None  # type: ignore[attr-defined]
    render = renderer.engine.submit.return_value  # type: ignore[attr-defined]
    render.progress = Progress(Stage.STEPS)
    render.updates.return_value = []
    render.result.side_effect = RenderCancelled("Stopped.")
    renderer.drain()
    renderer.run(Mock())
    render.cancel.assert_called_once_with("worker-stopping")
    renderer.settlement.requeue.assert_called_once()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("allowed", "idle", "expected"), [(0, True, 2), (0, False, None), (4, True, None)]
)
def test_surplus_is_returned_where_another_worker_is_idle(
    allowed: int, idle: bool, expected: int | None
) -> None:
    parts: dict[str, Any] = {part: Mock() for part in PARTS}
    slots = Slots(3, headroom=1, growth=4)
    slots.allow(4)
    slots.take(4)  # two beyond the ordinary ones
    slots.allow(allowed)
    parts["lease_loops"].loops = [Mock(slots=slots)]
    parts["database"].run.return_value = idle
    Worker(name="one", **parts)._give_back()
    calls = parts["renderer"].requeue_waiting.call_args_list
    assert [call.args[0] for call in calls] == ([] if expected is None else [expected])
