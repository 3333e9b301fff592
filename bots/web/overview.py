"""The studio at a glance: the administrators' page, and the same figures for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bots.core.reasons import sentence
from bots.core.sentences import speak
from bots.web.guard import refuse
from bots.web.roles import PLATFORM, WORKSPACE, member_of
from tasks.client import AnyDoors, Capacity, Client, Doors, Stretch, TierLoad, WorkerLoad
from tasks.job import Reason
from tasks.tiers import Feature, Tier


@dataclass(frozen=True, slots=True)
class Overview:
    """The routes of the administrators' page; `page` is the folder of its files."""

    client: Client
    page: Path

    def routes(self) -> list[Route]:
        """The page, and its figures."""
        return [
            Route("/studio", self.show),
            Route("/api/studio", self.figures),
            Route("/api/studio/day", self.day),
        ]

    async def show(self, _request: Request) -> Response:
        """The page itself; it holds no figures."""
        return FileResponse(self.page / "studio.html", headers={"Cache-Control": "no-cache"})

    async def figures(self, request: Request) -> Response:
        """Queue, waits, doors and workers now, for administrators."""
        if refused := only_administrators(request):
            return refused
        capacity = await self.client.capacity()
        doors = await self.client.doors(PLATFORM, WORKSPACE)
        body = capacity_json(capacity, {each.tier.value: each for each in doors})
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def day(self, request: Request) -> Response:
        """The last day from the record, for administrators."""
        if refused := only_administrators(request):
            return refused
        day = [stretch_json(each) for each in await self.client.day()]
        return JSONResponse({"day": day}, headers={"Cache-Control": "no-store"})


def only_administrators(request: Request) -> Response | None:
    """Why this member may not see the figures; None for administrators."""
    member = member_of(request)
    if member.administrator:
        return None
    code = "only-administrators"
    return refuse(403, code, sentence(Reason(code), speak(member.locale)))


@dataclass(frozen=True, slots=True)
class Metrics:
    """The route that Prometheus reads. It tells sums, and nothing of any member."""

    client: Client

    def routes(self) -> list[Route]:
        """Where the metrics are."""
        return [Route("/metrics", self.show)]

    async def show(self, _request: Request) -> Response:
        """The figures of this moment, in the text format of Prometheus."""
        registry = CollectorRegistry()
        capacity, doors = await self.client.capacity(), await self.client.every_door()
        registry.register(Snapshot(capacity, doors))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def capacity_json(capacity: Capacity, doors: dict[str, Doors]) -> dict[str, Any]:
    """The figures as the page reads them; waits in seconds, None where nothing is known."""
    return {
        "at": capacity.at.isoformat(),
        "tiers": [_tier(each, doors.get(each.tier.value), capacity) for each in capacity.tiers],
        "workers": [_worker(each) for each in capacity.workers],
        "waitlist": capacity.waitlist,
    }


def stretch_json(stretch: Stretch) -> dict[str, Any]:
    """A part of the day as the page reads it; tiers in which nothing was made have no wait."""
    return {
        "until": stretch.until.isoformat(),
        "queued": dict(stretch.queued),
        "waits": {tier: wait.total_seconds() for tier, wait in stretch.waits.items()},
        "made": dict(stretch.made),
    }


def _tier(load: TierLoad, doors: Doors | None, capacity: Capacity) -> dict[str, Any]:
    return {
        "tier": load.tier.value,
        "queued": load.queued,
        "running": load.running,
        "backlog": load.backlog_seconds,
        "p50": _seconds(load.wait_p50),
        "p90": _seconds(load.wait_p90),
        "calibration": capacity.calibration.get(load.tier.value),
        "doors": {"set": doors.set_to.value, "now": doors.now.value, "degraded": doors.degraded}
        if doors
        else None,
    }


def _worker(load: WorkerLoad) -> dict[str, Any]:
    return {
        "name": load.name,
        "device": load.device,
        "profiles": list(load.profiles),
        "running": load.running,
        "slots": load.slots,
        "rates": dict(load.seconds_per_picture),
        "seen_at": load.seen_at.isoformat(),
    }


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length is not None else None


@dataclass(frozen=True, eq=False)  # a registry tells collectors apart by identity
class Snapshot(Collector):
    """One reading of the studio, as gauges."""

    capacity: Capacity
    doors: Sequence[AnyDoors]

    def collect(self) -> Iterator[Metric]:
        """Every gauge with its samples."""
        yield from self._tiers()
        yield from self._doors()
        yield from self._workers()
        waitlist = GaugeMetricFamily("atelier_waitlist_members", "Members waiting for doors")
        waitlist.add_metric([], self.capacity.waitlist)
        yield waitlist

    def _tiers(self) -> Iterator[Metric]:
        queued = _gauge("atelier_jobs_queued", "Jobs waiting", "tier")
        running = _gauge("atelier_jobs_running", "Jobs being made", "tier")
        backlog = _gauge("atelier_backlog_seconds", "Waiting work in GPU seconds", "tier")
        wait = _gauge("atelier_wait_seconds", "Predicted wait of a new job", "tier", "quantile")
        kept = _gauge("atelier_calibration_ratio", "Share served within their p90", "tier")
        for load in self.capacity.tiers:
            tier = load.tier.value
            queued.add_metric([tier], load.queued)
            running.add_metric([tier], load.running)
            backlog.add_metric([tier], load.backlog_seconds)
            for quantile, length in (("0.5", load.wait_p50), ("0.9", load.wait_p90)):
                if length is not None:
                    wait.add_metric([tier, quantile], length.total_seconds())
        for tier, share in self.capacity.calibration.items():
            kept.add_metric([tier], share)
        yield from (queued, running, backlog, wait, kept)

    def _doors(self) -> Iterator[Metric]:
        """As they stand where a server has set nothing; and how many servers have."""
        tier = _gauge("atelier_doors", _STATE_OF.format("a tier's doors"), "tier", "state")
        feature = _gauge(
            "atelier_feature_doors", _STATE_OF.format("a feature's doors"), "feature", "state"
        )
        whole = _gauge("atelier_whole_doors", _STATE_OF.format("all doors"), "door", "state")
        less = _gauge("atelier_doors_degraded", "1 where only smaller pictures are let in", "door")
        servers = _gauge("atelier_server_doors", "Servers that set a door so", "door", "state")
        for door in self.doors:
            name, kind = door.subject.value, whole
            if isinstance(door.subject, Tier | Feature):
                kind = tier if isinstance(door.subject, Tier) else feature
                less.add_metric([name], door.degraded)
            kind.add_metric([name, door.now.value], 1)
            for state, number in Counter(door.servers.values()).items():
                servers.add_metric([name, state.value], number)
        yield from (tier, feature, whole, less, servers)

    def _workers(self) -> Iterator[Metric]:
        slots = _gauge("atelier_worker_slots", "Pictures a worker takes at once", "worker")
        busy = _gauge("atelier_worker_busy", "Pictures a worker is making", "worker")
        rate = _gauge("atelier_picture_seconds", "Seconds for one picture", "worker", "profile")
        for worker in self.capacity.workers:
            slots.add_metric([worker.name], worker.slots)
            busy.add_metric([worker.name], worker.running)
            for profile, seconds in worker.seconds_per_picture.items():
                rate.add_metric([worker.name, profile], seconds)
        yield from (slots, busy, rate)


_STATE_OF = "1 for the state that {} are in"


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=labels)
