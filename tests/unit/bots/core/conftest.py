"""A command handler with an autospec client; each test sets what the client returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from bots.core.command_handler import CommandHandler
from bots.core.commands import Invocation
from bots.core.image_decoder import Decode, ImageDecoder
from imaging.formats import Encoded
from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation
from tasks.client import WorkspaceSettings
from tasks.jobs.job import Accepted, Job, Order, Picture
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.client_double import client_double

MEMBER = Member("web", "studio", "ann", "Ann")
PLACE = Place("web", "studio", "general")


def a_request(**changes: Any) -> ImageRequest:
    request = ImageRequest(Operation.IMAGINE, "a red house", "postcard", 64, 64, 7)
    return replace(request, **changes)


def an_order(**changes: Any) -> Order:
    return replace(Order("key", "imagine", MEMBER, PLACE, a_request()), **changes)


def a_job(**changes: Any) -> Job:
    job = Job(
        uuid4(), an_order(), Tier.FREE, JobState.QUEUED, 0, 1.0, datetime(2026, 1, 1, tzinfo=UTC)
    )
    return replace(job, **changes)


def a_picture(job: UUID, index: int = 0, **changes: Any) -> Picture:
    picture = Picture(
        uuid4(),
        job,
        index,
        f"pictures/{index}.png",
        "image/png",
        64,
        64,
        7 + index,
        None,
        "a red house",
        a_request(),
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(picture, **changes)


@pytest.fixture
def client() -> Any:
    """A client that accepts every order and has no data otherwise."""
    client = client_double()
    client.admin.workspace_settings.return_value = WorkspaceSettings()
    client.members.preferences.return_value = {}
    client.fleet.models.return_value = ["postcard"]
    client.fleet.orderable_models.return_value = ["postcard"]
    client.fleet.profiles.return_value = {"postcard": profile_for("postcard")}
    client.members.feature_refusal.return_value = None
    client.members.upload_refusal.return_value = None
    client.jobs.submit.side_effect = lambda order: Accepted(a_job(order=order))
    return client


class InProcessDecoder(ImageDecoder):
    """Decodes files in this process: `test_image_decoder.py` tests the real one."""

    __slots__ = ()

    async def run(self, decode: Decode, data: bytes) -> Encoded:
        return decode(data)


@pytest.fixture
def handler(client: Any) -> CommandHandler:
    return CommandHandler(client, profile_for, "postcard", InProcessDecoder())


@pytest.fixture
def invocation() -> Callable[..., Invocation]:
    def make(**changes: Any) -> Invocation:
        return Invocation(replace(MEMBER, **changes), PLACE, "key")

    return make
