"""Half an hour of random kills under a steady stream of orders."""

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
from tests.stack import AtelierProcess

MINUTES = float(os.environ.get("ATELIER_SOAK_MINUTES", "30"))
PARTS = ("worker", "worker", "valkey", "postgres", "clock", "web")
PAUSE_SECONDS = (5.0, 45.0)  # a worker needs time to load its model in between
CALM_SECONDS = 600.0  # for the remaining jobs after the last kill
WAITING = 8  # of one member's ten


@pytest.mark.soak
@pytest.mark.chaos
@pytest.mark.timeout(int(MINUTES * 60) + 900)
async def test_random_kills_lose_and_duplicate_no_job(
    new_atelier: Callable[..., AtelierProcess],
) -> None:
    atelier = new_atelier(ATELIER_CONFIG="lucky.toml")
    atelier.home.mkdir()
    (atelier.home / "lucky.toml").write_text(
        "[limits]\nattempts = 100\n"
    )  # random kills must not exhaust them
    await asyncio.to_thread(atelier.start)
    client = await connect(atelier.settings)
    dice = random.Random(7)
    accepted: list[UUID] = []
    ends = time.monotonic() + MINUTES * 60

    async def keep_ordering() -> None:
        while time.monotonic() < ends:
            try:
                for _ in range(WAITING):
                    accepted.append(await order(client, dice.choice((2, 4, 40))))
                batch = accepted[-WAITING:]
                await until_ended(client, batch, MINUTES * 60 + CALM_SECONDS)
            except Unavailable:
                continue  # not accepted

    async def keep_killing() -> None:
        while time.monotonic() < ends:
            await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
            name = dice.choice(PARTS)
            if atelier.alive(name):
                await asyncio.to_thread(atelier.signal_child, name)

    try:
        await asyncio.gather(keep_ordering(), keep_killing())
        await until_ended(client, accepted, CALM_SECONDS)
    finally:
        await client.close()
    url = atelier.settings.database_url
    assert url is not None
    assert_delivered_once(url.get_secret_value(), accepted)
    assert_sums_hold(url.get_secret_value())
    print(f"{len(accepted)} orders, each delivered once")
