"""The playground's side of the contract: its real server, spoken to as its page does."""

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
from bots.web.courier import WebCourier
from tasks.client import Client, connect
from tasks.deliver import Parcel, Receipt
from tasks.job import JobState
from tasks.store import leases, transitions
from tasks.store.database import Database
from tasks.store.transitions import Finished, Posted
from tasks.tiers import Tier
from tests.browser.visitor import Visitor
from tests.contract.stage import Shown
from tests.platforms.slack.conftest import free_port
from tests.stack import Servers

CHANNEL = "general"
LANES = [*(tier.value for tier in Tier), "relaxed"]


@dataclass
class WebActor:
    """Somebody at the page. Answers about oneself are shown there and kept nowhere."""

    visitor: Visitor
    told: list[Shown] = field(default_factory=list)
    last: Mapping[str, str] = field(default_factory=dict)

    async def imagine(self, prompt: str, count: int = 1) -> None:
        """Words in the prompt box."""
        await self._say(f"{prompt} --count {count}", uuid.uuid4().hex)

    async def send_again(self) -> None:
        """The page was not sure that it was heard."""
        await self._say(**self.last)

    async def word(self, word: str) -> None:
        """A command in the prompt box."""
        await self._say(f"/{word}", uuid.uuid4().hex)

    async def press(self, message: Shown, action: Action) -> None:
        """A button."""
        press = partial(self.visitor.press, action.value, message.id)
        self._hear(await asyncio.to_thread(press))

    async def sees(self) -> Sequence[Shown]:
        """The channel, and what this person alone was told."""
        return [*map(_shown, await asyncio.to_thread(self.visitor.messages)), *self.told]

    async def _say(self, text: str, key: str) -> None:
        self.last = {"text": text, "key": key}
        self._hear(await asyncio.to_thread(partial(self.visitor.send, text, key=key)))

    def _hear(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        reply = answer.json()
        if reply["message"] is None:
            facts = [f"{fact['name']} {fact['value']}" for fact in reply["fields"]]
            text = "\n".join([reply["title"], reply["text"], *facts]).strip()
            number = f"told-{len(self.told)}"
            self.told.append(Shown(number, text, reply["private"], _actions(reply), False))


@dataclass
class WebStage:
    """The playground with nobody to draw: the record is settled as a worker settles it."""

    client: Client
    url: str
    database: Database
    platform: str = "web"
    posts: bool = False
    courier: WebCourier = field(default_factory=WebCourier)
    _actors: dict[str, WebActor] = field(default_factory=dict)

    async def actor(self, name: str, tier: Tier = Tier.FREE, locale: str = "en") -> WebActor:
        """Somebody; the same name is the same person."""
        if name not in self._actors:
            visitor = await asyncio.to_thread(
                partial(Visitor, self.url, name, tier.value, locale=locale, channel=CHANNEL)
            )
            self._actors[name] = WebActor(visitor)
        return self._actors[name]

    async def deliver(self, parcel: Parcel) -> Receipt:
        """The record first, which is all that the page shows; then the courier, as ever."""
        await asyncio.to_thread(self.database.run, partial(_settle, parcel=parcel))
        return await self.courier.deliver(parcel)


def _settle(connection: Any, parcel: Parcel) -> None:
    """Take the job out of the line, as a worker does, and write down what became of it."""
    lease = _lease(connection, parcel)
    if lease is None:
        return  # it was settled by an earlier try
    if parcel.job.reason is not None:
        reason, states = parcel.job.reason, [JobState.RUNNING]
        assert transitions.end(connection, lease.job.id, states, JobState.FAILED, reason, told=True)
        return
    poster = uuid.uuid4()
    made = [
        transitions.NewPicture(
            one.id, one.index, one.blob, one.mime, one.width, one.height, one.seed,
            one.request.to_json(),
        )
        for one in (enclosure.picture for enclosure in parcel.enclosures)
    ]  # fmt: skip
    assert transitions.rendered(connection, [Finished(lease, made, poster, 60.0)])[0]
    assert transitions.delivered(connection, [Posted(lease.job.id, poster, str(lease.job.id))])[0]


def _lease(connection: Any, parcel: Parcel) -> transitions.Lease | None:
    """The lease of this very job; those that came first go back to the line."""
    others: list[transitions.Lease] = []
    found: transitions.Lease | None = None
    while found is None:
        taken = leases.lease(connection, "stage", LANES, ["postcard"], 60.0)
        if taken is None:
            break
        if taken.job.id == parcel.job.id:
            found = taken
        else:
            others.append(taken)
    for other in others:
        transitions.requeue(connection, attempts=100, outcome="requeued", lease=other)
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
            await asyncio.wait_for(ready.wait(), 60)
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
