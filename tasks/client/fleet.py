"""The load at this moment and over the last day, for administrators and operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from imaging.profile_card import profile_of_card
from imaging.profiles import Profile
from tasks.client.async_database import AsyncDatabase
from tasks.client.door_settings import tier_doors
from tasks.client.views import Capacity, TierLoad, WorkerLoad
from tasks.jobs.model_fault import ModelFault
from tasks.jobs.tiers import Tier
from tasks.policy.config import Policy
from tasks.policy.door_overrides import EVERYWHERE
from tasks.queue.device_use import DeviceUse
from tasks.queue.fairness import RELAXED
from tasks.store import current_load, daily_history, doors, estimates, metrics, workers
from tasks.store.daily_history import TimeBucket
from tasks.store.load_snapshot import LoadSnapshot, newcomer_estimate
from tasks.store.load_snapshot import read as read_snapshot
from tasks.store.recorded_day import RecordedDay, recorded_day

BUCKET = timedelta(minutes=10)
BUCKETS_A_DAY = 144


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    policy: Policy

    async def capacity(self) -> Capacity:
        """Queue, waits, workers, doors, calibration: now."""
        return await self.database.run(self._capacity)

    async def last_day(self) -> Sequence[TimeBucket]:
        """The last day in buckets of ten minutes, oldest first."""
        now = datetime.now(UTC)
        return await self.database.run(lambda c: daily_history.day(c, now, BUCKET, BUCKETS_A_DAY))

    async def totals(self) -> Sequence[metrics.Total]:
        """Counters and histograms since the database exists."""
        return await self.database.run(metrics.totals)

    async def recorded_day(self, begin: datetime, end: datetime) -> RecordedDay:
        """The orders of a day with their estimates and true waits."""
        return await self.database.run(lambda c: recorded_day(c, begin, end))

    async def models(self) -> Sequence[str]:
        """Names of the profiles that live workers can serve."""
        seen = await self.database.run(workers.alive)
        return sorted({name for one in seen for name in one.card.profiles})

    async def orderable_models(self) -> Sequence[str]:
        """The same, with those that a worker has yet to try: orders for these wait."""
        seen = await self.database.run(workers.alive)
        pending = {name for one in seen for name in one.card.pending_models}
        return sorted(pending.union(*(one.card.profiles for one in seen)))

    async def profiles(self) -> Mapping[str, Profile | None]:
        """The profiles that live workers serve, by their cards; None for an older worker's."""
        seen = await self.database.run(workers.alive)
        cards = {name: card for one in seen for name, card in one.card.profiles.items()}
        return {name: profile_of_card(name, card) for name, card in cards.items()}

    async def request_drain(self, worker: str) -> None:
        """Ask a worker to finish its running jobs and end; repeat it until the worker is gone."""
        await self.database.run(lambda connection: workers.request_drain(connection, worker))

    def _capacity(self, connection: Connection) -> Capacity:
        load, snapshot = current_load.load(connection), read_snapshot(connection)
        overrides = doors.overrides(connection, EVERYWHERE, EVERYWHERE)
        calibration = {
            tier.value: share
            for tier in Tier
            if (share := snapshot.calibration(tier.value).share) is not None
        }
        return Capacity(
            tiers=[
                self._tier_load(tier, load.running.get(tier.value, 0), snapshot) for tier in Tier
            ],
            workers=_worker_loads(snapshot),
            doors=tier_doors(self.policy, overrides, snapshot),
            waitlist=load.waitlist,
            calibration=calibration,
            at=datetime.now(UTC),
            accuracy=estimates.accuracy(connection),
        )

    def _tier_load(self, tier: Tier, running: int, snapshot: LoadSnapshot) -> TierLoad:
        """A tier's lane; relaxed work is counted with the tier that has it."""
        policy = self.policy.tiers[tier]
        names = {tier.value, *((RELAXED,) if policy.relaxed else ())}
        waiting = [one for one in snapshot.lanes if one.lane in names]
        estimate = newcomer_estimate(snapshot, tier)
        return TierLoad(
            tier=tier,
            queued=sum(one.jobs for one in waiting),
            running=running,
            backlog_seconds=sum(one.seconds for one in waiting),
            wait_p50=estimate.p50 if estimate else None,
            wait_p90=estimate.p90 if estimate else None,
        )


def _worker_loads(snapshot: LoadSnapshot) -> list[WorkerLoad]:
    return [
        WorkerLoad(
            name=seen.card.name,
            profiles=list(seen.card.profiles),
            device=seen.card.device,
            running=seen.card.running,
            slots=seen.card.slots,
            seconds_per_picture=seen.card.rates,
            seen_at=seen.seen_at,
            device_use=DeviceUse.from_json(seen.card.device_use),
            model_faults={
                model: ModelFault.from_json(fault)
                for model, fault in seen.card.model_faults.items()
            },
        )
        for seen in snapshot.workers
    ]
