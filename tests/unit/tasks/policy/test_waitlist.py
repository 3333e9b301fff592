"""How many members are invited, and what an open invitation reserves."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.policy.waitlist import INVITATION_LASTS, batch_size, reserved_share


@given(room=st.floats(0, 1e6), seconds=st.floats(0.1, 60), invited=st.floats(0, 500))
def test_batch_fits_the_spare_capacity(room: float, seconds: float, invited: float) -> None:
    batch = batch_size(room, seconds, invited)
    assert batch >= 0
    if batch:
        assert (batch + invited) * 0.5 * seconds <= room + 1e-6


@pytest.mark.parametrize(
    ("spare", "job", "open_invitations", "use_rate", "batch"),
    [
        (100.0, 10.0, 0, 0.5, 20),
        (100.0, 10.0, 5, 0.5, 15),
        (100.0, 10.0, 2.5, 0.5, 17),
        (100.0, 10.0, 0, 0.8, 12),
        (100.0, 10.0, 0, 1.0, 10),
        (100.0, 10.0, 0, 2.0, 5),
        (100.0, 1.0, 0, 0.5, 200),
        (100.0, 0.5, 0, 0.5, 400),
        (4.9, 10.0, 0, 0.5, 0),
        (13.0, 10.0, 0.5, 0.5, 2),  # room for 2.6 jobs, of which half a one is reserved
        (13.0, 10.0, 0.7, 0.5, 1),
        (10.0, 10.0, 50, 0.5, 0),
        (-50.0, 10.0, 0, 0.5, 0),
        (0.0, 1.0, 0, 0.5, 0),
        (100.0, 0.0, 0, 0.5, 0),
        (100.0, -10.0, -50, 0.5, 0),
        (100.0, 10.0, 0, 0.0, 0),
        (100.0, 10.0, -50, -0.5, 0),
        (math.inf, 1.0, 0, 0.5, 0),
        (math.nan, 1.0, 0, 0.5, 0),
    ],
)
def test_batch_is_the_spare_jobs_without_those_invited(
    spare: float, job: float, open_invitations: float, use_rate: float, batch: int
) -> None:
    assert batch_size(spare, job, open_invitations, use_rate) == batch


def test_half_of_the_invitations_are_expected_to_be_used() -> None:
    assert batch_size(100.0, 10.0, 0) == 20


def test_invitation_lasts_half_a_day() -> None:
    assert timedelta(hours=12) == INVITATION_LASTS


def test_unused_invitations_stop_reserving_capacity() -> None:
    """A thousand wait, nobody comes: all are invited within hours, though few at a time."""
    invited: list[int] = []  # the minute of each invitation
    for minute in range(180):
        held = sum(reserved_share(minute - at) for at in invited)
        batch = batch_size(100.0, 5.0, held)
        assert batch <= 40
        invited += [minute] * batch
    assert len(invited) > 500


@pytest.mark.parametrize(
    ("minutes", "lapses", "notified", "share"),
    [
        (0.0, 0, True, 1.0),
        (-5.0, 0, True, 1.0),
        (10.0, 0, True, 0.36787944),  # 1 / e
        (5.0, 0, True, 0.60653066),  # 1 / √e
        (10.0, 0, False, 0.92004441),
        (120.0, 0, False, 0.36787944),
        (0.0, 1, True, 0.5),
        (0.0, 2, True, 0.25),
        (10.0, 1, True, 0.18393972),
        (0.5, 0, True, 0.95122942),
    ],
)
def test_reservation_depends_on_time_notice_and_earlier_lapses(
    minutes: float, lapses: int, notified: bool, share: float
) -> None:
    assert reserved_share(minutes, lapses, notified) == pytest.approx(share, rel=1e-7)


def test_invitation_is_taken_as_notified_and_the_first() -> None:
    assert reserved_share(10.0) == pytest.approx(0.36787944, rel=1e-7)
