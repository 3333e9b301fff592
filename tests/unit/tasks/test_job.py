"""States, events, names and places: small nouns and their rules."""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tasks.app import broker_url
from tasks.blobs import Blobs, picture_name, source_name
from tasks.bus import decode, encode
from tasks.identity import claim_identity
from tasks.job import ENDED, TRANSITIONS, EventKind, JobEvent, JobState
from tasks.slots import Slots
from tasks.store.transitions import ImpossibleTransition, check


def test_ended_states_are_those_with_no_way_out() -> None:
    assert {state for state, to in TRANSITIONS.items() if not to} == ENDED
    assert set(TRANSITIONS) == set(JobState)


def test_a_transition_that_the_table_does_not_have_is_a_mistake() -> None:
    assert check([JobState.QUEUED], JobState.RUNNING) == ["queued"]
    with pytest.raises(ImpossibleTransition, match="done → running"):
        check([JobState.QUEUED, JobState.DONE], JobState.RUNNING)


@pytest.mark.parametrize("preview", [None, b"\xff\xd8jpeg"])
def test_an_event_survives_the_wire(preview: bytes | None) -> None:
    event = JobEvent(
        EventKind.PROGRESS, uuid4(), "web", "général", JobState.RUNNING, "steps", 3, 8, preview
    )
    assert decode(encode(event)) == event


def test_a_unix_sockets_address_is_written_as_celery_reads_it() -> None:
    assert broker_url("unix:///run/valkey.sock?db=3") == (
        "redis+socket:///run/valkey.sock?virtual_host=3"
    )
    assert broker_url("rediss://:pw@host:6380/1") == "rediss://:pw@host:6380/1"


def test_the_last_free_places_are_for_express_work() -> None:
    slots = Slots(3, headroom=1)
    assert [slots.take() for _ in range(4)] == [[True], [True], [False], []]
    assert not slots.wait(patience=0)
    slots.release()
    assert slots.wait(patience=0)
    assert slots.take(5) == [False]
    slots.release(3)
    assert slots.take(5) == [True, True, False]
    assert slots.taken == 3


def test_a_worker_with_no_place_for_ordinary_work_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be kept free"):
        Slots(1, headroom=1)


def test_two_workers_of_a_home_have_two_names_and_a_restart_the_same(tmp_path: Path) -> None:
    first, second = claim_identity(tmp_path), claim_identity(tmp_path)
    assert first.name != second.name
    first.release()
    again = claim_identity(tmp_path)
    assert again.name == first.name
    with (tmp_path / "run" / "worker-1.lock").open("w") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    again.release()
    second.release()


def test_blobs(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path.as_uri())
    name = picture_name(uuid4(), uuid4(), 0, "image/png")
    blobs.put(name, b"one")
    blobs.put(name, b"two")
    assert blobs.get(name) == b"two"
    future = datetime.now(UTC) + timedelta(hours=1)
    assert list(blobs.older_than("pictures", future)) == [name]
    assert list(blobs.older_than("pictures", future - timedelta(hours=2))) == []
    blobs.delete(name)
    blobs.delete(name)
    with pytest.raises(FileNotFoundError):
        blobs.get(name)


def test_the_same_upload_is_kept_once() -> None:
    assert source_name(b"a") == source_name(b"a") != source_name(b"b")


@pytest.mark.parametrize("name", ["../secret", "pictures/../../secret", "/etc/passwd"])
def test_a_blobs_name_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("key")
    with pytest.raises(FileNotFoundError):
        Blobs((tmp_path / "blobs").as_uri()).get(name)
