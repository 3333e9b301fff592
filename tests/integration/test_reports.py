"""Reports through the client and a real database: listed, decided, audited, owners notified."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryFile

import pytest
from sqlalchemy import text

from tasks.client import Outcome, WorkspaceSettings
from tasks.jobs.job import Refused
from tasks.jobs.members import Member
from tasks.store import personal_data
from tests.integration.stack import Deployment, member, order
from tests.integration.test_accounts import deliver

MODERATOR = member("moderator")
STRANGER = Member("test", "another server", "moderator")


async def test_reports_are_listed_by_job_with_reasons_and_age(deployment: Deployment) -> None:
    client = deployment.client()
    first, second = (
        deliver(deployment, member("ada"), "m1"),
        deliver(deployment, member("bo"), "m2"),
    )
    await client.reports.submit(second.id, member("cy"), "too dark")
    await client.reports.submit(first.id, member("bo"), "")
    await client.reports.submit(second.id, member("dee"), "not mine")
    found = await client.reports.open("test", "server")
    assert [(one.job.id, one.reasons) for one in found] == [
        (second.id, ("too dark", "not mine")),
        (first.id, ("",)),
    ]
    assert found[0].reported_at <= found[1].reported_at
    assert await client.reports.open("test", "another server") == []
    assert [one.job.id for one in await client.reports.every_open()] == [second.id, first.id]
    await client.close()


async def test_repeated_report_is_one_report(deployment: Deployment) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    await client.admin.set_workspace_settings(
        MODERATOR, WorkspaceSettings(reports_channel="moderators")
    )
    for words in ("rude", "very rude", ""):
        await client.reports.submit(job.id, member("bo"), words)
        posted = await client.reports.claim_unposted("test")
        assert len(posted) == (words == "rude")
    (found,) = await client.reports.open("test", "server")
    assert found.reasons == ("very rude",)
    await client.close()


async def test_export_does_not_name_the_moderator(deployment: Deployment) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    await client.reports.submit(job.id, member("bo"), "rude")
    await client.reports.decide(job.id, Outcome.KEPT, MODERATOR)
    with TemporaryFile() as file, deployment.database.begin() as connection:
        personal_data.write_rows(connection, member("bo").key, file)
        file.seek(0)
        exported = file.read().decode()
    assert "rude" in exported
    assert MODERATOR.id not in exported
    await client.close()


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_decision_closes_the_report_and_is_audited(
    deployment: Deployment, outcome: Outcome
) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    await client.reports.submit(job.id, member("bo"), "rude")
    assert (await client.reports.decide(job.id, outcome, STRANGER)).code == "no-such-report"
    reason = await client.reports.decide(job.id, outcome, MODERATOR)
    assert (reason.code, reason.details) == (f"report-{outcome}", {"member": "ada"})
    assert await client.reports.open("test", "server") == []
    assert (await client.reports.decide(job.id, outcome, MODERATOR)).code == "no-such-report"

    removed = outcome is not Outcome.KEPT
    assert deployment.job(job.id).pictures[0].deleted == removed
    if removed:
        with pytest.raises(FileNotFoundError):
            await client.pictures.read_blob(job.pictures[0].blob)
    (entry,) = await client.admin.audit("test", "server")
    assert (entry.actor, entry.action) == ("moderator", f"report-{outcome}")
    assert entry.details == {"job": job.short, "member": "ada"}
    refused = deployment.admission.submit(order(member("ada")))
    assert isinstance(refused, Refused) == (outcome is Outcome.BLOCKED)
    claimed = await client.reports.claim_removed("test")
    assert [one.id for one in claimed] == ([job.id] if removed else [])
    await client.close()


async def test_owner_is_notified_by_one_process_until_that_succeeds(deployment: Deployment) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    await client.reports.submit(job.id, member("bo"), "rude")
    await client.reports.decide(job.id, Outcome.REMOVED, MODERATOR)
    assert [one.id for one in await client.reports.claim_removed("test")] == [job.id]
    assert await client.reports.claim_removed("test") == []
    await client.reports.release_removed(job.id)
    assert [one.id for one in await client.reports.claim_removed("test")] == [job.id]
    await client.close()


async def test_new_reports_go_to_the_channel_that_moderators_chose(deployment: Deployment) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    await client.reports.submit(job.id, member("bo"), "rude")
    assert await client.reports.claim_unposted("test") == []
    settings = replace(WorkspaceSettings(), reports_channel="77")
    await client.admin.set_workspace_settings(replace(MODERATOR, administrator=True), settings)
    (posted,) = await client.reports.claim_unposted("test")
    assert (posted.channel, posted.report.job.id, posted.report.reasons) == (
        "77",
        job.id,
        ("rude",),
    )
    assert await client.reports.claim_unposted("test") == []
    await client.reports.release_unposted(job.id)
    assert len(await client.reports.claim_unposted("test")) == 1
    await client.close()


async def test_moderators_deletions_and_cancellations_are_audited(deployment: Deployment) -> None:
    client = deployment.client()
    job = deliver(deployment, member("ada"), "m1")
    assert (await client.pictures.delete(job.id, member("ada"))).code == "deleted"
    assert await client.admin.audit("test", "server") == []
    other = deliver(deployment, member("bo"), "m2")
    await client.pictures.delete(other.id, MODERATOR, moderator=True)
    waiting = deployment.submit(order(member("ada")))
    await client.jobs.cancel(waiting.id, MODERATOR, moderator=True)
    entries = await client.admin.audit("test", "server")
    assert [(entry.action, entry.details["member"]) for entry in entries] == [
        ("cancel", "ada"),
        ("delete", "bo"),
    ]
    await client.close()


def test_reports_end_with_the_job(deployment: Deployment) -> None:
    job = deliver(deployment, member("ada"), "m1")
    with deployment.database.begin() as connection:
        connection.execute(
            text("INSERT INTO reports (job, by_member, words) VALUES (:job, 'x', '')"),
            {"job": job.id},
        )
        connection.execute(text("DELETE FROM jobs WHERE id = :job"), {"job": job.id})
        assert connection.scalar(text("SELECT count(*) FROM reports")) == 0
