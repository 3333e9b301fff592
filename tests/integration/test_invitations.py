"""Whoever is invited from the waitlist is told so once, by whichever bot process comes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bots.core.invitation_notifier import InvitationNotifier
from tasks.client import Client, Invitation, connect
from tasks.client.waitlist import Waitlist
from tasks.jobs.members import Member, Place
from tasks.jobs.tiers import Tier
from tasks.store import waitlist
from tasks.store.database import Database
from tests.integration.stack import PATIENCE
from tests.stack import Servers

ANNA = Member("slack", "T1", "U1", locale="fr")
HERE = Place("slack", "T1", "C1")


@pytest.fixture
async def client(servers: Servers, database_url: str) -> AsyncIterator[Client]:
    settings = servers.settings.model_copy(update={"database_url": SecretStr(database_url)})
    opened = await connect(settings)
    yield opened
    await opened.close()


def invite(database_url: str) -> None:
    database = Database(database_url)
    try:
        database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(minutes=30)))
    finally:
        database.close()


def count_polls(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Awaitable[None]]:
    """Counts polls of any notifier from now on; waits for so many more."""
    original = Waitlist.claim_invitations
    ended = asyncio.Semaphore(0)

    async def claim(self: Waitlist, platform: str, limit: int = 20) -> Sequence[Invitation]:
        found = await original(self, platform, limit)
        ended.release()
        return found

    async def several(number: int) -> None:
        while not ended.locked():
            await ended.acquire()
        for _ in range(number):
            await ended.acquire()

    monkeypatch.setattr(Waitlist, "claim_invitations", claim)
    return several


async def test_invitation_notice_is_repeated_only_after_failure(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = count_polls(monkeypatch)
    await client.waitlist.join(ANNA, HERE)
    invite(database_url)
    told: list[str] = []
    tries, done = 0, asyncio.Event()

    async def tell(_invitation: Invitation, words: str) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionError("the platform is away")
        told.append(words)
        done.set()

    keepers = [
        asyncio.create_task(InvitationNotifier(client, "slack", tell, 0.01, 0.01).run())
        for _ in range(3)
    ]
    other = asyncio.create_task(InvitationNotifier(client, "discord", tell, 0.01, 0.01).run())
    try:
        async with asyncio.timeout(PATIENCE):
            await done.wait()
        async with asyncio.timeout(PATIENCE):
            await polls(20)  # nobody finds it again
    finally:
        for keeper in (*keepers, other):
            keeper.cancel()
        await asyncio.gather(*keepers, other, return_exceptions=True)
    assert tries == 2
    assert len(told) == 1
    assert "tour" in told[0], "it is told in the member's language"


async def test_crashed_notifier_loses_no_invitation(client: Client, database_url: str) -> None:
    """A claim that nothing came of is free again after a while; what was told is told."""
    await client.waitlist.join(ANNA, HERE)
    invite(database_url)
    (claimed,) = await client.waitlist.claim_invitations("slack")
    assert await client.waitlist.claim_invitations("slack") == []
    database = Database(database_url)
    passed = text("UPDATE waitlist SET claimed_at = claimed_at - make_interval(secs => :seconds)")
    with database.begin() as connection:
        connection.execute(passed, {"seconds": waitlist.CLAIM_SECONDS})
    (again,) = await client.waitlist.claim_invitations("slack")
    assert again.member == claimed.member
    await client.waitlist.mark_notified(again)
    with database.begin() as connection:
        connection.execute(passed, {"seconds": waitlist.CLAIM_SECONDS})
    assert await client.waitlist.claim_invitations("slack") == []
    database.close()
