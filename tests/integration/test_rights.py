"""A role that was lost while a job waited counts when the job starts."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import text

from tasks.job import Job, JobState
from tasks.members import Member
from tasks.rights import Rights
from tasks.tiers import Tier
from tests.integration.house import House, member, order

OWNER = Member("test", "server", "chief", administrator=True)


async def _paying(house: House) -> None:
    client = house.client()
    await client.map_role(OWNER, "patron", Tier.PLUS)
    await client.close()


def _waited(house: House, job: Job) -> None:
    """Let a minute of waiting have passed for this job."""
    statement = text("UPDATE jobs SET created_at = created_at - interval '1 minute' WHERE id = :id")
    house.database.run(lambda connection: connection.execute(statement, {"id": job.id}))


async def test_who_lost_the_role_is_refused_told_and_not_charged(house: House) -> None:
    await _paying(house)
    lost = house.submit(order(member("ada", "patron")))
    kept = house.submit(order(member("bob", "patron")))
    for job in (lost, kept):
        _waited(house, job)
    house.posts_path.with_name("roles.json").write_text(json.dumps({"bob": ["patron"]}))
    house.start_worker()
    states = {job.order.member.id: job for job in house.wait_ended(lost.id, kept.id)}
    assert states["ada"].state is JobState.REFUSED
    assert states["bob"].state is JobState.DONE
    told = {post["job"]: post["code"] for post in house.posts()}
    assert told[str(lost.id)] == "lost-right"
    client = house.client()
    assert (await client.allowance(member("ada", "patron"))).held == 0
    await client.close()
    house.check_sums()


async def test_where_nobody_can_tell_the_right_holds(house: House) -> None:
    await _paying(house)
    job = house.submit(order(member("ada", "patron")))
    _waited(house, job)
    waited = house.job(job.id)
    policy = house.policy
    assert Rights(house.database, policy, lambda _: None).lost(waited) is None
    assert Rights(house.database, policy, lambda _: frozenset({"patron"})).lost(waited) is None
    reason = Rights(house.database, policy, lambda _: frozenset()).lost(waited)
    assert reason is not None
    assert reason.code == "lost-right"
    soon = Rights(house.database, policy, lambda _: frozenset(), timedelta(hours=1))
    assert soon.lost(waited) is None, "its roles were read when it was admitted"
    free = house.submit(order(member("eve")))
    _waited(house, free)
    assert Rights(house.database, policy, lambda _: frozenset()).lost(house.job(free.id)) is None
