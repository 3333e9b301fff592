import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from imaging.engine.step_scheduler import StepScheduler
from imaging.request import Priority

priorities = st.sampled_from(list(Priority))


class Waiting(RuleBasedStateMachine):
    """The scheduler beside a plain list that is sorted anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler: StepScheduler[int] = StepScheduler()
        self.model: list[tuple[Priority, int, int]] = []
        self.made = 0

    @rule(priority=priorities)
    def add(self, priority: Priority) -> None:
        self.made += 1
        self.scheduler.add(self.made, priority)
        self.model.append((priority, self.made, self.made))

    @rule()
    def next(self) -> None:
        self.model.sort()
        wanted = self.model.pop(0)[2] if self.model else None
        assert self.scheduler.next() == wanted

    @rule(item=st.integers(1, 40))
    def remove(self, item: int) -> None:
        there = [entry for entry in self.model if entry[2] == item]
        assert self.scheduler.remove(item) == bool(there)
        self.model = [entry for entry in self.model if entry[2] != item]

    @invariant()
    def same_order(self) -> None:
        wanted = [item for _, _, item in sorted(self.model)]
        assert list(self.scheduler) == wanted
        assert len(self.scheduler) == len(wanted)
        for place, item in enumerate(wanted):
            assert self.scheduler.position(item) == place
        for priority in Priority:
            assert self.scheduler.count(priority) == sum(p is priority for p, _, _ in self.model)


TestWaiting = Waiting.TestCase


@given(st.permutations(range(6)))
def test_the_place_is_that_of_arrival_not_of_readiness(ready: list[int]) -> None:
    scheduler: StepScheduler[int] = StepScheduler()
    arrivals = [scheduler.arrive() for _ in range(6)]
    for item in ready:
        scheduler.add(item, Priority.NORMAL, arrivals[item])
    assert [scheduler.next() for _ in range(6)] == list(range(6))


def test_nobody_waits_twice() -> None:
    scheduler: StepScheduler[str] = StepScheduler()
    scheduler.add("a", Priority.NORMAL)
    with pytest.raises(ValueError, match="already"):
        scheduler.add("a", Priority.EXPRESS)
