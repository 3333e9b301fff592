"""Who had a job before cannot change it any more: the attempt and the token fence them off."""

from __future__ import annotations

from uuid import uuid4

from tasks.job import JobState, Reason
from tasks.store import leases, transitions
from tasks.store.transitions import Finished, Lease, Posted
from tasks.worker import lanes_of
from tests.integration.house import House, order


def lease(house: House, owner: str) -> Lease:
    """The next job, for this owner."""
    lanes = lanes_of(house.policy).every
    with house.database.begin() as connection:
        taken = leases.lease(connection, owner, lanes, ["blank"], 100)
    assert taken is not None
    return taken


def test_a_stale_lease_can_neither_deliver_nor_fail_nor_give_back(house: House) -> None:
    job = house.submit(order())
    stale = lease(house, "first")
    with house.database.begin() as connection:
        assert transitions.requeue(connection, attempts=9, outcome="lost", owner="first")
    fresh = lease(house, "second")
    assert (stale.job.attempt, fresh.job.attempt) == (1, 2)
    running, failed = [JobState.RUNNING], JobState.FAILED
    with house.database.begin() as connection:
        assert leases.renew(connection, [stale, fresh], 100) == {fresh.token: None}
        assert not transitions.requeue(connection, attempts=9, outcome="requeued", lease=stale)
        assert not transitions.end(
            connection, job.id, running, failed, Reason("x"), attempt=1, token=stale.token
        )
    assert house.job(job.id).state is JobState.RUNNING
    poster = uuid4()
    with house.database.begin() as connection:
        both = [Finished(stale, [], uuid4(), 100), Finished(fresh, [], poster, 100)]
        assert [one is not None for one in transitions.rendered(connection, both)] == [False, True]
        anothers, ours = Posted(job.id, uuid4(), "another's"), Posted(job.id, poster, "message")
        assert transitions.delivered(connection, [anothers, ours]) == [False, True]
        assert transitions.delivered(connection, [anothers, ours]) == [False, True]
    assert house.job(job.id).state is JobState.DONE
    house.check_sums()
