"""A launch day on a real deployment: a trace submitted in real time, and its results."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from tasks.jobs.job import Accepted
from tasks.jobs.tiers import Tier
from tasks.policy.doors import DoorLevel
from tasks.store import members, waitlist
from tests.integration.stack import PLACE, Deployment, member, order, request

STEPS = 10

POLICY = """
[tiers.free]
running = 1
waiting = 6
quota = "10000/1h"

[tiers.plus]
running = 3
waiting = 10

[doors]
longest_wait = "{longest_wait:g}s"
stands = "{stands:g}s"
rises = "1s"
"""

HOG = "hog"
FIRST = "warm"  # whose picture is the first of all
PAUSE = 5.0  # seconds before a guest whose order was refused asks again


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody asks at `at` seconds from the start."""

    at: float
    tier: Tier
    who: str


def policy(longest_wait: float, stands: float) -> str:
    """Automatic doors for Free that follow a day of minutes."""
    return POLICY.format(longest_wait=longest_wait, stands=stands)


def map_tier_roles(deployment: Deployment) -> None:
    """Give each tier a role of its own name."""
    with deployment.database.begin() as connection:
        for tier in Tier:
            members.map_role(connection, "test", "server", tier.value, tier)


def demand(
    seconds: float, rate: float, paid_rate: float, crowd: int = 100, seed: int = 5
) -> list[Wish]:
    """Four tiers: `rate` orders a second for Free, `paid_rate` for the others together.

    Half of all Free orders come from one member, the others from a crowd of so many.
    """
    chance = random.Random(seed)
    wishes = [
        Wish(at, Tier.FREE, HOG if chance.random() < 0.5 else f"free{chance.randrange(crowd)}")
        for at in _poisson(chance, rate, seconds)
    ]
    paid = [Tier.PLUS, Tier.TEAM, Tier.PRO]
    wishes += [
        Wish(at, chance.choice(paid), f"paid{chance.randrange(8)}")
        for at in _poisson(chance, paid_rate, seconds)
    ]
    return sorted(wishes, key=lambda wish: wish.at)


def _poisson(chance: random.Random, rate: float, seconds: float) -> Iterator[float]:
    at = chance.expovariate(rate)
    while at < seconds:
        yield at
        at += chance.expovariate(rate)


@dataclass(slots=True)
class Came:
    """What came of a day."""

    accepted: dict[UUID, Wish] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    rungs: list[DoorLevel] = field(default_factory=list)  # of the door of Free, as it changed
    turned_away: dict[str, float] = field(default_factory=dict)  # guests, and when


def ask(deployment: Deployment, wish: Wish, came: Came) -> bool:
    """Order now; whoever is told to joins the waitlist. Whether the order was taken."""
    who = member(wish.who, wish.tier.value)
    outcome = deployment.admission.submit(order(who, request=request(steps=STEPS)))
    if isinstance(outcome, Accepted):
        came.accepted[outcome.job.id] = wish
        return True
    came.refused[outcome.reason.code] += 1
    if outcome.reason.code == "doors-waitlist":
        deployment.database.run(lambda connection: waitlist.join(connection, who, PLACE))
    return False


def send(deployment: Deployment, wishes: Sequence[Wish], came: Came) -> None:
    """Send every wish at its time, as many at once as it takes; who is invited asks again.

    The doors are watched meanwhile.
    """
    begun = time.monotonic()

    def in_time(wish: Wish) -> None:
        time.sleep(max(0.0, begun + wish.at - time.monotonic()))
        ask(deployment, wish, came)

    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(in_time, wish) for wish in wishes]
        while not all(one.done() for one in asked):
            watch(deployment, came)
            welcome(deployment, came)
            time.sleep(0.2)
        for one in asked:
            one.result()


def welcome(deployment: Deployment, came: Came) -> None:
    """Whoever holds an invitation asks; who is refused all the same tries again a little later."""
    query = "SELECT member ->> 'id' AS id FROM waitlist WHERE invited_until > now()"
    with deployment.database.begin() as connection:
        guests = [row.id for row in connection.execute(text(query))]
    for guest in guests:
        now = time.monotonic()
        if now - came.turned_away.get(guest, -PAUSE) >= PAUSE and not ask(
            deployment, Wish(0.0, Tier.FREE, guest), came
        ):
            came.turned_away[guest] = now


def watch(deployment: Deployment, came: Came) -> None:
    """Write down a move of Free's automatic door."""
    door_level = door(deployment)
    if not came.rungs or came.rungs[-1] is not door_level:
        came.rungs.append(door_level)


def door(deployment: Deployment) -> DoorLevel:
    """Where Free's automatic door stands."""
    query = "SELECT (memory ->> 'rung')::int FROM doors WHERE platform = '*' AND subject = 'free'"
    with deployment.database.begin() as connection:
        return DoorLevel(connection.scalar(text(query)) or 0)


def warm_up(deployment: Deployment) -> None:
    """A first picture, and the clock has learnt what it takes."""
    job = deployment.submit(order(member(FIRST, "pro"), request=request(steps=STEPS)))
    deployment.wait_ended(job.id)
    query = text("SELECT count(*) FROM costs")
    deployment.wait(
        lambda: bool(deployment.database.run(lambda c: c.scalar(query))), "the first cost is learnt"
    )


def waits(deployment: Deployment, tiers: Sequence[Tier]) -> list[float]:
    """Seconds from order to picture, of every finished job of these tiers, sorted.

    Without the first of all, which waited for the worker to start.
    """
    query = """
        SELECT extract(epoch FROM rendered_at - created_at) AS wait FROM jobs
        WHERE state = 'done' AND tier = ANY (:tiers) AND member_key <> :first ORDER BY 1
    """
    values = {"tiers": [tier.value for tier in tiers], "first": member(FIRST).key}
    with deployment.database.begin() as connection:
        rows = connection.execute(text(query), values)
        return [float(row.wait) for row in rows]


def kept(deployment: Deployment, lane: str | None = None) -> tuple[float, int]:
    """The share of members (of a lane) who had their picture within the p90 that they were told.

    And how many they were.
    """
    query = """
        SELECT coalesce(avg((actual <= p90)::int), 0) AS share, count(*) AS members
        FROM estimates WHERE actual IS NOT NULL AND lane = coalesce(:lane, lane)
    """
    with deployment.database.begin() as connection:
        row = connection.execute(text(query), {"lane": lane}).one()
    return float(row.share), row.members


def quantile(values: Sequence[float], level: float) -> float:
    """The value below which a share `level` of sorted values lies."""
    return values[min(len(values) - 1, int(level * len(values)))]
