"""The playground shows no job and no picture of another platform, whoever knows the id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import create_autospec

import httpx
import pytest
from starlette.applications import Starlette

from bots.core.command_handler import CommandHandler
from bots.web.access_guard import AccessPolicy
from bots.web.commands import CommandRoutes
from bots.web.event_stream import EventBroadcaster
from bots.web.pictures import PictureRoutes
from bots.web.sessions import SessionSigner
from imaging.profiles import profile_for
from tasks.jobs.job import Job
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tests.browser.visitor import persona
from tests.client_double import client_double
from tests.unit.bots.core.conftest import a_job, a_picture, an_order


def job_in(platform: str, workspace: str) -> Job:
    """A finished job with a picture."""
    place = Place(platform, workspace, "general")
    order = an_order(member=Member(platform, workspace, "ann"), place=place)
    job = a_job(order=order, state=JobState.DONE)
    return replace(job, pictures=(a_picture(job.id),))


def page_with(job: Job) -> httpx.AsyncClient:
    """The playground's routes, without its guard, on a client that knows this job."""
    client: Any = client_double()
    client.jobs.read.return_value = job
    client.jobs.in_place.return_value = []
    client.pictures.read.return_value = job.pictures[0]
    client.pictures.read_blob.return_value = b"picture"
    broadcaster = create_autospec(EventBroadcaster, instance=True, spec_set=True)
    handler = CommandHandler(client, profile_for, "postcard")
    policy = AccessPolicy(SessionSigner("a secret of sixteen or more"))
    routes = [
        *CommandRoutes(handler, broadcaster, policy).routes(),
        *PictureRoutes(client).routes(),
    ]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    headers = {"Atelier-Member": persona("ann")}
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


@pytest.mark.parametrize(
    ("platform", "workspace", "status", "messages"),
    [("web", "playground", 200, 1), ("slack", "T1", 404, 0), ("discord", "9", 404, 0)],
)
async def test_jobs_and_pictures_of_other_platforms_are_not_shown(
    platform: str, workspace: str, status: int, messages: int
) -> None:
    job = job_in(platform, workspace)
    async with page_with(job) as page:
        answer = await page.get(f"/pictures/{job.pictures[0].id}")
        assert answer.status_code == status
        where = {"channel": "general", "thread": job.id.hex}
        shown = (await page.get("/api/conversation", params=where)).json()["messages"]
        assert len(shown) == messages
