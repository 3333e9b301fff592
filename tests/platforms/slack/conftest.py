"""Fixtures around the loopback Slack: a fresh one for each test, with one workspace in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.slack.surface import SCOPES
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Channel, User, Workspace

TEAM, TOKEN = "T0001", "xoxb-loopback-0001"
ANNA, BORIS, CHIEF = "U0ANNA0000", "U0BORIS000", "U0CHIEF000"
GENERAL = "C0GENERAL0"


def specs_folder() -> Path | None:
    """Where the platforms' published specifications are, if they are at hand."""
    named = os.environ.get("ATELIER_SPECS")
    return Path(named) / "slack-methods" if named else None


def fill(workspace: Workspace, *, french: bool = True) -> Workspace:
    """The same people and channels in any workspace: ids are only unique inside one."""
    for user in (
        User(ANNA, "anna"),
        User(BORIS, "boris", locale="fr-FR" if french else "en-US"),
        User(CHIEF, "chief", admin=True),
        User(workspace.bot_user, "atelier", bot=True),
    ):
        workspace.users[user.id] = user
    workspace.channels[GENERAL] = Channel(GENERAL, "general", set(workspace.users))
    return workspace


def new_slack() -> LoopbackSlack:
    """A Slack that grants what the manifest asks for, and listens."""
    slack = LoopbackSlack(specs_folder(), frozenset(SCOPES))
    slack.start()
    return slack


@pytest.fixture
def slack() -> Iterator[LoopbackSlack]:
    """A Slack with one workspace; every call must have been one that Slack allows."""
    running = new_slack()
    fill(running.open_workspace(TEAM, "acme", TOKEN))
    yield running
    running.stop()
    assert running.violations == []


@pytest.fixture
def team(slack: LoopbackSlack) -> Workspace:
    """Its workspace."""
    return slack.workspaces[TEAM]
