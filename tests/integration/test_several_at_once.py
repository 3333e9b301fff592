"""Orders, leases and results that come at the same moment share a call, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from sqlalchemy.exc import DataError

from tasks.job import Accepted, Order, Refused
from tasks.store import leases
from tasks.store.leases import Taker
from tasks.submit import Reception
from tasks.tiers import Tier
from tasks.worker import lanes_of
from tests.integration.house import House, member, order, request

ONE_BY_ONE = """
[tiers.free]
running = 1
waiting = 1
quota = "2/1h"
"""


def together(house: House, wishes: Sequence[Order]) -> list[Accepted | Refused]:
    """Admission of all in one call, as it is when they come while another goes on."""
    return house.reception.admit(wishes)


def map_role(house: House, role: str, tier: Tier) -> None:
    house.database.run(
        lambda connection: connection.execute(
            text("INSERT INTO tier_map VALUES ('test', 'server', :role, :tier)"),
            {"role": role, "tier": tier.value},
        )
    )


def test_limits_hold_within_one_call(build_house: Callable[..., House]) -> None:
    house = build_house(ONE_BY_ONE)
    wishes = [order(member(who)) for who in ("ada", "bo", "ada", "ada", "cy")]
    outcomes = together(house, wishes)
    assert [isinstance(one, Accepted) for one in outcomes] == [True, True, True, False, True]
    assert outcomes[3].reason.code == "waiting-full"  # type: ignore[union-attr]
    jobs = [one.job for one in outcomes if isinstance(one, Accepted)]
    assert [job.order.key for job in jobs] == [wishes[n].key for n in (0, 1, 2, 4)]
    assert [job.line is not None for job in jobs] == [True] * 4
    house.check_sums()


def test_a_key_that_comes_twice_in_one_call_is_one_job(house: House) -> None:
    wish = order()
    first, again = together(house, [wish, wish])
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (first.job.id, first.repeated, again.repeated) == (again.job.id, False, True)
    house.check_sums()


def test_what_one_order_cannot_have_is_not_withheld_from_the_others(house: House) -> None:
    """No column of the record can hold a NUL: that order fails, whoever it came with."""
    bad = order(member("bo"), request=request(prompt="a\0star"))
    wishes = [order(member("ada")), order(member("bo")), bad, order(member("cy"))]
    with house.database.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE members")  # the first waits, the others gather
        waiting = [house.reception.submit_soon(wish) for wish in wishes]
    errors = [one.exception(20) for one in waiting]
    assert [error is None for error in errors] == [True, True, False, True]
    assert isinstance(errors[2], DataError)
    house.check_sums()


def test_a_pools_last_credit_is_given_once(build_house: Callable[..., House]) -> None:
    """Also where two processes admit at the same moment, each in a call of its own."""
    house = build_house('[tiers.team]\nquota = "100/1h"\npool = "3/1h"')
    map_role(house, "R1", Tier.TEAM)
    receptions = [Reception(house.database, house.policy) for _ in range(6)]

    def ask(number: int) -> list[Accepted | Refused]:
        members = [member(f"{name}{number}", "R1") for name in ("ada", "bo", "cy")]
        return receptions[number].admit([order(one) for one in members])

    with ThreadPoolExecutor(6) as threads:
        outcomes = [outcome for asked in threads.map(ask, range(6)) for outcome in asked]
    assert sum(isinstance(one, Accepted) for one in outcomes) == 3
    house.check_sums()


def test_places_for_express_work_are_filled_last(build_house: Callable[..., House]) -> None:
    house = build_house("[tiers.free]\nrunning = 9\nwaiting = 9\nquota = '99/1h'")
    map_role(house, "R1", Tier.PLUS)
    free = [house.submit(order(member(name))) for name in ("ada", "bo", "cy")]
    lanes = lanes_of(house.policy)
    taker = Taker("somebody", lanes.every, ["blank"], lanes.express)
    with house.database.begin() as connection:
        first = leases.lease_several(connection, taker, 100, count=3, express=1)
    assert {lease.job.id for lease in first} < {job.id for job in free}
    assert len(first) == 2  # the third place is for express work, of which there is none
    plus = house.submit(order(member("dee", "R1")))
    with house.database.begin() as connection:
        taken = leases.lease_several(connection, taker, 100, count=3, express=1)
    assert taken[0].job.id == plus.id
    assert len({lease.token for lease in (*first, *taken)}) == 4
    with house.database.begin() as connection:
        assert leases.lease_several(connection, taker, 100, count=3, express=1) == []
