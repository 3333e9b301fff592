"""Orders, leases and results that come at the same moment share a call, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from sqlalchemy.exc import DataError

from tasks.admission.pipeline import admit
from tasks.jobs.job import Accepted, Order, Refused
from tasks.jobs.tiers import Tier
from tasks.store import leases
from tasks.store.leases import LeaseRequest
from tasks.store.load_snapshot import LoadSnapshotCache
from tasks.worker.process import lanes_of
from tests.integration.stack import PATIENCE, Deployment, member, order, request

ONE_BY_ONE = """
[tiers.free]
running = 1
waiting = 1
quota = "2/1h"
"""


def together(deployment: Deployment, wishes: Sequence[Order]) -> list[Accepted | Refused]:
    """Admission of all in one call, as it is when they come while another goes on."""
    return admit(deployment.database, deployment.policy, deployment.admission.snapshots, wishes)


def map_role(deployment: Deployment, role: str, tier: Tier) -> None:
    deployment.database.run(
        lambda connection: connection.execute(
            text("INSERT INTO tier_map VALUES ('test', 'server', :role, :tier)"),
            {"role": role, "tier": tier.value},
        )
    )


def test_limits_hold_inside_one_batch(build_deployment: Callable[..., Deployment]) -> None:
    deployment = build_deployment(ONE_BY_ONE)
    wishes = [order(member(who)) for who in ("ada", "bo", "ada", "ada", "cy")]
    outcomes = together(deployment, wishes)
    assert [isinstance(one, Accepted) for one in outcomes] == [True, True, True, False, True]
    assert outcomes[3].reason.code == "waiting-full"  # type: ignore[union-attr]
    jobs = [one.job for one in outcomes if isinstance(one, Accepted)]
    assert [job.order.key for job in jobs] == [wishes[n].key for n in (0, 1, 2, 4)]
    assert [job.line is not None for job in jobs] == [True] * 4
    deployment.assert_consistent()


def test_repeated_key_in_one_batch_is_one_job(deployment: Deployment) -> None:
    wish = order()
    first, again = together(deployment, [wish, wish])
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (first.job.id, first.repeated, again.repeated) == (again.job.id, False, True)
    deployment.assert_consistent()


def test_invalid_order_does_not_fail_its_batch(deployment: Deployment) -> None:
    """No column of the record can hold a NUL: that order fails, whoever it came with."""
    bad = order(member("bo"), request=request(prompt="a\0star"))
    wishes = [order(member("ada")), order(member("bo")), bad, order(member("cy"))]
    with deployment.database.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE members")  # the first waits, the others gather
        waiting = [deployment.admission.submit_soon(wish) for wish in wishes]
    errors = [one.exception(PATIENCE) for one in waiting]
    assert [error is None for error in errors] == [True, True, False, True]
    assert isinstance(errors[2], DataError)
    deployment.assert_consistent()


def test_last_pool_credit_is_spent_once(build_deployment: Callable[..., Deployment]) -> None:
    """Also where two processes admit at the same moment, each in a call of its own."""
    deployment = build_deployment('[tiers.team]\nquota = "100/1h"\npool = "3/1h"')
    map_role(deployment, "R1", Tier.TEAM)
    snapshots = [LoadSnapshotCache() for _ in range(6)]

    def ask(number: int) -> list[Accepted | Refused]:
        members = [member(f"{name}{number}", "R1") for name in ("ada", "bo", "cy")]
        wishes = [order(one) for one in members]
        return admit(deployment.database, deployment.policy, snapshots[number], wishes)

    with ThreadPoolExecutor(6) as threads:
        outcomes = [outcome for asked in threads.map(ask, range(6)) for outcome in asked]
    assert sum(isinstance(one, Accepted) for one in outcomes) == 3
    deployment.assert_consistent()


def test_express_slots_are_filled_last(build_deployment: Callable[..., Deployment]) -> None:
    deployment = build_deployment("[tiers.free]\nrunning = 9\nwaiting = 9\nquota = '99/1h'")
    map_role(deployment, "R1", Tier.PLUS)
    free = [deployment.submit(order(member(name))) for name in ("ada", "bo", "cy")]
    lanes = lanes_of(deployment.policy)
    taker = LeaseRequest("somebody", lanes.every, ["blank"], lanes.express)
    with deployment.database.begin() as connection:
        first = leases.lease_several(connection, taker, 100, count=3, express=1)
    assert {lease.job.id for lease in first} < {job.id for job in free}
    assert len(first) == 2  # the third place is for express work, of which there is none
    plus = deployment.submit(order(member("dee", "R1")))
    with deployment.database.begin() as connection:
        taken = leases.lease_several(connection, taker, 100, count=3, express=1)
    assert taken[0].job.id == plus.id
    assert len({lease.token for lease in (*first, *taken)}) == 4
    with deployment.database.begin() as connection:
        assert leases.lease_several(connection, taker, 100, count=3, express=1) == []
