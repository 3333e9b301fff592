"""Fixtures around the loopback Slack: a fresh one for each test, with one workspace in it."""

from __future__ import annotations

import os
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

from bots.slack.roles import SETTLES
from bots.slack.surface import SCOPES
from tests.platforms.slack.deliveries import HttpLine, Line, SocketLine
from tests.platforms.slack.member import Person
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Channel, User, Workspace
from tests.stack import Studio, wait_until

if TYPE_CHECKING:
    from tests.platforms.conftest import House

TEAM, TOKEN = "T0001", "xoxb-loopback-0001"
OTHER_TEAM, THIRD_TEAM = "T0002", "T0003"
PLUS_GROUP, PRO_GROUP = "S0PLUS0000", "S0PRO00000"
SECRET = "loopback-signing-secret"
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


TOWN_POLICY = f"""
[slack.workspaces.{TEAM}.usergroups]
{PLUS_GROUP} = "plus"
{PRO_GROUP} = "pro"

[slack.workspaces.{OTHER_TEAM}.usergroups]
{PLUS_GROUP} = "plus"

[slack.workspaces.{THIRD_TEAM}.usergroups]
{PLUS_GROUP} = "plus"
"""


@dataclass
class Town:
    """A Slack, a running studio that serves it, and a way from one to the other."""

    slack: LoopbackSlack
    studio: Studio
    line: Line

    def person(self, user: str, team: str = TEAM) -> Person:
        """A member of a workspace."""
        return Person(self.slack, self.slack.workspaces[team], user, self.line)

    def channel(self, name: str, team: str = TEAM) -> str:
        """A fresh channel with everybody in it, so that tests do not meet each other."""
        workspace = self.slack.workspaces[team]
        id_ = f"C{name.upper():0<9}"[:10]
        workspace.channels[id_] = Channel(id_, name, set(workspace.users))
        return id_

    def newcomer(self, name: str, *, groups: tuple[str, ...] = (), team: str = TEAM) -> Person:
        """A new member with a quota of their own, in every channel; `groups` has them already."""
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
        """Put a member into groups, tell the app, and wait until it may look again."""
        workspace = person.workspace
        for group in groups:
            workspace.groups.setdefault(group, set()).add(person.user)
            person.tell(
                {"type": "subteam_members_changed", "subteam_id": group, "team_id": workspace.id}
            )
        looks = [c.at for c in self.slack.called("usergroups.list") if c.workspace == workspace.id]
        time.sleep(max(0.0, max(looks, default=0.0) + SETTLES + 0.1 - time.monotonic()))


def newcomers(group: str) -> set[str]:
    """Ids that belong to a group before their people come: so nobody waits for a change of it."""
    return {f"U{group[2:6]}{number:05d}" for number in range(30)}


def new_town_slack() -> LoopbackSlack:
    """A Slack with three workspaces; the app is installed in the first."""
    slack = new_slack()
    for team, name in ((TEAM, "acme"), (OTHER_TEAM, "globex"), (THIRD_TEAM, "initech")):
        workspace = fill(slack.open_workspace(team, name, TOKEN if team == TEAM else None))
        workspace.groups |= {group: newcomers(group) for group in (PLUS_GROUP, PRO_GROUP)}
    return slack


@pytest.fixture(scope="session")
def town(house: House) -> Town:
    """A studio over Socket Mode, with the bot token of one workspace; shared by the session."""
    return Town(house.slack, house.studio, SocketLine(house.slack.sockets))


@pytest.fixture(scope="session")
def http_town(town: Town) -> Iterator[Town]:
    """The same Slack and studio, reached by signed HTTP: one more web process, without the
    tokens of Socket Mode, through which two more workspaces install the app."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    environment = serving(town.studio, port)
    with (town.studio.home / "http.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bots.cli", "web"],
            env=environment,
            cwd=town.studio.home,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(f"{origin}/healthz"), 120, "the web process answers")
        for team in (OTHER_TEAM, THIRD_TEAM):
            assert install(town.slack, origin, team).status_code == 200
        yield Town(town.slack, town.studio, HttpLine(origin, SECRET))
    finally:
        process.terminate()
        process.wait(20)


def serving(studio: Studio, port: int) -> dict[str, str]:
    """The environment of a web process that Slack reaches over HTTP."""
    database, valkey = studio.settings.database_url, studio.settings.redis_url
    assert database is not None
    assert valkey is not None
    without = {"ATELIER_SLACK_BOT_TOKEN", "ATELIER_SLACK_APP_TOKEN"}
    kept = {k: v for k, v in studio.full_environment.items() if k not in without}
    return kept | {
        "ATELIER_WEB_PORT": str(port),
        "ATELIER_DATABASE_URL": database.get_secret_value(),
        "ATELIER_REDIS_URL": valkey.get_secret_value(),
        "ATELIER_SLACK_SIGNING_SECRET": SECRET,
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a page is there."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def install(slack: LoopbackSlack, origin: str, team: str) -> httpx.Response:
    """Add the app to a workspace as its administrator does, through the pages of the app."""
    page = httpx.get(f"{origin}/slack/install")
    cookie = page.headers["set-cookie"].partition(";")[0]
    state = cookie.partition("=")[2]
    assert f"state={state}" in page.text, "the page does not lead to Slack with our state"
    code = slack.clock.id("code-")
    slack.oauth.codes[code] = team
    return httpx.get(
        f"{origin}/slack/oauth_redirect",
        params={"code": code, "state": state},
        headers={"Cookie": cookie},
    )
