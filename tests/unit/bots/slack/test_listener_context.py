"""Listeners show a member only what that member may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import create_autospec

import pytest

from bots.core.command_handler import CommandHandler
from bots.slack.dedupe import Deduplicator
from bots.slack.listener_context import ListenerContext
from bots.slack.replies import ReplyPoster
from bots.slack.roles import MemberDirectory
from bots.slack.workspaces import SingleWorkspace
from imaging.profiles import profile_for
from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tests.client_double import client_double
from tests.platforms.slack.delivery_builders import finished

PROMPT = "a red house & <!channel>"


@pytest.fixture
def job() -> Job:
    return finished("T0001", "C0001", "U0ANNA0000", "1.0", {}).job


@pytest.fixture
def client(job: Job) -> Any:
    client = client_double()
    client.jobs.read.return_value = job
    return client


@pytest.fixture
def context(client: Any) -> ListenerContext:
    return ListenerContext(
        handler=CommandHandler(client, profile_for, "postcard"),
        workspaces=create_autospec(SingleWorkspace, instance=True, spec_set=True),
        directory=MemberDirectory(),
        poster=create_autospec(ReplyPoster, instance=True, spec_set=True),
        deduplicator=Deduplicator(),
        api_url="https://slack.com/api/",
    )


def member(user: str, team: str = "T0001") -> Member:
    return Member("slack", team, user)


async def test_prompt_is_shown_to_its_owner_and_in_its_workspace(
    context: ListenerContext, job: Job
) -> None:
    assert await context.prompt_of_job(job.id, member("U0ANNA0000")) == PROMPT
    assert await context.prompt_of_job(job.id, member("U0BORIS000")) == PROMPT


async def test_prompt_is_not_shown_in_another_workspace(context: ListenerContext, job: Job) -> None:
    assert await context.prompt_of_job(job.id, member("U0ANNA0000", "T0002")) == ""


async def test_private_prompt_is_shown_to_its_owner_only(
    context: ListenerContext, client: Any, job: Job
) -> None:
    client.jobs.read.return_value = replace(job, order=replace(job.order, private=True))
    assert await context.prompt_of_job(job.id, member("U0ANNA0000")) == PROMPT
    assert await context.prompt_of_job(job.id, member("U0BORIS000")) == ""


async def test_prompt_of_a_deleted_job_is_empty(
    context: ListenerContext, client: Any, job: Job
) -> None:
    client.jobs.read.return_value = None
    assert await context.prompt_of_job(job.id, member("U0ANNA0000")) == ""
