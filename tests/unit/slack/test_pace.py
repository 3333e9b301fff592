"""Rate tiers are kept whatever the order of calls."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.slack.app import SHARE as BOT
from bots.slack.courier import SHARE as WORKER
from bots.slack.pace import BOT_ALONE, BOT_MOST, PER_MINUTE, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.lists(st.tuples(st.sampled_from(sorted(PER_MINUTE)), st.floats(0, 5)), max_size=300),
    st.floats(0.1, 1.0),
)
def test_no_minute_ever_holds_more_than_the_tier(
    calls: list[tuple[str, float]], share: float
) -> None:
    clock, made = Clock(), dict[str, list[float]]()
    pace = Pace(share, clock)
    for method, later in calls:
        clock.now += later
        clock.now += pace.wait(method, "T1")
        pace.count(method, "T1")
        made.setdefault(method, []).append(clock.now)
    for method, times in made.items():
        for at in times:
            within = [t for t in times if at - 60.0 < t <= at]
            ours = max(share, 0.9 if method in BOT_ALONE else 0.0)
            ours = 1.0 - share if method in BOT_MOST else ours
            assert len(within) <= max(1, int(PER_MINUTE[method] * ours))


def test_a_bot_and_a_worker_together_keep_within_every_tier() -> None:
    paces = [Pace(share, Clock()) for share in (BOT, WORKER)]
    for method in set(PER_MINUTE) - BOT_ALONE:
        calls = 0
        for pace in paces:
            while pace.wait(method, "T1") == 0:
                pace.count(method, "T1")
                calls += 1
        assert calls <= PER_MINUTE[method]


def test_a_channel_gets_one_message_a_second_but_others_are_free() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(30):
        clock.now += pace.wait("chat.postMessage", "T1:C1")
        pace.count("chat.postMessage", "T1:C1")
    assert clock.now >= 30
    assert pace.wait("chat.postMessage", "T1:C2") == 0


def test_what_can_wait_leaves_room_for_what_cannot() -> None:
    pace = Pace(1.0, Clock())
    for _ in range(25):
        pace.count("chat.update", "T1")
    assert pace.wait("chat.update", "T1", reserve=0.5) > 0
    assert pace.wait("chat.update", "T1") == 0


def test_retry_after_closes_the_method_for_that_workspace_alone() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.close("chat.update", "T1", 17)
    assert pace.wait("chat.update", "T1") == 17
    assert pace.wait("chat.update", "T2") == 0
    clock.now = 17
    assert pace.wait("chat.update", "T1") == 0
