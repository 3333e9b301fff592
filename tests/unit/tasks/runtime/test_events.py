"""Events and broker URLs."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tasks.jobs.job import EventKind, JobEvent
from tasks.jobs.states import JobState
from tasks.runtime.celery_app import broker_url
from tasks.runtime.events import decode, encode


@pytest.mark.parametrize("preview", [None, b"\xff\xd8jpeg"])
def test_event_round_trips_through_json(preview: bytes | None) -> None:
    event = JobEvent(
        EventKind.PROGRESS, uuid4(), "web", "général", JobState.RUNNING, "steps", 3, 8, preview
    )
    assert decode(encode(event)) == event


def test_unix_socket_url_is_converted_for_celery() -> None:
    assert broker_url("unix:///run/valkey.sock?db=3") == (
        "redis+socket:///run/valkey.sock?virtual_host=3"
    )
    assert broker_url("rediss://:pw@host:6380/1") == "rediss://:pw@host:6380/1"
