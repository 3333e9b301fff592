"""A stale lease cannot change its job: the attempt and the token fence it off."""

from __future__ import annotations

from uuid import uuid4

from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.store import leases, transitions
from tasks.store.transitions import Finished, Lease, Posted
from tasks.worker.process import lanes_of
from tests.integration.stack import Deployment, order


def lease(deployment: Deployment, owner: str) -> Lease:
    """The next job, for this owner."""
    lanes = lanes_of(deployment.policy).every
    with deployment.database.begin() as connection:
        taken = leases.lease(connection, owner, lanes, ["blank"], 100)
    assert taken is not None
    return taken


def test_stale_lease_cannot_settle_fail_or_requeue(deployment: Deployment) -> None:
    job = deployment.submit(order())
    stale = lease(deployment, "first")
    with deployment.database.begin() as connection:
        assert transitions.requeue_owned(connection, "first", 9)
    fresh = lease(deployment, "second")
    assert (stale.job.attempt, fresh.job.attempt) == (1, 2)
    with deployment.database.begin() as connection:
        assert leases.renew(connection, [stale, fresh], 100) == {fresh.token: None}
        assert not transitions.requeue_leased(connection, stale, 9)
        assert not transitions.end_leased(connection, stale, JobState.FAILED, Reason("x"))
    assert deployment.job(job.id).state is JobState.RUNNING
    token = uuid4()
    with deployment.database.begin() as connection:
        both = [Finished(stale, [], uuid4(), 100), Finished(fresh, [], token, 100)]
        assert [one is not None for one in transitions.mark_rendered(connection, both)] == [
            False,
            True,
        ]
        anothers, ours = Posted(job.id, uuid4(), "another's"), Posted(job.id, token, "message")
        assert transitions.mark_delivered(connection, [anothers, ours]) == [False, True]
        assert transitions.mark_delivered(connection, [anothers, ours]) == [False, True]
    assert deployment.job(job.id).state is JobState.DONE
    deployment.assert_consistent()
