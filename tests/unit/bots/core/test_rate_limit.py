"""One limit for all that a member asks."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import pytest

from bots.core import rate_limit, token_buckets
from bots.core.commands import (
    BadCommand,
    BadInput,
    Cancel,
    Command,
    Imagine,
    Privacy,
    Quota,
    Report,
)
from bots.core.rate_limit import CAPACITY, REFILL, MemberRateLimiter, cost_of
from tasks.jobs.members import Member
from tests.records import assert_records_are_immutable

ANN, BEN = Member("web", "playground", "ann"), Member("web", "playground", "ben")


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def accepted(
    limiter: MemberRateLimiter, command: Command | BadCommand, member: Member = ANN
) -> int:
    """How many of these are accepted at once."""
    count = 0
    while not limiter.wait(ANN, command):
        count += 1
    return count


@pytest.mark.parametrize(
    ("command", "count"),
    [
        (Imagine("a cat"), 120),
        (Quota(), 120),
        (BadCommand(BadInput.PROMPT_EMPTY), 120),
        (Cancel(uuid4()), 30),
        (Report(uuid4(), "bad"), 10),
        (Privacy("delete", confirmed=True), 6),
        (Privacy("export"), 3),
        (Privacy(cast(Any, "".join(["ex", "port"]))), 3),  # equal, as parsed, and not the same
    ],
)
def test_each_command_is_limited(command: Command | BadCommand, count: int) -> None:
    limiter = MemberRateLimiter(Clock())
    assert accepted(limiter, command) == count
    assert limiter.wait(ANN, Quota()) == 1, "each count spends the capacity of 120 exactly"


def test_all_commands_share_one_limit() -> None:
    limiter = MemberRateLimiter(Clock())
    assert accepted(limiter, Report(uuid4(), "bad")) == 10
    assert limiter.wait(ANN, Quota()) > 0


def test_members_have_limits_of_their_own() -> None:
    limiter = MemberRateLimiter(Clock())
    assert accepted(limiter, Quota()) == CAPACITY
    assert limiter.wait(BEN, Quota()) == 0


def test_wait_is_how_long_it_takes() -> None:
    clock = Clock()
    limiter = MemberRateLimiter(clock)
    accepted(limiter, Quota())
    report = Report(uuid4(), "bad")
    wait = limiter.wait(ANN, report)
    assert wait == cost_of(report) / REFILL
    clock.now += wait - 1
    assert limiter.wait(ANN, report) > 0
    clock.now += 1
    assert limiter.wait(ANN, report) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_buckets, "MAX_KEYS", 10)
    limiter = MemberRateLimiter(Clock())
    for number in range(100):
        limiter.wait(Member("web", "playground", str(number)), Quota())
    assert len(limiter._buckets._buckets) == 10


def test_records_are_immutable() -> None:
    assert_records_are_immutable(rate_limit)
    assert_records_are_immutable(token_buckets, mutable=(token_buckets._Bucket,))


def test_bucket_refills_by_two_a_second_up_to_its_capacity() -> None:
    clock = Clock()
    limiter = MemberRateLimiter(clock)
    assert accepted(limiter, Quota()) == 120
    assert limiter.wait(ANN, Quota()) == 1  # half a second, rounded up
    assert limiter.wait(ANN, Report(uuid4(), "bad")) == 6
    clock.now = 105.0
    assert limiter.wait(ANN, Report(uuid4(), "bad")) == 1
    assert accepted(limiter, Quota()) == 10
    clock.now = 130.0
    assert accepted(limiter, Quota()) == 50
    clock.now = 500.0
    assert accepted(limiter, Quota()) == 120


def test_refused_command_costs_nothing() -> None:
    clock = Clock()
    limiter = MemberRateLimiter(clock)
    accepted(limiter, Quota())
    clock.now = 101.0
    assert limiter.wait(ANN, Report(uuid4(), "bad")) == 5
    assert accepted(limiter, Quota()) == 2


def test_ten_thousand_members_are_remembered() -> None:
    limiter = MemberRateLimiter(Clock())
    accepted(limiter, Quota())
    for number in range(9_999):
        limiter.wait(Member("web", "playground", str(number)), Quota())
    assert limiter.wait(ANN, Quota()) == 1
    limiter.wait(BEN, Quota())  # one more: the member seen longest ago is forgotten
    first = Member("web", "playground", "0")
    count = 0
    while not limiter.wait(first, Quota()):
        count += 1
    assert count == 120
