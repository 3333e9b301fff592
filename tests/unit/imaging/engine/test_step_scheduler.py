"""Properties of the step scheduler on a virtual clock."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.engine import step_scheduler
from imaging.engine.step_scheduler import PATIENCE, WEIGHTS, Arrival, StepScheduler
from imaging.request import Priority
from tests.records import assert_records_are_immutable

PRIORITIES = st.sampled_from(list(Priority))
UNITS = st.lists(st.floats(0.01, 2.0), min_size=1, max_size=6)


@dataclass(eq=False)
class Request:
    """A request that arrives at `at` and consists of units of the given seconds."""

    number: int
    priority: Priority
    at: float
    units: list[float]
    done: list[float] = field(default_factory=list)  # when each unit ended

    @property
    def seconds(self) -> float:
        return sum(self.units)


@dataclass(frozen=True)
class Unit:
    request: Request
    index: int
    began: float
    ended: float


def requests() -> st.SearchStrategy[list[Request]]:
    one = st.tuples(PRIORITIES, st.floats(0, 10), UNITS)
    return st.lists(one, min_size=1, max_size=12).map(
        lambda values: [Request(k, *value) for k, value in enumerate(values)]
    )


def run(workload: list[Request]) -> Iterator[Unit]:
    """Simulate one device; yields the units in the order in which they ran."""
    scheduler: StepScheduler[Request] = StepScheduler()
    coming = sorted(workload, key=lambda request: (request.at, request.number))
    now = 0.0
    while coming or len(scheduler):
        while coming and coming[0].at <= now:
            one = coming.pop(0)
            arrival = Arrival(one.at, one.number)
            scheduler.add(one, one.priority, arrival, seconds=one.seconds)
        selected = scheduler.select()
        if selected is None:
            assert not len(scheduler), "idle although a request waits"
            now = coming[0].at
            continue
        index = len(selected.done)
        assert scheduler.begin(selected) == (index == 0)
        began, now = now, now + selected.units[index]
        selected.done.append(now)
        scheduler.charge(selected, selected.units[index])
        if len(selected.done) == len(selected.units):
            assert scheduler.remove(selected)
        yield Unit(selected, index, began, now)


@given(requests())
def test_every_unit_runs_exactly_once_and_in_order(workload: list[Request]) -> None:
    units = list(run(workload))
    for request in workload:
        ran = [unit.index for unit in units if unit.request is request]
        assert ran == list(range(len(request.units)))


@given(requests())
def test_device_is_busy_while_a_request_waits(workload: list[Request]) -> None:
    """The end of the last unit is that of any work-conserving order."""
    units = list(run(workload))
    expected = 0.0
    for request in sorted(workload, key=lambda one: one.at):
        expected = max(expected, request.at) + request.seconds
    assert units[-1].ended == pytest.approx(expected)
    assert all(one.ended <= other.began + 1e-9 for one, other in pairwise(units))


@given(st.floats(0, 5), UNITS, st.sampled_from([Priority.NORMAL, Priority.RELAXED]))
def test_first_urgent_request_waits_for_one_unit_at_most(
    at: float, units: list[float], priority: Priority
) -> None:
    long = Request(0, priority, 0.0, [1.0] * 20)
    urgent = Request(1, Priority.EXPRESS, at, units)
    first = next(unit for unit in run([long, urgent]) if unit.request is urgent)
    assert first.began - at <= 1.0 + 1e-9


@pytest.mark.parametrize("priority", [Priority.NORMAL, Priority.RELAXED])
def test_backlogged_urgent_class_leaves_others_their_share(priority: Priority) -> None:
    """A flood of paid requests slows free work down to its share, and no further."""
    flood = [Request(k, Priority.EXPRESS, 0.0, [0.1] * 50) for k in range(100)]
    slow = Request(1000, priority, 0.0, [0.1] * 20)
    share = WEIGHTS[priority] / (WEIGHTS[priority] + WEIGHTS[Priority.EXPRESS])
    units = list(run([*flood, slow]))
    ran = [unit for unit in units if unit.request is slow]
    for count, unit in enumerate(ran, start=1):
        assert unit.ended <= (0.1 * count) / share + 0.2


@given(st.lists(st.integers(0, 30).map(lambda k: k / 10), min_size=2, max_size=8), PRIORITIES)
def test_equal_requests_are_served_in_order_of_arrival(
    times: list[float], priority: Priority
) -> None:
    workload = [Request(k, priority, at, [0.5, 0.5]) for k, at in enumerate(times)]
    for _ in run(workload):
        pass
    by_end = sorted(workload, key=lambda request: request.done[-1])
    by_arrival = sorted(workload, key=lambda request: (request.at, request.number))
    assert by_end == by_arrival


def test_short_request_overtakes_a_long_one_of_its_class() -> None:
    long = Request(0, Priority.NORMAL, 0.0, [1.0] * 30)
    short = Request(1, Priority.NORMAL, 2.5, [1.0])
    for _ in run([long, short]):
        pass
    assert short.done == [4.0]
    assert long.done[-1] == 31.0


@given(requests())
def test_overtaking_within_a_class_is_bounded(workload: list[Request]) -> None:
    """A request is not overtaken by those that arrive after its own patience is spent."""
    units = list(run(workload))
    for unit in units:
        for other in workload:
            waits = other.at <= unit.began and other.done[-1] > unit.ended
            if waits and other.priority is unit.request.priority:
                assert unit.request.at <= other.at + PATIENCE * other.seconds + 1e-9


@given(st.permutations(range(6)))
def test_order_is_by_arrival_not_by_readiness(ready: list[int]) -> None:
    scheduler: StepScheduler[int] = StepScheduler()
    for item in ready:
        scheduler.add(item, Priority.NORMAL, Arrival(float(item), item))
    order = []
    while (selected := scheduler.select()) is not None:
        order.append(selected)
        scheduler.remove(selected)
    assert order == list(range(6))


def test_duplicate_item_is_rejected() -> None:
    scheduler: StepScheduler[str] = StepScheduler()
    scheduler.add("a", Priority.NORMAL, Arrival(0, 0))
    with pytest.raises(ValueError, match="already"):
        scheduler.add("a", Priority.EXPRESS, Arrival(0, 1))


# -- batches ------------------------------------------------------------------------------------


def scheduled(limit: int, *groups: str, priority: Priority = Priority.NORMAL) -> StepScheduler[int]:
    """Requests 0, 1, … of the given groups, none of which has begun."""
    scheduler: StepScheduler[int] = StepScheduler(limits=dict.fromkeys(groups, limit))
    for number, group in enumerate(groups):
        scheduler.add(number, priority, Arrival(float(number), number), group=group)
    return scheduler


def test_requests_of_one_group_begin_before_the_first_call() -> None:
    scheduler = scheduled(3, "a", "b", "a", "a", "a")
    begun = []
    for _ in range(3):
        item = scheduler.select()
        assert item is not None
        assert scheduler.begin(item)
        scheduler.await_batch(item, "key")
        begun.append(item)
    assert begun == [0, 2, 3]  # the limit of three is reached, and the other group waits
    assert scheduler.select() == 0
    assert scheduler.take_batch(0) == (0, 2, 3)


def test_members_of_a_batch_continue_before_the_next_call() -> None:
    scheduler = scheduled(2, "a", "a")
    for item in (0, 1):
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    assert scheduler.take_batch(0) == (0, 1)
    scheduler.await_batch(0, "key")
    assert scheduler.select() == 1
    scheduler.resume(1)
    scheduler.await_batch(1, "key")
    assert scheduler.select() == 0
    assert scheduler.take_batch(0) == (0, 1)


def test_calls_with_different_keys_or_classes_do_not_share_a_batch() -> None:
    scheduler: StepScheduler[int] = StepScheduler(limits={"a": 8})
    for number, (priority, key) in enumerate(
        [
            (Priority.NORMAL, "x"),
            (Priority.NORMAL, "y"),
            (Priority.EXPRESS, "x"),
            (Priority.NORMAL, "x"),
            (Priority.RELAXED, "x"),
        ]
    ):
        scheduler.add(number, priority, Arrival(0.0, number), group="a")
        scheduler.begin(number)
        scheduler.await_batch(number, key)
    assert scheduler.take_batch(0) == (0, 3)
    assert scheduler.take_batch(2) == (2,)
    assert scheduler.take_batch(1) == (1,)
    assert scheduler.take_batch(4) == (4,)


def test_group_without_limit_runs_alone() -> None:
    scheduler: StepScheduler[int] = StepScheduler()
    for number in range(2):
        scheduler.add(number, Priority.NORMAL, Arrival(0.0, number), group="a")
        scheduler.begin(number)
        scheduler.await_batch(number, "key")
    assert scheduler.take_batch(0) == (0,)


# -- classes, by hand ---------------------------------------------------------------------------

EXPRESS, NORMAL, RELAXED = Priority.EXPRESS, Priority.NORMAL, Priority.RELAXED


def test_records_are_immutable() -> None:
    assert_records_are_immutable(step_scheduler, mutable=(step_scheduler._Entry,))


def with_items(*items: tuple[str, Priority]) -> StepScheduler[str]:
    """Requests that arrived in this order and need a long time."""
    scheduler: StepScheduler[str] = StepScheduler()
    for number, (item, priority) in enumerate(items):
        scheduler.add(item, priority, Arrival(0.0, number), seconds=1000.0)
    return scheduler


def units(scheduler: StepScheduler[str], count: int, seconds: float = 1.0) -> str:
    """The requests whose units run next, each for so many seconds."""
    served = ""
    for _ in range(count):
        item = scheduler.select()
        assert item is not None
        scheduler.begin(item)
        scheduler.charge(item, seconds)
        served += item
    return served


def test_classes_share_eight_to_one_to_a_tenth() -> None:
    """Of 91 seconds, 80 are for paid requests, 10 for free ones and 1 for relaxed ones."""
    scheduler = with_items(("e", EXPRESS), ("n", NORMAL), ("r", RELAXED))
    served = units(scheduler, 91)
    assert (served.count("e"), served.count("n"), served.count("r")) == (80, 10, 1)
    assert served.startswith("e" * 8 + "n")


def test_class_that_becomes_active_is_served_at_once_and_is_owed_nothing() -> None:
    scheduler = with_items(("n", NORMAL))
    assert units(scheduler, 10) == "n" * 10
    scheduler.add("e", EXPRESS, Arrival(10.0, 1), seconds=1000.0)
    assert units(scheduler, 18) == "eeeeeeeen" * 2


def test_second_request_of_a_class_does_not_take_its_share_away() -> None:
    """NORMAL had 5 s while EXPRESS, owed 40 s, had none: it keeps its claim to 48 s before 6."""
    scheduler = with_items(("e", EXPRESS), ("n", NORMAL))
    for _ in range(5):
        scheduler.charge("n", 1.0)
    scheduler.add("f", EXPRESS, Arrival(0.0, 2), seconds=1000.0)
    served = units(scheduler, 49)
    assert served.index("n") == 48


def test_class_with_a_longer_past_does_not_fall_back() -> None:
    """A class that comes back keeps its tag if that is above the virtual time."""
    scheduler = with_items(("e", EXPRESS), ("n", NORMAL))
    scheduler.charge("n", 4.0)
    scheduler.remove("n")
    scheduler.add("n", NORMAL, Arrival(0.0, 3), seconds=1000.0)
    assert units(scheduler, 40, 1.0).count("n") <= 1


def test_class_that_becomes_active_starts_where_the_furthest_class_is() -> None:
    """After 16 units of EXPRESS and 2 of NORMAL both are at 2, and RELAXED's first ends at 12."""
    scheduler = with_items(("e", EXPRESS), ("n", NORMAL))
    units(scheduler, 18)
    scheduler.add("r", RELAXED, Arrival(0.0, 2), seconds=1000.0)
    assert units(scheduler, 91).index("r") == 90


def test_tie_of_classes_is_for_the_more_urgent() -> None:
    scheduler: StepScheduler[str] = StepScheduler(weights=dict.fromkeys(Priority, 1.0))
    for number, (item, priority) in enumerate((("r", RELAXED), ("n", NORMAL), ("e", EXPRESS))):
        scheduler.add(item, priority, Arrival(0.0, number), seconds=9.0)
    assert units(scheduler, 6) == "enrenr"


def test_weights_are_those_that_were_given() -> None:
    scheduler: StepScheduler[str] = StepScheduler(weights={EXPRESS: 2.0, NORMAL: 1.0, RELAXED: 1.0})
    scheduler.add("e", EXPRESS, Arrival(0.0, 0), seconds=99.0)
    scheduler.add("n", NORMAL, Arrival(0.0, 1), seconds=99.0)
    assert units(scheduler, 6) == "eeneen"


# -- within a class -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "first"), [(79.0, "short"), (79.1, "short"), (79.3, "long"), (90.0, "long")]
)
def test_request_is_overtaken_for_eight_seconds_a_second_of_its_own(at: float, first: str) -> None:
    """One of 10 s is due at 80; one of 0.1 s that arrives at `at` is due 0.8 s later."""
    scheduler: StepScheduler[str] = StepScheduler()
    scheduler.add("long", NORMAL, Arrival(0.0, 0), seconds=10.0)
    scheduler.add("short", NORMAL, Arrival(at, 1), seconds=0.1)
    assert scheduler.select() == first


def due(scheduler: StepScheduler[str], item: str) -> float:
    """When a request alone in its class is due, to a tenth of a second."""
    for tenth in range(1000):
        scheduler.add("probe", NORMAL, Arrival(tenth / 10, 99), seconds=0.0)
        first = scheduler.select()
        scheduler.remove("probe")
        if first == item:
            return tenth / 10
    raise AssertionError("never due")


def test_remaining_time_shrinks_with_each_unit_down_to_nothing() -> None:
    scheduler: StepScheduler[str] = StepScheduler()
    scheduler.add("a", NORMAL, Arrival(10.0, 0), seconds=2.0)
    assert due(scheduler, "a") == 26.0
    scheduler.charge("a", 0.5)
    assert due(scheduler, "a") == 22.0
    scheduler.charge("a", 5.0)
    assert due(scheduler, "a") == 10.0


@pytest.mark.parametrize(
    ("charged", "remaining"),
    [
        ((), 1.0),  # nothing is known
        ((2.0,), 2.0),
        ((2.0, 3.0), 3.0),
        ((2.0, 0.1), 1.8),  # nine tenths of the longest
        ((2.0, 0.1, 0.1), 1.62),
        ((0.25,), 0.25),
    ],
)
def test_request_without_an_estimate_needs_one_unit(
    charged: tuple[float, ...], remaining: float
) -> None:
    scheduler: StepScheduler[str] = StepScheduler()
    scheduler.add("other", NORMAL, Arrival(500.0, 0), seconds=900.0)
    for seconds in charged:
        scheduler.charge("other", seconds)
    scheduler.add("a", NORMAL, Arrival(0.0, 1))
    assert due(scheduler, "a") == pytest.approx(8 * remaining, abs=0.1)


def test_estimate_of_nothing_is_an_estimate() -> None:
    scheduler: StepScheduler[str] = StepScheduler()
    scheduler.add("a", NORMAL, Arrival(3.0, 0), seconds=0.0)
    assert due(scheduler, "a") == 3.0


def test_unknown_request_is_not_charged() -> None:
    scheduler = with_items(("n", NORMAL))
    scheduler.charge("gone", 5.0)
    assert units(scheduler, 1) == "n"


def test_scheduled_requests_are_listed_and_counted() -> None:
    scheduler = with_items(("a", NORMAL), ("b", NORMAL), ("c", EXPRESS))
    assert (len(scheduler), list(scheduler)) == (3, ["a", "b", "c"])
    assert "a" in scheduler
    assert "z" not in scheduler
    assert [scheduler.waiting(one) for one in (EXPRESS, NORMAL, RELAXED)] == [1, 2, 0]
    assert scheduler.begin("a") is True
    assert scheduler.begin("a") is False
    assert [scheduler.waiting(one) for one in (EXPRESS, NORMAL, RELAXED)] == [1, 1, 0]
    assert scheduler.remove("a") is True
    assert scheduler.remove("a") is False
    assert [scheduler.waiting(one) for one in (EXPRESS, NORMAL, RELAXED)] == [1, 1, 0]
    for item in "bc":
        for other in list(scheduler):  # removing while one iterates is allowed
            if other == item:
                scheduler.remove(other)
    assert scheduler.select() is None
    assert len(scheduler) == 0


# -- batches, by hand ---------------------------------------------------------------------------


def test_batch_begins_with_its_own_request_and_goes_on_in_order() -> None:
    scheduler = scheduled(3, "a", "a", "a", "a")
    for item in range(4):
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    assert scheduler.take_batch(2) == (2, 0, 1)
    assert scheduler.take_batch(2) == (2,)  # it waits for no call now
    assert scheduler.take_batch(3) == (3,)


@pytest.mark.parametrize(("limit", "batch"), [(0, (0,)), (-1, (0,)), (1, (0,)), (2, (0, 1))])
def test_batch_is_one_request_at_least(limit: int, batch: tuple[int, ...]) -> None:
    scheduler = scheduled(limit, "a", "a", "a")
    for item in range(3):
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    assert scheduler.take_batch(0) == batch


def test_request_without_a_group_is_not_batched() -> None:
    scheduler: StepScheduler[int] = StepScheduler(limits={None: 8})
    for number in range(2):
        scheduler.add(number, NORMAL, Arrival(0.0, number))
        scheduler.begin(number)
        scheduler.await_batch(number, "key")
    assert scheduler.take_batch(0) == (0,)


def test_unused_output_goes_before_an_earlier_arrival() -> None:
    scheduler = scheduled(2, "a", "a", "a")
    for item in (1, 2):
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    assert scheduler.take_batch(1) == (1, 2)
    assert scheduler.select() == 2  # has an output; 0 arrived before it
    scheduler.resume(2)
    assert scheduler.select() == 0


def test_waiting_for_the_next_call_uses_up_the_output() -> None:
    scheduler = scheduled(2, "a", "a")
    for item in (0, 1):
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    scheduler.take_batch(0)
    scheduler.await_batch(1, "other")
    assert scheduler.select() == 0


@pytest.mark.parametrize(
    ("priority", "group", "joins"),
    [
        (NORMAL, "a", True),
        (EXPRESS, "a", False),
        (RELAXED, "a", False),
        (NORMAL, "b", False),
        (NORMAL, "A", False),
        (NORMAL, None, False),
    ],
)
def test_only_requests_of_the_same_class_and_group_begin_before_a_call(
    priority: Priority, group: str | None, joins: bool
) -> None:
    scheduler: StepScheduler[int] = StepScheduler(
        weights=dict.fromkeys(Priority, 1.0), limits={"a": 4, "b": 4, "A": 4}
    )
    scheduler.add(0, NORMAL, Arrival(0.0, 0), seconds=1.0, group="a")
    scheduler.begin(0)
    scheduler.await_batch(0, "key")
    if priority is EXPRESS:
        scheduler.charge(0, -5.0)  # so that NORMAL is next
    scheduler.add(1, priority, Arrival(5.0, 1), seconds=50.0, group=group)
    assert scheduler.select() == (1 if joins else 0)


def test_nobody_joins_a_batch_above_a_limit_that_has_shrunk() -> None:
    """As after a batch that did not fit into memory."""
    limits: dict[Hashable, int] = {"a": 4}
    scheduler: StepScheduler[int] = StepScheduler(limits=limits)
    for item in range(5):
        scheduler.add(item, NORMAL, Arrival(float(item), item), group="a")
    for item in range(3):
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    assert scheduler.select() == 3
    limits["a"] = 2
    assert scheduler.select() == 0
    assert scheduler.take_batch(0) == (0, 1)


def test_calls_of_equal_keys_share_a_batch() -> None:
    scheduler = scheduled(2, "a", "a")
    for item in (0, 1):
        scheduler.begin(item)
        scheduler.await_batch(item, tuple(iter(("unet", 64))))  # an object of its own
    assert scheduler.take_batch(0) == (0, 1)


def copy_of(values: tuple[object, ...]) -> tuple[object, ...]:
    """An equal tuple that is another object."""
    return tuple(iter(values))


def test_requests_of_equal_groups_join() -> None:
    group = ("unet", 64)
    scheduler: StepScheduler[int] = StepScheduler(limits={group: 2})
    for number in range(2):
        scheduler.add(number, NORMAL, Arrival(float(number), number), group=copy_of(group))
    scheduler.begin(0)
    scheduler.await_batch(0, "key")
    assert scheduler.select() == 1


@pytest.mark.parametrize("earlier", [0, 1])
@pytest.mark.parametrize("first", [0, 1])
def test_batch_of_an_equal_item_is_that_items(first: int, earlier: int) -> None:
    """It is first in the batch, and the only one whose output is not kept for later."""
    items = [("request", 0), ("request", 1)]
    scheduler: StepScheduler[tuple[object, ...]] = StepScheduler(limits={"a": 2})
    for number, item in enumerate(items):
        scheduler.add(item, NORMAL, Arrival(float(number != earlier), number), group="a")
        scheduler.begin(item)
        scheduler.await_batch(item, "key")
    other = items[1 - first]
    assert scheduler.take_batch(copy_of(items[first])) == (items[first], other)
    assert scheduler.select() == other


def test_request_that_has_begun_does_not_join() -> None:
    scheduler = scheduled(3, "a", "a", "a")
    for item in (0, 1):
        scheduler.begin(item)
    scheduler.await_batch(0, "key")
    assert scheduler.select() == 2
    scheduler.begin(2)
    assert scheduler.select() == 0


def test_request_that_waits_for_no_call_is_not_joined() -> None:
    scheduler = scheduled(3, "a", "a")
    scheduler.begin(0)
    assert scheduler.select() == 0


def test_first_of_those_that_may_join_begins() -> None:
    scheduler: StepScheduler[int] = StepScheduler(limits={"a": 4})
    for number, seconds in ((0, 1.0), (1, 90.0), (2, 10.0)):
        scheduler.add(number, NORMAL, Arrival(0.0, number), seconds=seconds, group="a")
    scheduler.begin(0)
    scheduler.await_batch(0, "key")
    assert scheduler.select() == 2


@pytest.mark.parametrize(
    ("priority", "group", "expected"),
    [
        (NORMAL, "a", True),
        (NORMAL, "b", True),  # another kind may make calls of an equal key
        (NORMAL, None, False),
        (EXPRESS, "a", False),
    ],
)
def test_peers_are_requests_of_the_class_that_can_share_calls(
    priority: Priority, group: str | None, expected: bool
) -> None:
    scheduler: StepScheduler[int] = StepScheduler(limits={"a": 4})
    scheduler.add(0, NORMAL, Arrival(0.0, 0), group="a")
    assert not scheduler.has_peers(0)
    scheduler.add(1, priority, Arrival(0.0, 1), group=group)
    assert scheduler.has_peers(0) is expected
    assert scheduler.has_peers(1) is expected
