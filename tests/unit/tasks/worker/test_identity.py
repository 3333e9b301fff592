"""A worker's name: unique while it lives, and the same after a restart."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tasks.worker.identity import claim_identity


def test_worker_name_is_unique_and_reused_after_restart(tmp_path: Path) -> None:
    first, second = claim_identity(tmp_path), claim_identity(tmp_path)
    assert first.name != second.name
    first.release()
    again = claim_identity(tmp_path)
    assert again.name == first.name
    with (tmp_path / "run" / "worker-1.lock").open("w") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    again.release()
    second.release()
