"""How often a message that shows progress is edited, on a clock that the test moves."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bots.discord.rate_limit import EditRateLimit


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_message_is_edited_every_two_seconds(clock: Clock) -> None:
    limit, job = EditRateLimit(clock), uuid4()
    edited = []
    for tenth in range(61):
        clock.now = 100.0 + tenth / 10
        if limit.pause(job) == 0:
            edited.append(tenth)
    assert edited == [0, 20, 40, 60]


@pytest.mark.parametrize(("running", "interval"), [(1, 2.0), (8, 2.0), (12, 3.0), (40, 10.0)])
def test_all_messages_together_are_edited_four_times_a_second(
    clock: Clock, running: int, interval: float
) -> None:
    limit = EditRateLimit(clock)
    jobs = [uuid4() for _ in range(running)]
    assert not any(limit.pause(job) for job in jobs)
    clock.now = 100.0 + interval - 0.1
    assert all(limit.pause(job) == pytest.approx(0.1) for job in jobs)
    clock.now = 100.0 + interval
    assert not any(limit.pause(job) for job in jobs)


def test_job_without_progress_stops_counting_after_fifteen_seconds(clock: Clock) -> None:
    limit, mine = EditRateLimit(clock), uuid4()
    assert limit.pause(mine) == 0
    for _ in range(11):
        limit.pause(uuid4())
    clock.now = 102.5
    assert limit.pause(mine) > 0  # twelve jobs: three seconds
    clock.now = 112.5
    assert limit.pause(mine) == 0
    clock.now = 114.9  # the others were last seen at 100, and still count
    assert limit.pause(mine) > 0
    clock.now = 115.0
    assert limit.pause(mine) == 0


def test_ended_job_is_forgotten(clock: Clock) -> None:
    limit, mine = EditRateLimit(clock), uuid4()
    others = [uuid4() for _ in range(11)]
    for job in (mine, *others):
        assert limit.pause(job) == 0
    for job in others:
        limit.forget(job)
    clock.now = 102.0
    assert limit.pause(mine) == 0
    limit.forget(mine)
    assert limit.pause(mine) == 0
    limit.forget(uuid4())  # an unknown one is no error


def test_thousands_of_jobs_are_remembered(clock: Clock) -> None:
    limit = EditRateLimit(clock)
    jobs = [uuid4() for _ in range(4096)]
    assert not any(limit.pause(job) for job in jobs)
    assert limit.pause(jobs[0]) > 0
    assert limit.pause(uuid4()) == 0
    assert limit.pause(jobs[1]) == 0  # the one that was seen longest ago is forgotten
