"""Slack's part of the contract: the real bolt app over Socket Mode, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.core.reply import Action
from bots.slack.app import serve
from bots.slack.blocks import ACTION_PREFIX
from bots.slack.publisher import SlackPublisher, connect
from tasks.client import Client
from tasks.client import connect as connect_client
from tasks.delivery.publisher import Delivery, DeliveryResult
from tasks.jobs.job import JobEvent
from tasks.jobs.tiers import Tier
from tasks.runtime.settings import Settings
from tests.contract.harness import Shown
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import GENERAL, TEAM, TOKEN, fill, new_slack
from tests.platforms.slack.deliveries import SocketSender, event_callback
from tests.platforms.slack.member import Person, read
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import JSON, Channel, Message, User
from tests.stack import Servers

GROUPS = {tier: f"S0{tier.upper():0<8}" for tier in Tier if tier.paid}


@dataclass
class SlackActor:
    """A member. Each action waits, in a thread, for the app's response."""

    person: Person
    last: JSON = field(default_factory=dict)

    async def imagine(self, prompt: str, count: int = 1) -> None:
        """Mention the app in a new channel: Slack limits messages per channel."""
        workspace = self.person.workspace
        channel = Channel(self.person.slack.clock.id("C"), "studio", set(workspace.users))
        workspace.channels[channel.id] = channel
        words = f"<@{workspace.bot_user}> {prompt} --count {count}"
        event = self.person.write(channel.id, words, None) | {"type": "app_mention"}
        self.last = event_callback(TEAM, event, self.person.slack.clock.id("Ev"))

        def answered() -> bool:
            return bool(self.person.answers(channel.id, event["ts"]))

        await self._act(lambda: self._send(self.last), answered)

    async def repeat_request(self) -> None:
        """Deliver the same message under another event id."""
        again = self.last | {"event_id": self.person.slack.clock.id("Ev")}
        await asyncio.to_thread(self._send, again)

    async def send_command(self, word: str) -> None:
        """A slash command."""
        await self._act(lambda: self.person.command("/atelier", word, GENERAL))

    async def press(self, message: Shown, action: Action) -> None:
        """Press a button of a message in the channel."""
        channels = self.person.workspace.channels.values()
        pressed = next(c.messages[message.id] for c in channels if message.id in c.messages)
        label = next(b["text"]["text"] for b in rules.buttons(pressed.blocks)
                     if _action(b) is action)  # fmt: skip
        await self._act(lambda: self.person.press(pressed, label))

    async def sees(self) -> Sequence[Shown]:
        """The app's messages in the member's channels, and its ephemeral messages to them."""
        found = [
            self._shown(message, private=channel.id.startswith("D"))
            for channel in self.person.workspace.channels.values()
            if self.person.user in channel.members
            for message in channel.messages.values()
            if message.bot and not message.deleted
        ]
        return found + [
            Shown(
                f"ephemeral-{number}",
                read(message.text, message.blocks),
                True,
                _actions(message.blocks),
                False,
            )
            for number, message in enumerate(self.person.ephemeral_messages())
        ]

    async def _act(
        self, act: Callable[[], object], done: Callable[[], bool] = lambda: False
    ) -> None:
        """Perform an action and wait for a reply, posted or ephemeral."""
        before = len(self.person.ephemeral_messages())
        await asyncio.to_thread(act)
        await asyncio.to_thread(
            self.person.slack.until,
            "the app's reply",
            lambda: done() or len(self.person.ephemeral_messages()) > before,
        )

    def _send(self, payload: JSON) -> None:
        self.person.slack.run(self.person.sender.send("events_api", payload))

    def _shown(self, message: Message, private: bool) -> Shown:
        text = read(message.text, message.blocks)
        alts = tuple(b["alt_text"] for b in message.blocks if b["type"] == "image")
        visible = alts[: len(self.person.pictures(message))]
        bar = "▰" in text or "▱" in text
        return Shown(message.ts, text, private, _actions(message.blocks), bar, visible)


@dataclass
class SlackHarness:
    """The running app."""

    client: Client
    publisher: SlackPublisher
    slack: LoopbackSlack
    settings: Settings
    actors: dict[str, SlackActor] = field(default_factory=dict)
    platform: str = "slack"
    posts: bool = True

    async def actor(self, name: str, tier: Tier = Tier.FREE, locale: str = "en") -> SlackActor:
        """A member whose user group gives this tier."""
        if name not in self.actors:
            workspace = self.slack.workspaces[TEAM]
            id_ = f"U{name.upper():0<9}"
            workspace.users[id_] = User(id_, name, locale=f"{locale}-XX")
            person = Person(self.slack, workspace, id_, SocketSender(self.slack.sockets))
            for channel in workspace.channels.values():
                if not channel.id.startswith("D"):
                    channel.members.add(id_)
            if tier.paid:
                workspace.groups[GROUPS[tier]].add(id_)
                changed = {"type": "subteam_members_changed", "subteam_id": GROUPS[tier]}
                await asyncio.to_thread(person.send_event, changed)
            self.actors[name] = SlackActor(person)
        return self.actors[name]

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Deliver with the publisher."""
        return await self.publisher.deliver(delivery)


@dataclass(frozen=True)
class _PublisherContext:
    """The context the worker gives a publisher with a configured token."""

    settings: Settings

    async def install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """No other workspace has installed the app."""
        return None

    async def publish(self, event: JobEvent) -> None:
        """Discard the event."""


@asynccontextmanager
async def open_stage(servers: Servers, folder: Path) -> AsyncIterator[SlackHarness]:
    """Run the app against a new loopback Slack and a new database."""
    slack = new_slack()
    workspace = fill(slack.open_workspace(TEAM, "acme", TOKEN))
    workspace.groups |= {group: set() for group in GROUPS.values()}
    with servers.database() as database:
        settings = _settings(servers, folder, database, slack)
        client, ready = await connect_client(settings), asyncio.Event()
        publisher = connect(_PublisherContext(settings))
        assert publisher is not None
        serving = asyncio.create_task(serve(settings, ready.set))
        try:
            async with asyncio.timeout(60):
                await ready.wait()
            yield SlackHarness(client, publisher, slack, settings)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await publisher.close()
            await client.close()
            slack.stop()
    assert slack.violations == []


def _settings(servers: Servers, folder: Path, database: str, slack: LoopbackSlack) -> Settings:
    policy = folder / "atelier.toml"
    groups = "\n".join(f'{group} = "{tier}"' for tier, group in GROUPS.items())
    policy.write_text(f"[slack.workspaces.{TEAM}.usergroups]\n{groups}\n")
    return servers.settings.model_copy(
        update={
            "database_url": SecretStr(database),
            "config": policy,
            "slack_api_url": slack.api_url,
            "slack_bot_token": SecretStr(TOKEN),
            "slack_app_token": SecretStr(slack.app_token),
        }
    )


def _actions(blocks: list[JSON]) -> frozenset[Action]:
    return frozenset(_action(button) for button in rules.buttons(blocks))


def _action(button: JSON) -> Action:
    return Action(button["action_id"].removeprefix(ACTION_PREFIX).partition(":")[0])
