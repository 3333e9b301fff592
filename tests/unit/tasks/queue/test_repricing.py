"""Queued work at present prices."""

from __future__ import annotations

import json
import math

import pytest

from tasks.queue.repricing import MAX_PARTS, QueuedWork, read_queued_work


def test_waiting_work_follows_the_price_level() -> None:
    work = QueuedWork().observe(9.0, 9.0, 0.0)
    assert work.present(9.0) == pytest.approx(9.0)
    cheaper = work.observe(0.0, 9.0, math.log(1 / 3))
    assert cheaper.present(9.0) == pytest.approx(3.0)
    assert cheaper.present(3.0) == pytest.approx(1.0)
    assert cheaper.observe(0.0, 9.0, 0.0).present(9.0) == pytest.approx(9.0)


def test_what_came_later_has_its_own_price_and_the_oldest_leaves_first() -> None:
    old = QueuedWork().observe(8.0, 8.0, 0.0)
    both = old.observe(1.0, 9.0, math.log(1 / 4))
    assert both.present(8.0) == pytest.approx(2.0)
    assert both.present(9.0) == pytest.approx(3.0)
    assert both.present(10.0) == pytest.approx(4.0)  # came after the observation
    later = both.observe(0.0, 5.0, math.log(1 / 4))
    assert later.present(4.0) == pytest.approx(1.0)
    assert later.present(5.0) == pytest.approx(2.0)
    assert later.observe(0.0, 0.0, 0.0).parts == ()


def test_jobs_queued_again_count_as_new() -> None:
    work = QueuedWork().observe(4.0, 4.0, 0.0).observe(0.0, 6.0, math.log(2.0))
    assert work.present(4.0) == pytest.approx(8.0)
    assert work.present(6.0) == pytest.approx(10.0)


def test_arrivals_that_have_left_already_leave_nothing() -> None:
    work = QueuedWork().observe(4.0, 4.0, 0.0).observe(3.0, 3.0, math.log(2.0))
    assert work.present(3.0) == pytest.approx(3.0)
    assert len(work.parts) == 1


def test_parts_of_one_price_are_merged_and_few_remain() -> None:
    work = QueuedWork()
    for n in range(100):
        work = work.observe(1.0, n + 1.0, 0.0)
    assert len(work.parts) == 1
    for n in range(100):
        work = work.observe(1.0, n + 101.0, 0.2 * n)
    assert len(work.parts) == MAX_PARTS
    assert sum(one.entered for one in work.parts) == pytest.approx(200.0)
    last = work.observe(0.0, 200.0, 0.2 * 99)
    true = 100 * math.exp(0.2 * 99) + sum(math.exp(0.2 * (99 - n)) for n in range(100))
    assert last.present(200.0) == pytest.approx(true)


def test_queued_work_is_stored_as_plain_values() -> None:
    work = QueuedWork().observe(8.0, 8.0, 0.0).observe(1.0, 9.0, -1.0)
    assert read_queued_work(json.loads(json.dumps(work.to_json()))) == work
    assert read_queued_work({}) == QueuedWork()
