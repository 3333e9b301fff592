"""Who is in flight: priority, the bound, giving way, and no starvation."""

from __future__ import annotations

from imaging.engine.servers.request_queue import MOST_DROPS, PASSES, RequestQueue
from imaging.request import Priority

FREE, PAID = Priority.NORMAL, Priority.EXPRESS


def enqueue(queue: RequestQueue[str], *items: tuple[str, Priority]) -> None:
    for name, priority in items:
        queue.add(queue.new(name, priority))


def started(queue: RequestQueue[str]) -> list[str]:
    """The requests that may be sent now, in order."""
    names = []
    while (queued := queue.start()) is not None:
        names.append(queued.item)
    return names


def test_priority_then_arrival_decides() -> None:
    queue: RequestQueue[str] = RequestQueue(4)
    enqueue(queue, ("a", FREE), ("b", Priority.RELAXED), ("c", PAID), ("d", PAID))
    assert started(queue) == ["c", "d", "a", "b"]


def test_bound_holds_until_one_ends() -> None:
    queue: RequestQueue[str] = RequestQueue(1)
    enqueue(queue, ("a", FREE), ("b", FREE))
    first = queue.start()
    assert first is not None
    assert queue.start() is None
    queue.end(first)
    assert started(queue) == ["b"]


def test_least_pressing_gives_way_to_a_more_pressing_class_only() -> None:
    queue: RequestQueue[str] = RequestQueue(2, restarts=True)
    enqueue(queue, ("a", FREE), ("b", Priority.RELAXED))
    assert started(queue) == ["a", "b"]
    enqueue(queue, ("c", Priority.RELAXED))
    assert queue.victim() is None
    enqueue(queue, ("d", PAID), ("e", PAID))
    victim = queue.victim()
    assert victim is not None
    assert victim.item == "b"
    assert queue.victim() is None  # one place at a time
    queue.end(victim)
    assert started(queue) == ["d"]


def test_request_gives_way_a_bounded_number_of_times() -> None:
    queue: RequestQueue[str] = RequestQueue(1, restarts=True)
    free = queue.new("free", FREE)
    queue.add(free)
    for _ in range(MOST_DROPS):
        assert queue.start() is free
        enqueue(queue, ("paid", PAID))
        assert queue.victim() is free
        queue.end(free)
        queue.add(free)
        paid = queue.start()
        assert paid is not None
        queue.end(paid)
    assert queue.start() is free
    enqueue(queue, ("paid", PAID))
    assert queue.victim() is None


def test_endless_paid_work_does_not_starve_free_work() -> None:
    queue: RequestQueue[str] = RequestQueue(1)
    enqueue(queue, ("free", FREE))
    order = []
    for _ in range(2 * PASSES):
        enqueue(queue, ("paid", PAID))
        queued = queue.start()
        assert queued is not None
        order.append(queued.item)
        queue.end(queued)
    assert order.index("free") == PASSES


def test_removed_turn_is_not_started() -> None:
    queue: RequestQueue[str] = RequestQueue(1)
    queued = queue.new("a", FREE)
    queue.add(queued)
    assert queue.waiting(FREE) == 1
    assert queue.remove(queued)
    assert queue.start() is None
    assert not queue.remove(queued)
