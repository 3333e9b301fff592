"""A member's own account, pictures and conversations through the client."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from tasks.blobs import picture_name
from tasks.job import Job, JobState
from tasks.members import Member
from tasks.store import leases, transitions
from tasks.store.transitions import Finished, NewPicture, Posted
from tasks.worker import lanes_of
from tests.integration.house import PLACE, House, member, order, request


def deliver(house: House, who: Member, message: str, prompt: str = "a red star") -> Job:
    """An order of this member, rendered and delivered as this message."""
    job = house.submit(order(who, request=request(prompt=prompt)))
    name = picture_name(job.id, job.id, 0, "image/png")
    house.blobs.put(name, b"picture of " + who.id.encode())
    made = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, request().to_json())
    with house.database.begin() as connection:
        lanes, poster = lanes_of(house.policy).every, uuid4()
        lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert lease is not None
        assert lease.job.id == job.id
        transitions.rendered(connection, [Finished(lease, [made], poster, 100)])
        transitions.delivered(connection, [Posted(job.id, poster, message)])
    return house.job(job.id)


async def test_pictures_are_found_by_message_thread_and_member(house: House) -> None:
    client = house.client()
    first = deliver(house, member("ada"), "m1")
    second = deliver(house, member("bo"), "m2")
    found = await client.picture_of_message(PLACE, "m1")
    assert found == first.pictures[0]
    assert found.instruction == "a red star"
    assert await client.picture(found.id) == found
    assert await client.last_picture(PLACE) == second.pictures[0]
    assert await client.last_picture(replace(PLACE, thread="t1")) is None
    assert await client.picture_of_message(replace(PLACE, channel="other"), "m1") is None
    assert await client.history(member("ada")) == [found]
    assert await client.history(member("ada"), before=found.created_at) == []
    assert [job.id for job in await client.jobs_in(PLACE)] == [first.id, second.id]
    assert await client.jobs_in(PLACE, limit=1) == [house.job(second.id)]
    assert await client.read_blob(found.blob) == b"picture of ada"
    await client.close()


async def test_a_job_is_found_by_its_short_name_by_its_owner_alone(house: House) -> None:
    client = house.client()
    job = house.submit(order(member("ada")))
    found = await client.find_job(member("ada"), job.short.upper())
    assert found is not None
    assert (found.id, found.line and found.line.position) == (job.id, 1)
    assert await client.find_job(member("bo"), job.short) is None
    assert await client.find_job(member("ada"), "%") is None
    assert [one.id for one in await client.active_jobs(member("ada"))] == [job.id]
    assert [one.id for one in await client.waiting_jobs("test")] == [job.id]
    assert await client.waiting_jobs("web") == []
    await client.set_placeholder(job.id, {"message": "9"})
    assert (await client.job(job.id)).placeholder == {"message": "9"}  # type: ignore[union-attr]
    await client.close()


async def test_deleting_pictures(house: House) -> None:
    client = house.client()
    job = deliver(house, member("ada"), "m1")
    stranger = Member("test", "another server", "ada")
    assert (await client.delete_pictures(job.id, member("bo"))).code == "not-yours"
    assert (await client.delete_pictures(job.id, stranger, moderator=True)).code == "no-such-job"
    assert (await client.delete_pictures(job.id, member("bo"), moderator=True)).code == "deleted"
    with pytest.raises(FileNotFoundError):
        await client.read_blob(job.pictures[0].blob)
    assert await client.history(member("ada")) == []
    assert (await client.picture(job.pictures[0].id)).deleted  # type: ignore[union-attr]
    await client.close()


async def test_preferences(house: House) -> None:
    client = house.client()
    assert await client.preferences(member()) == {}
    await client.set_preferences(member(), {"aspect": "16:9", "count": 2})
    await client.set_preferences(member(), {"count": None, "locale": "fr"})
    assert await client.preferences(member()) == {"aspect": "16:9", "locale": "fr"}
    await client.close()


async def test_export_holds_all_and_forget_leaves_no_word(house: House) -> None:
    client = house.client()
    ada, bo = member("ada"), member("bo")
    await client.set_preferences(ada, {"aspect": "16:9"})
    upload = await client.store_source(b"an upload")
    mine = deliver(house, ada, "m1", prompt="my secret wish")
    deliver(house, bo, "m2", prompt="bo's wish")
    wish = request(prompt="my waiting wish", sources=(upload,))
    waiting = house.submit(order(ada, request=wish))

    with zipfile.ZipFile(io.BytesIO(await client.export(ada))) as archive:
        account = json.loads(archive.read("account.json"))
        assert archive.read(mine.pictures[0].blob) == b"picture of ada"
        assert archive.read(upload) == b"an upload"
    prompts = {job["request"]["prompt"] for job in account["jobs"]}
    assert prompts == {"my secret wish", "my waiting wish"}
    assert account["member"][0]["preferences"] == {"aspect": "16:9"}

    assert await client.forget(ada) == 1
    assert house.job(waiting.id).state is JobState.CANCELLED
    for blob in (mine.pictures[0].blob, upload):
        with pytest.raises(FileNotFoundError):
            await client.read_blob(blob)
    with house.database.begin() as connection:
        for table in ("jobs", "pictures", "members", "deliveries", "sources"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert "my secret wish" not in str(rows)
            assert "my waiting wish" not in str(rows)
    assert len(await client.history(bo)) == 1
    house.check_sums()
    await client.close()


async def test_installs_are_sealed(house: House) -> None:
    client = house.client()
    await client.save_install("slack", "T1", {"bot_token": "xoxb-secret"})
    await client.save_install("slack", "T1", {"bot_token": "xoxb-newer"})
    assert await client.find_install("slack", "T1") == {"bot_token": "xoxb-newer"}
    assert await client.find_install("slack", "T2") is None
    assert list(await client.installed("slack")) == ["T1"]
    with house.database.begin() as connection:
        sealed = connection.scalar(text("SELECT sealed FROM installs"))
    assert b"xoxb" not in bytes(sealed)
    assert await client.delete_install("slack", "T1")
    assert not await client.delete_install("slack", "T1")
    await client.close()
