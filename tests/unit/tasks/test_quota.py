"""Rolling windows: sums, when credits return, when an order fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.quota import Entry, Standing, affordable_at, returns, spent
from tasks.tiers import Quota

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


def test_an_entry_counts_until_the_window_has_passed_over_it() -> None:
    entry = [Entry(NOW - DAY + INSTANT, 2.0)]
    assert spent(entry, DAY, NOW) == 2.0
    assert spent(entry, DAY, NOW + INSTANT) == 0.0


def test_three_pictures_a_day() -> None:
    quota = Quota(3, DAY)
    assert Standing(2, 0).covers(quota, 1)
    assert not Standing(2, 1).covers(quota, 1)
    assert Standing(2, 1).left(quota) == 0
    assert Standing(5, 1).left(quota) == 0


def test_a_grant_gives_room_and_lapses() -> None:
    given_credits = [Entry(NOW, -5.0), Entry(NOW, 3.0)]
    assert spent(given_credits, DAY, NOW) == -2.0
    assert returns(given_credits, DAY, NOW) == [(NOW + DAY, 3.0)]


@given(entries)
def test_after_the_last_return_nothing_is_spent(found: list[Entry]) -> None:
    listed = returns(found, DAY, NOW)
    assert [moment for moment, _ in listed] == sorted(moment for moment, _ in listed)
    assert sum(amount for _, amount in listed) == spent(found, DAY, NOW)
    if listed:
        assert spent(found, DAY, listed[-1][0]) == 0


@given(entries)
def test_each_return_lowers_the_sum_by_what_it_says(found: list[Entry]) -> None:
    for moment, _ in returns(found, DAY, NOW):
        back = sum(amount for at, amount in returns(found, DAY, NOW) if at == moment)
        before, after = spent(found, DAY, moment - INSTANT), spent(found, DAY, moment)
        assert before - after == back


@given(entries, quotas, st.integers(0, 5).map(float), st.integers(1, 25).map(float))
def test_the_moment_told_is_the_first_that_fits(
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
