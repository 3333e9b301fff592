"""A member's own account, pictures and conversations through the client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from tasks.client import jobs as jobs_client
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.runtime.blobs import picture_name
from tasks.store import jobs, leases, transitions
from tasks.store.transitions import Finished, Lease, NewPicture, Posted
from tasks.worker.process import lanes_of
from tests.exports import exported
from tests.integration.stack import PLACE, Deployment, member, order, request


def deliver(
    deployment: Deployment,
    who: Member,
    message: str | None,
    prompt: str = "a red star",
    placeholder: Mapping[str, str] | None = None,
) -> Job:
    """An order of this member, rendered; delivered as this message, or still in delivery."""
    job = deployment.submit(order(who, request=request(prompt=prompt)))
    name = picture_name(job.id, job.id, 0, "image/png")
    deployment.blobs.put(name, b"picture of " + who.id.encode())
    made = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, request().to_json())
    with deployment.database.begin() as connection:
        lanes, poster = lanes_of(deployment.policy).every, uuid4()
        lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert lease is not None
        assert lease.job.id == job.id
        transitions.mark_rendered(connection, [Finished(lease, [made], poster, 100)])
        if placeholder is not None:
            jobs.set_placeholder(connection, job.id, placeholder)
        if message is not None:
            transitions.mark_delivered(connection, [Posted(job.id, poster, message)])
    return deployment.job(job.id)


async def test_pictures_are_found_by_message_thread_and_member(deployment: Deployment) -> None:
    client = deployment.client()
    first = deliver(deployment, member("ada"), "m1")
    second = deliver(deployment, member("bo"), "m2")
    found = await client.pictures.of_message(PLACE, "m1")
    assert found == first.pictures[0]
    assert found.instruction == "a red star"
    assert await client.pictures.read(found.id) == found
    assert await client.pictures.last(PLACE) == second.pictures[0]
    assert await client.pictures.last(replace(PLACE, thread="t1")) is None
    assert await client.pictures.of_message(replace(PLACE, channel="other"), "m1") is None
    assert await client.pictures.history(member("ada")) == [found]
    assert await client.pictures.history(member("ada"), before=found.created_at) == []
    assert [job.id for job in await client.jobs.in_place(PLACE)] == [first.id, second.id]
    assert await client.jobs.in_place(PLACE, limit=1) == [deployment.job(second.id)]
    assert await client.pictures.read_blob(found.blob) == b"picture of ada"
    await client.close()


@pytest.mark.parametrize("key", ["ts", "message"])
async def test_a_shown_picture_is_found_before_its_delivery_is_recorded(
    deployment: Deployment, key: str
) -> None:
    client = deployment.client()
    shown = {"channel": "c", key: "shown"}
    job = deliver(deployment, member("ada"), None, placeholder=shown)
    assert job.state is JobState.DELIVERING
    assert await client.pictures.of_message(PLACE, "shown") == job.pictures[0]
    assert await client.pictures.of_message(PLACE, "another") is None
    assert await client.pictures.of_message(replace(PLACE, channel="other"), "shown") is None
    await client.close()


async def test_only_the_owner_finds_a_job_by_its_short_name(deployment: Deployment) -> None:
    client = deployment.client()
    job = deployment.submit(order(member("ada")))
    found = await client.jobs.find(member("ada"), job.short.upper())
    assert found is not None
    assert (found.id, found.line and found.line.position) == (job.id, 1)
    assert await client.jobs.find(member("bo"), job.short) is None
    assert await client.jobs.find(member("ada"), "%") is None
    assert [one.id for one in await client.jobs.active(member("ada"))] == [job.id]
    assert [one.id for one in await client.jobs.waiting("test")] == [job.id]
    assert await client.jobs.waiting("web") == []
    await client.jobs.set_placeholder(job.id, {"message": "9"})
    assert (await client.jobs.read(job.id)).placeholder == {"message": "9"}  # type: ignore[union-attr]
    await client.close()


async def test_late_cancellations_are_limited(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_client, "LATE_CANCELLATIONS", 2)
    client, ada = deployment.client(), member("ada")

    def start() -> Lease:
        deployment.submit(order(ada))
        with deployment.database.begin() as connection:
            lanes = lanes_of(deployment.policy).every
            lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert lease is not None
        return lease

    for _ in range(2):
        lease = start()
        assert (await client.jobs.cancel(lease.job.id, ada)).code == "cancelling"
        with deployment.database.begin() as connection:
            reason = Reason("cancelled")
            assert transitions.end_leased(connection, lease, JobState.CANCELLED, reason)
    late = start().job.id
    assert (await client.jobs.cancel(late, ada)).code == "cancel-limited"
    assert deployment.job(late).state is JobState.RUNNING
    assert (await client.jobs.cancel(late, member("boss"), moderator=True)).code == "cancelling"
    waiting = deployment.submit(order(ada)).id
    assert (await client.jobs.cancel(waiting, ada)).code == "cancelled"
    other = deployment.submit(order(member("bo"))).id
    assert (await client.jobs.cancel(other, member("bo"))).code == "cancelled"
    await client.close()


async def test_pictures_are_deleted_by_owner_or_moderator(deployment: Deployment) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    stranger = Member("test", "another server", "ada")
    assert (await client.pictures.delete(job.id, member("bo"))).code == "not-yours"
    assert (await client.pictures.delete(job.id, stranger, moderator=True)).code == "no-such-job"
    assert (await client.pictures.delete(job.id, member("bo"), moderator=True)).code == "deleted"
    with pytest.raises(FileNotFoundError):
        await client.pictures.read_blob(job.pictures[0].blob)
    assert await client.pictures.history(member("ada")) == []
    assert (await client.pictures.read(job.pictures[0].id)).deleted  # type: ignore[union-attr]
    await client.close()


async def test_preferences_are_stored_and_removed(deployment: Deployment) -> None:
    client = deployment.client()
    assert await client.members.preferences(member()) == {}
    await client.members.set_preferences(member(), {"aspect": "16:9", "count": 2})
    await client.members.set_preferences(member(), {"count": None, "locale": "fr"})
    assert await client.members.preferences(member()) == {"aspect": "16:9", "locale": "fr"}
    await client.close()


async def test_export_contains_everything_and_forget_removes_it(deployment: Deployment) -> None:
    client = deployment.client()
    ada, bo = member("ada"), member("bo")
    await client.members.set_preferences(ada, {"aspect": "16:9"})
    upload = await client.pictures.store_source(b"an upload", ada)
    mine = deliver(deployment, ada, "m1", prompt="my secret wish")
    deliver(deployment, bo, "m2", prompt="bo's wish")
    wish = request(prompt="my waiting wish", sources=(upload,))
    waiting = deployment.submit(order(ada, request=wish))

    files = await exported(client, ada)
    account = json.loads(files["account.json"])
    assert files[mine.pictures[0].blob] == b"picture of ada"
    assert files[upload] == b"an upload"
    prompts = {job["request"]["prompt"] for job in account["jobs"]}
    assert prompts == {"my secret wish", "my waiting wish"}
    assert account["member"][0]["preferences"] == {"aspect": "16:9"}

    assert await client.members.forget(ada) == 1
    assert deployment.job(waiting.id).state is JobState.CANCELLED
    for blob in (mine.pictures[0].blob, upload):
        with pytest.raises(FileNotFoundError):
            await client.pictures.read_blob(blob)
    with deployment.database.begin() as connection:
        for table in ("jobs", "pictures", "members", "deliveries", "sources"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert "my secret wish" not in str(rows)
            assert "my waiting wish" not in str(rows)
    assert len(await client.pictures.history(bo)) == 1
    deployment.assert_consistent()
    await client.close()


async def test_install_tokens_are_encrypted(deployment: Deployment) -> None:
    client = deployment.client()
    await client.installs.save("slack", "T1", {"bot_token": "xoxb-secret"})
    await client.installs.save("slack", "T1", {"bot_token": "xoxb-newer"})
    assert await client.installs.find("slack", "T1") == {"bot_token": "xoxb-newer"}
    assert await client.installs.find("slack", "T2") is None
    assert list(await client.installs.workspaces("slack")) == ["T1"]
    with deployment.database.begin() as connection:
        sealed = connection.scalar(text("SELECT sealed FROM installs"))
    assert b"xoxb" not in bytes(sealed)
    assert await client.installs.delete("slack", "T1")
    assert not await client.installs.delete("slack", "T1")
    await client.close()
