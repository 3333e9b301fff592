"""Whoever is invited from the waitlist is told so once, by whichever bot process comes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bots.core.invitations import InvitationKeeper
from tasks.client import Client, Invitation, connect
from tasks.members import Member, Place
from tasks.store import waitlist
from tasks.store.database import Database
from tasks.tiers import Tier
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


async def test_an_invitation_is_told_once_and_again_only_where_it_failed(
    client: Client, database_url: str
) -> None:
    await client.join_waitlist(ANNA, HERE)
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
        asyncio.create_task(InvitationKeeper(client, "slack", tell, 0.01, 0.01).run())
        for _ in range(3)
    ]
    other = asyncio.create_task(InvitationKeeper(client, "discord", tell, 0.01, 0.01).run())
    try:
        await asyncio.wait_for(done.wait(), 30)
        await asyncio.sleep(0.2)  # somebody else would have told it again by now
    finally:
        for keeper in (*keepers, other):
            keeper.cancel()
        await asyncio.gather(*keepers, other, return_exceptions=True)
    assert tries == 2
    assert len(told) == 1
    assert "tour" in told[0], "it is told in the member's language"


async def test_who_dies_over_telling_does_not_lose_it(client: Client, database_url: str) -> None:
    """A claim that nothing came of is free again after a while; what was told is told."""
    await client.join_waitlist(ANNA, HERE)
    invite(database_url)
    (claimed,) = await client.claim_invitations("slack")
    assert await client.claim_invitations("slack") == []
    database = Database(database_url)
    passed = text("UPDATE waitlist SET claimed_at = claimed_at - make_interval(secs => :seconds)")
    with database.begin() as connection:
        connection.execute(passed, {"seconds": waitlist.CLAIM_SECONDS})
    (again,) = await client.claim_invitations("slack")
    assert again.member == claimed.member
    await client.told(again)
    with database.begin() as connection:
        connection.execute(passed, {"seconds": waitlist.CLAIM_SECONDS})
    assert await client.claim_invitations("slack") == []
    database.close()
