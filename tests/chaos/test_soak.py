"""Half an hour of bad luck: parts killed at random under a steady stream of orders."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from uuid import UUID

import pytest

from tasks.client import Unavailable, connect
from tests.chaos.accounts import assert_delivered_once, assert_sums_hold
from tests.chaos.orders import order, until_ended
from tests.stack import Studio

MINUTES = float(os.environ.get("ATELIER_SOAK_MINUTES", "30"))
PARTS = ("worker", "worker", "valkey", "postgres", "clock", "web")
PAUSE_SECONDS = (2.0, 15.0)
WAITING = 8  # of one member's ten


@pytest.mark.soak
@pytest.mark.chaos
@pytest.mark.timeout(int(MINUTES * 60) + 900)
async def test_bad_luck_loses_and_doubles_nothing(new_studio: Callable[..., Studio]) -> None:
    studio = await asyncio.to_thread(new_studio().start)
    client = await connect(studio.settings)
    dice = random.Random(7)
    accepted: list[UUID] = []
    ends = time.monotonic() + MINUTES * 60

    async def keep_ordering() -> None:
        while time.monotonic() < ends:
            try:
                batch = [await order(client, dice.choice((2, 4, 40))) for _ in range(WAITING)]
                accepted.extend(batch)
                await until_ended(client, batch)
            except Unavailable:
                continue  # not accepted, so nothing is owed

    async def keep_killing() -> None:
        while time.monotonic() < ends:
            await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
            name = dice.choice(PARTS)
            if studio.alive(name):
                await asyncio.to_thread(studio.signal_child, name)

    try:
        await asyncio.gather(keep_ordering(), keep_killing())
        await until_ended(client, accepted)
    finally:
        await client.close()
    url = studio.settings.database_url
    assert url is not None
    assert_delivered_once(url.get_secret_value(), accepted)
    assert_sums_hold(url.get_secret_value())
    print(f"{len(accepted)} orders, each delivered once")
