"""The use of a worker's device over a window of its counters."""

from __future__ import annotations

from tasks.queue.device_use import DeviceCounters, DeviceMeter, DeviceUse


def counters(busy: float, steps: int = 0, batched: int = 0, pauses: int = 0) -> DeviceCounters:
    return DeviceCounters(busy, pauses, steps, busy / 2, batched)


def test_first_sample_shows_no_use() -> None:
    assert DeviceMeter().use(5.0, counters(100.0, 10, 20, 3)) == DeviceUse(pauses=3)


def test_use_is_the_difference_over_the_window() -> None:
    meter = DeviceMeter()
    meter.use(0.0, counters(10.0, steps=4, batched=4))
    use = meter.use(10.0, counters(18.0, steps=8, batched=10, pauses=2))
    assert use == DeviceUse(busy=0.8, step_seconds=1.0, batch_size=1.5, pauses=2)


def test_old_samples_leave_the_window() -> None:
    meter = DeviceMeter(window=10.0)
    for second in range(0, 41, 2):
        use = meter.use(float(second), counters(min(20.0, second)))
    assert use == DeviceUse()
    assert len(meter._samples) <= 7


def test_share_is_at_most_one() -> None:
    """A unit is counted when it ends, with the time before the window."""
    meter = DeviceMeter()
    meter.use(0.0, counters(0.0))
    assert meter.use(2.0, counters(7.0)).busy == 1.0


def test_json_round_trip_and_cards_of_earlier_workers() -> None:
    use = DeviceUse(0.5, 0.25, 2.0, 7)
    assert DeviceUse.from_json(use.to_json()) == use
    assert DeviceUse.from_json({}) == DeviceUse()
