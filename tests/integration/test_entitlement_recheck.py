"""A role that was lost while a job waited counts when the job starts."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import text

from tasks.admission.recheck import Rights
from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.integration.stack import Deployment, member, order

OWNER = Member("test", "server", "chief", administrator=True)


async def _paying(deployment: Deployment) -> None:
    client = deployment.client()
    await client.admin.map_role(OWNER, "patron", Tier.PLUS)
    await client.close()


def _waited(deployment: Deployment, job: Job) -> None:
    """Let a minute of waiting have passed for this job."""
    statement = text("UPDATE jobs SET created_at = created_at - interval '1 minute' WHERE id = :id")
    deployment.database.run(lambda connection: connection.execute(statement, {"id": job.id}))


async def test_lost_role_refuses_the_job_without_charge(deployment: Deployment) -> None:
    await _paying(deployment)
    lost = deployment.submit(order(member("ada", "patron")))
    kept = deployment.submit(order(member("bob", "patron")))
    for job in (lost, kept):
        _waited(deployment, job)
    deployment.posts_path.with_name("roles.json").write_text(json.dumps({"bob": ["patron"]}))
    deployment.start_worker()
    states = {job.order.member.id: job for job in deployment.wait_ended(lost.id, kept.id)}
    assert states["ada"].state is JobState.REFUSED
    assert states["bob"].state is JobState.DONE
    told = {post["job"]: post["code"] for post in deployment.posts()}
    assert told[str(lost.id)] == "lost-right"
    client = deployment.client()
    assert (await client.members.allowance(member("ada", "patron"))).held == 0
    await client.close()
    deployment.assert_consistent()


async def test_entitlement_holds_where_roles_are_unknown(deployment: Deployment) -> None:
    await _paying(deployment)
    job = deployment.submit(order(member("ada", "patron")))
    _waited(deployment, job)
    waited = deployment.job(job.id)
    policy = deployment.policy
    assert Rights(deployment.database, policy, lambda _: None).lost(waited) is None
    assert Rights(deployment.database, policy, lambda _: frozenset({"patron"})).lost(waited) is None
    reason = Rights(deployment.database, policy, lambda _: frozenset()).lost(waited)
    assert reason is not None
    assert reason.code == "lost-right"
    soon = Rights(deployment.database, policy, lambda _: frozenset(), timedelta(hours=1))
    assert soon.lost(waited) is None, "its roles were read when it was admitted"
    free = deployment.submit(order(member("eve")))
    _waited(deployment, free)
    assert (
        Rights(deployment.database, policy, lambda _: frozenset()).lost(deployment.job(free.id))
        is None
    )
