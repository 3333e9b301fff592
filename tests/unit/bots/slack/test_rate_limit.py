"""Rate limits hold for every sequence of calls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack import rate_limit
from bots.slack.app import RATE_SHARE as BOT
from bots.slack.publisher import RATE_SHARE as WORKER
from bots.slack.rate_limit import BOT_ONLY, MOSTLY_BOT, PER_MINUTE, RateLimiter
from tests.records import assert_records_are_immutable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(PER_MINUTE)), st.floats(0, 5)), max_size=300),
    st.floats(0.1, 1.0),
)
def test_no_minute_exceeds_the_limit(calls: list[tuple[str, float]], share: float) -> None:
    clock, made = Clock(), dict[str, list[float]]()
    limiter = RateLimiter(share, clock)
    for method, later in calls:
        clock.now += later
        clock.now += limiter.wait(method, "T1")
        limiter.record_call(method, "T1")
        made.setdefault(method, []).append(clock.now)
    for method, times in made.items():
        for at in times:
            within = [t for t in times if at - 60.0 < t <= at]
            ours = max(share, 0.9 if method in BOT_ONLY else 0.0)
            ours = 1.0 - share if method in MOSTLY_BOT else ours
            assert len(within) <= max(1, int(PER_MINUTE[method] * ours))


def test_bot_and_worker_together_stay_within_every_limit() -> None:
    limiters = [RateLimiter(share, Clock()) for share in (BOT, WORKER)]
    for method in set(PER_MINUTE) - BOT_ONLY:
        calls = 0
        for limiter in limiters:
            while limiter.wait(method, "T1") == 0:
                limiter.record_call(method, "T1")
                calls += 1
        assert calls <= PER_MINUTE[method]


def test_message_limit_applies_per_channel() -> None:
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    for _ in range(30):
        clock.now += limiter.wait("chat.postMessage", "T1:C1")
        limiter.record_call("chat.postMessage", "T1:C1")
    assert clock.now >= 30
    assert limiter.wait("chat.postMessage", "T1:C2") == 0


def test_reserve_is_kept_for_important_calls() -> None:
    limiter = RateLimiter(1.0, Clock())
    for _ in range(25):
        limiter.record_call("chat.update", "T1")
    assert limiter.wait("chat.update", "T1", reserve=0.5) > 0
    assert limiter.wait("chat.update", "T1") == 0


def test_retry_after_blocks_the_method_in_that_workspace_only() -> None:
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    limiter.block("chat.update", "T1", 17)
    assert limiter.wait("chat.update", "T1") == 17
    assert limiter.wait("chat.update", "T2") == 0
    clock.now = 17
    assert limiter.wait("chat.update", "T1") == 0


def test_records_have_slots() -> None:
    assert_records_are_immutable(rate_limit, mutable=(RateLimiter,))


def calls_at_once(limiter: RateLimiter, method: str, reserve: float = 0.0) -> int:
    """How many calls are allowed before the clock moves."""
    count = 0
    while limiter.wait(method, "T1", reserve) == 0:
        limiter.record_call(method, "T1")
        count += 1
    return count


@pytest.mark.parametrize(
    ("method", "calls"),
    [
        # Slack's published calls a minute.
        ("chat.update", 50),
        ("chat.delete", 50),
        ("chat.postEphemeral", 100),
        ("conversations.replies", 50),
        ("conversations.history", 50),
        ("files.getUploadURLExternal", 100),
        ("files.completeUploadExternal", 100),
        ("files.info", 100),
        ("files.delete", 50),
        ("usergroups.users.list", 20),
        ("users.info", 100),
        ("views.open", 100),
        ("views.publish", 100),
        ("a.method.not.listed", 50),
        # A burst for a channel, whatever the share.
        ("chat.postMessage", 4),
    ],
)
def test_each_method_has_slacks_limit(method: str, calls: int) -> None:
    assert calls_at_once(RateLimiter(1.0, Clock()), method) == calls


@pytest.mark.parametrize(
    ("method", "calls"),
    [
        ("chat.update", 12),  # a quarter, rounded down
        ("chat.postEphemeral", 25),
        ("users.info", 90),  # nine tenths of what no worker calls
        ("views.open", 90),
        ("views.publish", 90),
        ("usergroups.list", 15),  # the other share of what workers seldom call
        ("chat.postMessage", 4),
    ],
)
def test_share_of_a_quarter(method: str, calls: int) -> None:
    assert calls_at_once(RateLimiter(0.25, Clock()), method) == calls


def test_processes_without_a_share_leave_the_whole_rare_limit() -> None:
    assert calls_at_once(RateLimiter(0.0, Clock()), "usergroups.list") == 20


def test_half_of_each_limit_is_the_default_share() -> None:
    assert calls_at_once(RateLimiter(clock=Clock()), "chat.update") == 25


def test_larger_share_than_the_bots_is_kept() -> None:
    assert calls_at_once(RateLimiter(0.95, Clock()), "users.info") == 95


def test_smallest_share_is_one_call() -> None:
    clock = Clock()
    limiter = RateLimiter(0.001, clock)
    assert calls_at_once(limiter, "chat.update") == 1
    assert limiter.wait("chat.update", "T1") == 62.0
    clock.now = 62.0
    assert calls_at_once(limiter, "chat.update") == 1


@pytest.mark.parametrize(
    ("reserve", "calls"), [(0.0, 50), (0.2, 40), (0.5, 25), (0.99, 1), (1.0, 1)]
)
def test_reserved_part_is_not_used(reserve: float, calls: int) -> None:
    """With nothing sent before, one call is allowed all the same."""
    assert calls_at_once(RateLimiter(1.0, Clock()), "chat.update", reserve) == calls


def test_place_is_free_again_a_minute_and_a_margin_after_a_call() -> None:
    clock = Clock()
    limiter = RateLimiter(0.04, clock)  # two calls a minute
    for at in (0.0, 10.0):
        clock.now = at
        limiter.record_call("chat.update", "T1")
    assert limiter.wait("chat.update", "T1") == 52.0
    clock.now = 61.5
    assert limiter.wait("chat.update", "T1") == 0.5
    clock.now = 62.0
    assert limiter.wait("chat.update", "T1") == 0.0
    limiter.record_call("chat.update", "T1")
    assert limiter.wait("chat.update", "T1") == 10.0


def test_calls_older_than_the_window_are_forgotten_for_good() -> None:
    clock = Clock()
    limiter = RateLimiter(0.04, clock)  # two calls a minute
    for at in (0.0, 10.0, 70.0):
        clock.now = at
        assert limiter.wait("chat.update", "T1") == 0.0
        limiter.record_call("chat.update", "T1")
    assert limiter.wait("chat.update", "T1") == 2.0


def test_fifth_message_in_a_channel_waits_for_the_first_to_age() -> None:
    clock = Clock()
    limiter = RateLimiter(clock=clock)
    assert calls_at_once(limiter, "chat.postMessage") == 4
    clock.now = 2.0
    assert limiter.wait("chat.postMessage", "T1") == 3.5
    clock.now = 5.5
    assert calls_at_once(limiter, "chat.postMessage") == 4


def test_longer_of_block_and_limit_is_waited_for() -> None:
    clock = Clock()
    clock.now = 100.0
    limiter = RateLimiter(clock=clock)
    calls_at_once(limiter, "chat.update")
    limiter.block("chat.update", "T1", 17)
    assert limiter.wait("chat.update", "T1") == 62.0
    limiter.block("chat.update", "T1", 90)
    assert limiter.wait("chat.update", "T1") == 90.0
    clock.now = 160.0
    assert limiter.wait("chat.update", "T1") == 30.0
    assert limiter.wait("chat.delete", "T1") == 0.0


def test_limits_of_idle_methods_are_dropped_first() -> None:
    limiter = RateLimiter(1.0, Clock())
    limiter.record_call("chat.update", "busy")
    for number in range(9_999):
        limiter.record_call("chat.update", str(number))
    assert limiter.wait("chat.update", "busy", reserve=0.99) > 0
    limiter.record_call("chat.update", "one more")
    assert limiter.wait("chat.update", "busy", reserve=0.99) > 0
    assert limiter.wait("chat.update", "0", reserve=0.99) == 0
