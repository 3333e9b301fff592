"""The batch executor: which calls share a batch, and which get an error."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Event
from typing import cast

import pytest
from sqlalchemy.exc import OperationalError

from tasks.store import batch_executor
from tasks.store.batch_executor import BatchExecutor
from tests.records import assert_records_are_immutable

PATIENCE = 10.0


class BlockingWork:
    """Work that blocks until `go` is set, and records its batches."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.started, self.go = Event(), Event()

    def work(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        self.started.set()
        assert self.go.wait(PATIENCE)
        if 13 in items:
            raise ValueError("13 is unlucky")
        return [2 * item for item in items]


def test_single_call_is_not_delayed() -> None:
    execute = BatchExecutor[int, int](lambda items: [-item for item in items])
    assert [execute(1), execute(2)] == [-1, -2]


def test_calls_during_a_call_share_the_next_one() -> None:
    blocking = BlockingWork()
    execute = BatchExecutor[int, int](blocking.work, most=3)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(execute, 1)
        assert blocking.started.wait(PATIENCE)
        others = [execute.submit(item, threads) for item in (2, 3, 4, 5)]
        blocking.go.set()
        assert [one.result(PATIENCE) for one in (first, *others)] == [2, 4, 6, 8, 10]
    assert blocking.calls == [[1], [2, 3, 4], [5]]


def test_error_of_one_item_fails_only_that_item() -> None:
    blocking = BlockingWork()
    execute = BatchExecutor[int, int](blocking.work)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(execute, 1)
        assert blocking.started.wait(PATIENCE)
        unlucky, other = execute.submit(13, threads), execute.submit(4, threads)
        blocking.go.set()
        assert first.result(PATIENCE) == 2
        assert other.result(PATIENCE) == 8
        with pytest.raises(ValueError, match="unlucky"):
            unlucky.result(PATIENCE)


def test_lost_server_is_tried_once_per_batch() -> None:
    calls: list[Sequence[int]] = []
    started, go = Event(), Event()

    def unreachable(items: Sequence[int]) -> list[int]:
        calls.append(items)
        started.set()
        assert go.wait(PATIENCE)
        raise OperationalError("SELECT 1", None, Exception("no server"))

    execute = BatchExecutor[int, int](unreachable)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(execute, 1)
        assert started.wait(PATIENCE)
        others = [execute.submit(item, threads) for item in (2, 3)]
        go.set()
        for one in (first, *others):
            with pytest.raises(OperationalError):
                one.result(PATIENCE)
    assert calls == [[1], [2, 3]]


def test_killed_thread_leaves_no_future_pending() -> None:
    started, go = Event(), Event()

    def ended(items: Sequence[int]) -> list[int]:
        started.set()
        assert go.wait(PATIENCE)
        if 13 in items:
            raise SystemExit
        return list(items)

    execute = BatchExecutor[int, int](ended)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(execute, 1)
        assert started.wait(PATIENCE)
        others = [execute.submit(item, threads) for item in (13, 4)]
        go.set()
        assert first.result(PATIENCE) == 1
        assert [type(one.exception(PATIENCE)) for one in others] == [SystemExit, SystemExit]


def test_records_have_slots() -> None:
    assert_records_are_immutable(batch_executor, mutable=(BatchExecutor,))


def test_work_and_the_most_are_all_that_is_given() -> None:
    assert list(inspect.signature(BatchExecutor).parameters) == ["work", "most"]


def negated(items: Sequence[int]) -> list[int]:
    return [-item for item in items]


class Threads:
    """Runs nothing until it is told to, in this thread."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def submit(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def run(self) -> None:
        for call in self.calls:
            call()
        self.calls.clear()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds."""
    made: list[float] = []
    monkeypatch.setattr("tasks.store.batch_executor.time.sleep", made.append)
    return made


def submit(execute: BatchExecutor[int, int], threads: Threads, items: Sequence[int]) -> list[int]:
    """The results of items that wait together."""
    futures = [execute.submit(item, cast(Executor, threads)) for item in items]
    threads.run()
    return [future.result(PATIENCE) for future in futures]


def test_items_share_a_call_up_to_the_most() -> None:
    calls: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        return negated(items)

    threads = Threads()
    assert submit(BatchExecutor(work, most=2), threads, (1, 2, 3)) == [-1, -2, -3]
    assert calls == [[1, 2], [3]]
    calls.clear()
    assert submit(BatchExecutor(work), threads, range(40)) == [-item for item in range(40)]
    assert [len(call) for call in calls] == [32, 8]


def test_only_calls_after_a_shared_one_gather_for_a_moment(pauses: list[float]) -> None:
    threads = Threads()
    execute = BatchExecutor[int, int](negated)
    submit(execute, threads, (1,))
    submit(execute, threads, (1,))
    assert pauses == []
    submit(execute, threads, (1, 2))
    assert pauses == []
    submit(execute, threads, (3,))
    assert pauses == [0.0005]
    submit(execute, threads, (4,))
    assert pauses == [0.0005]


def test_item_that_another_thread_served_is_not_served_again() -> None:
    """The second call finds nothing to do."""
    calls: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        return negated(items)

    assert submit(BatchExecutor(work), Threads(), (1, 2)) == [-1, -2]
    assert calls == [[1, 2]]


@pytest.mark.parametrize("missing", [1, 2])
def test_work_with_too_few_results_is_an_error_of_each_item(missing: int) -> None:
    threads = Threads()
    execute = BatchExecutor[int, int](lambda items: negated(items)[missing:])
    futures = [execute.submit(item, cast(Executor, threads)) for item in (1, 2)]
    threads.run()
    for future in futures:
        assert isinstance(future.exception(PATIENCE), ValueError)


def test_single_item_that_fails_is_not_tried_again() -> None:
    calls = 0

    def work(_items: Sequence[int]) -> list[int]:
        nonlocal calls
        calls += 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        BatchExecutor[int, int](work)(1)
    assert calls == 1
