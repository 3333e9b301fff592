"""Fixtures: the loopback Slack, and a running Atelier connected to it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from bots.slack.app_spec import SCOPES
from bots.slack.roles import REFRESH_SECONDS
from tests.platform_specs import specs_folder
from tests.platforms.slack.deliveries import HttpSender, Sender, SocketSender
from tests.platforms.slack.member import Person
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Channel, User, Workspace
from tests.stack import AtelierProcess, wait_until

if TYPE_CHECKING:
    from tests.platforms.conftest import Platforms

TEAM, TOKEN = "T0001", "xoxb-loopback-0001"
OTHER_TEAM, THIRD_TEAM = "T0002", "T0003"
PLUS_GROUP, PRO_GROUP = "S0PLUS0000", "S0PRO00000"
SECRET = "loopback-signing-secret"
ANNA, BORIS, ADMIN = "U0ANNA0000", "U0BORIS000", "U0CHIEF000"
GENERAL = "C0GENERAL0"


def methods_folder() -> Path | None:
    """The folder of Slack's published methods, where there is one."""
    folder = specs_folder()
    return folder / "slack-methods" if folder else None


def fill(workspace: Workspace, *, french: bool = True) -> Workspace:
    """Add the same people and channels to any workspace: ids are unique only inside one."""
    for user in (
        User(ANNA, "anna"),
        User(BORIS, "boris", locale="fr-FR" if french else "en-US"),
        User(ADMIN, "chief", admin=True),
        User(workspace.bot_user, "atelier", bot=True),
    ):
        workspace.users[user.id] = user
    workspace.channels[GENERAL] = Channel(GENERAL, "general", set(workspace.users))
    return workspace


def new_slack() -> LoopbackSlack:
    """A started loopback Slack that grants the scopes of the manifest."""
    slack = LoopbackSlack(methods_folder(), frozenset(SCOPES))
    slack.start()
    return slack


@pytest.fixture
def slack() -> Iterator[LoopbackSlack]:
    """A Slack with one workspace; fails where a call violated the published methods."""
    running = new_slack()
    fill(running.open_workspace(TEAM, "acme", TOKEN))
    yield running
    running.stop()
    assert running.violations == []


@pytest.fixture
def team(slack: LoopbackSlack) -> Workspace:
    """Its workspace."""
    return slack.workspaces[TEAM]


STACK_POLICY = f"""
[limits]
upload_megabytes = 2
[slack.workspaces.{TEAM}.usergroups]
{PLUS_GROUP} = "plus"
{PRO_GROUP} = "pro"

[slack.workspaces.{OTHER_TEAM}.usergroups]
{PLUS_GROUP} = "plus"

[slack.workspaces.{THIRD_TEAM}.usergroups]
{PLUS_GROUP} = "plus"
"""


@dataclass
class SlackStack:
    """A loopback Slack, a running Atelier, and the sender that connects them."""

    slack: LoopbackSlack
    atelier: AtelierProcess
    sender: Sender

    def person(self, user: str, team: str = TEAM) -> Person:
        """A member of a workspace."""
        return Person(self.slack, self.slack.workspaces[team], user, self.sender)

    def channel(self, name: str, team: str = TEAM) -> str:
        """A new channel with every member in it, to isolate tests from each other."""
        workspace = self.slack.workspaces[team]
        id_ = f"C{name.upper():0<9}"[:10]
        workspace.channels[id_] = Channel(id_, name, set(workspace.users))
        return id_

    def new_member(self, name: str, *, groups: tuple[str, ...] = (), team: str = TEAM) -> Person:
        """A new member in every channel; `groups` lists their ids already."""
        workspace = self.slack.workspaces[team]
        places = sorted(set.intersection(*(workspace.groups[g] for g in groups))) if groups else []
        free = [id_ for id_ in places if id_ not in workspace.users]
        id_ = free[0] if groups else f"U{name.upper():0<9}"[:10]
        workspace.users[id_] = User(id_, name)
        for channel in workspace.channels.values():
            if not channel.id.startswith("D"):
                channel.members.add(id_)
        return self.person(id_, team)

    def change_groups(self, person: Person, *groups: str) -> None:
        """Add a member to groups, send the event, and wait until the app may list groups."""
        workspace = person.workspace
        for group in groups:
            workspace.groups.setdefault(group, set()).add(person.user)
            person.send_event(
                {"type": "subteam_members_changed", "subteam_id": group, "team_id": workspace.id}
            )
        calls = [c.at for c in self.slack.called("usergroups.list") if c.workspace == workspace.id]
        time.sleep(max(0.0, max(calls, default=0.0) + REFRESH_SECONDS + 0.1 - time.monotonic()))


def reserved_members(group: str) -> set[str]:
    """User ids reserved in a group, so that new members need no group change."""
    return {f"U{group[2:6]}{number:05d}" for number in range(30)}


def new_stack_slack() -> LoopbackSlack:
    """A Slack with three workspaces; the app is installed in the first."""
    slack = new_slack()
    for team, name in ((TEAM, "acme"), (OTHER_TEAM, "globex"), (THIRD_TEAM, "initech")):
        workspace = fill(slack.open_workspace(team, name, TOKEN if team == TEAM else None))
        workspace.groups |= {group: reserved_members(group) for group in (PLUS_GROUP, PRO_GROUP)}
    return slack


@pytest.fixture(scope="session")
def slack_stack(house: Platforms) -> SlackStack:
    """Atelier over Socket Mode, with the bot token of one workspace; session scope."""
    return SlackStack(house.slack, house.atelier, SocketSender(house.slack.sockets))


@pytest.fixture(scope="session")
def http_stack(slack_stack: SlackStack) -> Iterator[SlackStack]:
    """The same Slack and Atelier over signed HTTP.

    A second `atelier slack` runs without the tokens of Socket Mode; two more workspaces install the
    app through its pages.
    """
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    environment = serving(slack_stack.atelier, port)
    with (slack_stack.atelier.home / "http.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bots.cli", "slack"],
            env=environment,
            cwd=slack_stack.atelier.home,
            stderr=log,
        )
    try:
        wait_until(
            lambda: answers(f"{origin}/slack/events?ssl_check=1"), 120, "Slack's routes answer"
        )
        for team in (OTHER_TEAM, THIRD_TEAM):
            assert install(slack_stack.slack, origin, team).status_code == 200
        yield SlackStack(slack_stack.slack, slack_stack.atelier, HttpSender(origin, SECRET))
    finally:
        process.terminate()
        process.wait(20)


def serving(atelier: AtelierProcess, port: int) -> dict[str, str]:
    """The environment of a bot that serves Slack over HTTP."""
    database, valkey = atelier.settings.database_url, atelier.settings.redis_url
    assert database is not None
    assert valkey is not None
    without = {"ATELIER_SLACK_BOT_TOKEN", "ATELIER_SLACK_APP_TOKEN"}
    kept = {k: v for k, v in atelier.full_environment.items() if k not in without}
    return kept | {
        "ATELIER_SLACK_HTTP_PORT": str(port),
        "ATELIER_DATABASE_URL": database.get_secret_value(),
        "ATELIER_REDIS_URL": valkey.get_secret_value(),
        "ATELIER_SLACK_SIGNING_SECRET": SECRET,
    }


def free_port() -> int:
    """An unused port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the URL answers with status 200."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def install(slack: LoopbackSlack, origin: str, team: str) -> httpx.Response:
    """Install the app in a workspace through its installation pages."""
    page = httpx.get(f"{origin}/slack/install")
    cookie = page.headers["set-cookie"].partition(";")[0]
    state = cookie.partition("=")[2]
    assert f"state={state}" in page.text, "the page does not link to Slack with the state"
    code = slack.clock.id("code-")
    slack.oauth.codes[code] = team
    return httpx.get(
        f"{origin}/slack/oauth_redirect",
        params={"code": code, "state": state},
        headers={"Cookie": cookie},
    )
