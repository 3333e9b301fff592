"""A repeated drain request sends one signal: a second one would requeue running jobs."""

from __future__ import annotations

import os
import signal
from typing import Any
from unittest.mock import Mock

import pytest

from tasks.worker.worker import Worker


def worker(name: str) -> Worker:
    names = ("app", "database", "engine", "dispatcher", "renderer", "lease_loops", "models")
    parts: dict[str, Any] = {part: Mock() for part in names}
    return Worker(name=name, **parts)


def test_repeated_drain_request_sends_one_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    ours = worker("one")
    for name in ("two", "one", "one"):
        ours._drain_if_named(name)
    assert sent == [(os.getpid(), signal.SIGTERM)]
