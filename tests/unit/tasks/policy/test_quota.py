"""Rolling windows: sums, when credits return, when an order fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.jobs.tiers import Quota
from tasks.policy import quota as quota_module
from tasks.policy.quota import Entry, QuotaUsage, affordable_at, returns, spent
from tests.records import assert_records_are_immutable

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)

entries = st.lists(
    st.builds(
        Entry,
        at=st.integers(0, 200_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
        credits=st.integers(1, 8).map(float),
    ),
    max_size=12,
)
quotas = st.builds(Quota, st.integers(1, 20).map(float), st.just(DAY))


def test_entry_counts_until_it_leaves_the_window() -> None:
    entry = [Entry(NOW - DAY + INSTANT, 2.0)]
    assert spent(entry, DAY, NOW) == 2.0
    assert spent(entry, DAY, NOW + INSTANT) == 0.0


def test_daily_quota_of_three() -> None:
    quota = Quota(3, DAY)
    assert QuotaUsage(2, 0).covers(quota, 1)
    assert not QuotaUsage(2, 1).covers(quota, 1)
    assert QuotaUsage(2, 1).left(quota) == 0
    assert QuotaUsage(5, 1).left(quota) == 0


def test_grant_raises_the_quota_until_it_expires() -> None:
    given_credits = [Entry(NOW, -5.0), Entry(NOW, 3.0)]
    assert spent(given_credits, DAY, NOW) == -2.0
    assert returns(given_credits, DAY, NOW) == [(NOW + DAY, 3.0)]


@given(entries)
def test_nothing_is_spent_after_the_last_return(found: list[Entry]) -> None:
    listed = returns(found, DAY, NOW)
    assert [moment for moment, _ in listed] == sorted(moment for moment, _ in listed)
    assert sum(amount for _, amount in listed) == spent(found, DAY, NOW)
    if listed:
        assert spent(found, DAY, listed[-1][0]) == 0


@given(entries)
def test_each_return_lowers_the_spent_sum_by_its_credits(found: list[Entry]) -> None:
    for moment, _ in returns(found, DAY, NOW):
        back = sum(amount for at, amount in returns(found, DAY, NOW) if at == moment)
        before, after = spent(found, DAY, moment - INSTANT), spent(found, DAY, moment)
        assert before - after == back


@given(entries, quotas, st.integers(0, 5).map(float), st.integers(1, 25).map(float))
def test_affordable_at_is_the_first_moment_that_fits(
    found: list[Entry], quota: Quota, held: float, cost: float
) -> None:
    moment = affordable_at(found, held, quota, cost, NOW)
    if moment is None:
        assert cost > quota.credits
        return
    taken = [*found, Entry(NOW, held)]
    assert spent(taken, DAY, moment) + cost <= quota.credits
    if moment > NOW:
        assert spent(taken, DAY, moment - INSTANT) + cost > quota.credits


def test_records_are_immutable() -> None:
    assert_records_are_immutable(quota_module)


def test_credits_left_are_the_quota_without_spent_and_held() -> None:
    assert QuotaUsage(1.25, 0.5).left(Quota(3, DAY)) == 1.25
    assert QuotaUsage(-2, 0).left(Quota(3, DAY)) == 5  # a grant
    assert QuotaUsage(0, 0).left(Quota(3, DAY)) == 3


def test_rounding_of_sums_does_not_refuse_the_last_credit() -> None:
    """0.1 + 0.2 + 0.3 is a little more than 0.6."""
    assert QuotaUsage(0.1, 0.2).covers(Quota(0.6, DAY), 0.3)
    found = [Entry(NOW, 0.1), Entry(NOW, 0.2)]
    assert affordable_at(found, 0.0, Quota(0.6, DAY), 0.3, NOW) == NOW


@pytest.mark.parametrize(
    ("cost", "fits"), [(1e-9, True), (2e-9, False), (-1.0, True), (0.5, False)]
)
def test_at_most_a_billionth_is_rounding(cost: float, fits: bool) -> None:
    nothing = Quota(0.0, DAY)
    assert QuotaUsage(0, 0).covers(nothing, cost) is fits
    assert affordable_at([], 0.0, nothing, cost, NOW) == (NOW if fits else None)


def test_entry_before_the_window_does_not_count() -> None:
    old = [Entry(NOW - 3 * DAY, 2.0), Entry(NOW - DAY, 2.0)]
    assert spent(old, DAY, NOW) == 0.0
    assert returns(old, DAY, NOW) == []
    assert affordable_at(old, 0.0, Quota(3, DAY), 3, NOW) == NOW


def test_returns_are_in_order_and_without_free_entries() -> None:
    hour = timedelta(hours=1)
    found = [Entry(NOW, 1.0), Entry(NOW - 2 * hour, 0.5), Entry(NOW - hour, 0.0), Entry(NOW, -0.5)]
    assert returns(found, DAY, NOW) == [(NOW + 22 * hour, 0.5), (NOW + DAY, 1.0)]


def test_credits_return_one_entry_after_another() -> None:
    """Three of three spent, 20, 10 and 5 hours ago: they return in 4, 14 and 19 hours."""
    found = [Entry(NOW - timedelta(hours=ago), 1.0) for ago in (5, 20, 10)]
    quota = Quota(3, DAY)
    for cost, hours in ((1, 4), (2, 14), (3, 19)):
        assert affordable_at(found, 0.0, quota, cost, NOW) == NOW + timedelta(hours=hours)
    assert affordable_at(found, 0.0, quota, 4, NOW) is None


def test_held_credits_return_a_window_from_now() -> None:
    assert affordable_at([], 3.0, Quota(3, DAY), 1, NOW) == NOW + DAY
    assert affordable_at([], 2.0, Quota(3, DAY), 1, NOW) == NOW


def test_expired_grant_does_not_make_an_order_affordable_in_the_past() -> None:
    found = [Entry(NOW - 3 * DAY, -5.0), Entry(NOW - timedelta(hours=1), 3.0)]
    assert affordable_at(found, 0.0, Quota(3, DAY), 1, NOW) == NOW + timedelta(hours=23)
