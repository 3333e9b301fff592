"""The playground's harness for the platform contract: its real server, called as its page does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from bots.core.reply import Action
from bots.web.app import serve
from bots.web.publisher import WebPublisher
from tasks.client import Client, connect
from tasks.delivery.publisher import Delivery, DeliveryResult
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.store import leases, transitions
from tasks.store.database import Database
from tasks.store.transitions import Finished, Posted
from tests.browser.visitor import Visitor
from tests.contract.harness import Shown
from tests.platforms.slack.conftest import free_port
from tests.stack import Servers

CHANNEL = "general"
LANES = [*(tier.value for tier in Tier), "relaxed"]


@dataclass
class WebActor:
    """A visitor of the page. Private answers are only shown to the visitor and stored nowhere."""

    visitor: Visitor
    private_answers: list[Shown] = field(default_factory=list)
    last: Mapping[str, str] = field(default_factory=dict)

    async def imagine(self, prompt: str, count: int = 1) -> None:
        """Send a prompt."""
        await self._send(f"{prompt} --count {count}", uuid.uuid4().hex)

    async def repeat_request(self) -> None:
        """Repeat the last request, as the page does after a lost response."""
        await self._send(**self.last)

    async def send_command(self, word: str) -> None:
        """Send a command."""
        await self._send(f"/{word}", uuid.uuid4().hex)

    async def press(self, message: Shown, action: Action) -> None:
        """Press a button."""
        press = partial(self.visitor.press, action.value, message.id)
        self._receive(await asyncio.to_thread(press))

    async def sees(self) -> Sequence[Shown]:
        """The channel's messages, and this visitor's private answers."""
        return [*map(_shown, await asyncio.to_thread(self.visitor.messages)), *self.private_answers]

    async def _send(self, text: str, key: str) -> None:
        self.last = {"text": text, "key": key}
        self._receive(await asyncio.to_thread(partial(self.visitor.send, text, key=key)))

    def _receive(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        reply = answer.json()
        if reply["message"] is None:
            facts = [f"{fact['name']} {fact['value']}" for fact in reply["fields"]]
            text = "\n".join([reply["title"], reply["text"], *facts]).strip()
            id_ = f"private-{len(self.private_answers)}"
            self.private_answers.append(Shown(id_, text, reply["private"], _actions(reply), False))


@dataclass
class WebStage:
    """The playground without a worker: jobs are settled as a worker settles them."""

    client: Client
    url: str
    database: Database
    platform: str = "web"
    posts: bool = False
    publisher: WebPublisher = field(default_factory=WebPublisher)
    _actors: dict[str, WebActor] = field(default_factory=dict)

    async def actor(self, name: str, tier: Tier = Tier.FREE, locale: str = "en") -> WebActor:
        """The visitor of a name; the same name is the same visitor."""
        if name not in self._actors:
            visitor = await asyncio.to_thread(
                partial(Visitor, self.url, name, tier.value, locale=locale, channel=CHANNEL)
            )
            self._actors[name] = WebActor(visitor)
        return self._actors[name]

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Settle the job in the database, which the page shows; then call the publisher."""
        await asyncio.to_thread(self.database.run, partial(_settle_job, delivery=delivery))
        return await self.publisher.deliver(delivery)


def _settle_job(connection: Any, delivery: Delivery) -> None:
    """Lease the job and record its result, as a worker does."""
    lease = _lease(connection, delivery)
    if lease is None:
        return  # an earlier attempt settled it
    if delivery.job.reason is not None:
        assert transitions.end_leased(connection, lease, JobState.FAILED, delivery.job.reason)
        return
    poster = uuid.uuid4()
    made = [
        transitions.NewPicture(
            one.id, one.index, one.blob, one.mime, one.width, one.height, one.seed,
            one.request.to_json(),
        )
        for one in (attachment.picture for attachment in delivery.attachments)
    ]  # fmt: skip
    assert transitions.mark_rendered(connection, [Finished(lease, made, poster, 60.0)])[0]
    assert transitions.mark_delivered(
        connection, [Posted(lease.job.id, poster, str(lease.job.id))]
    )[0]


def _lease(connection: Any, delivery: Delivery) -> transitions.Lease | None:
    """The lease of this job; jobs ahead of it are requeued."""
    others: list[transitions.Lease] = []
    found: transitions.Lease | None = None
    while found is None:
        taken = leases.lease(connection, "stage", LANES, ["postcard"], 60.0)
        if taken is None:
            break
        if taken.job.id == delivery.job.id:
            found = taken
        else:
            others.append(taken)
    for other in others:
        transitions.requeue_leased(connection, other, 100)
    return found


@asynccontextmanager
async def open_stage(servers: Servers, folder: Path) -> AsyncIterator[WebStage]:
    """The playground's server in this process, on a database of its own."""
    with servers.database() as url:
        settings = servers.settings.model_copy(
            update={
                "home": folder / "home",
                "database_url": SecretStr(url),
                "web_port": free_port(),
            }
        )
        client, ready = await connect(settings), asyncio.Event()
        database = Database(url)
        serving = asyncio.create_task(serve(settings, ready.set))
        try:
            async with asyncio.timeout(60):
                await ready.wait()
            yield WebStage(client, f"http://127.0.0.1:{settings.web_port}", database)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await client.close()
            database.close()


def _shown(message: Mapping[str, Any]) -> Shown:
    return Shown(
        id=str(message["id"]),
        text=f"{message['title']}\n{message['text']}",
        private=bool(message["private"]),
        actions=_actions(message),
        bar=message["bar"] is not None,
        alts=tuple(picture["alt"] for picture in message["pictures"]),
    )


def _actions(holder: Mapping[str, Any]) -> frozenset[Action]:
    return frozenset(Action(button["action"]) for button in holder["buttons"])
