"""A studio whose client is spec'd on the real one; each test sets what the record answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import create_autospec
from uuid import UUID, uuid4

import pytest

from bots.core.command import Ask
from bots.core.studio import Studio
from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation
from tasks.client import Client, WorkspaceSettings
from tasks.job import Accepted, Job, JobState, Order, Picture
from tasks.members import Member, Place
from tasks.tiers import Tier

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
    """The record, as far as a test needs it: every order is accepted, everything else is empty."""
    client = create_autospec(Client, instance=True, spec_set=True)
    client.workspace_settings.return_value = WorkspaceSettings()
    client.preferences.return_value = {}
    client.models.return_value = ["postcard"]
    client.feature_open.return_value = None
    client.submit.side_effect = lambda order: Accepted(a_job(order=order))
    return client


@pytest.fixture
def studio(client: Any) -> Studio:
    return Studio(client, profile_for, "postcard")


@pytest.fixture
def ask() -> Callable[..., Ask]:
    def make(**changes: Any) -> Ask:
        return Ask(replace(MEMBER, **changes), PLACE, "key")

    return make
