"""The administrators' page: queue, waits, doors and workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bots.core.locales import localizer_for
from bots.core.refusals import sentence
from bots.web.access_guard import refusal_response
from bots.web.page_files import PAGE
from bots.web.roles import PLATFORM, WORKSPACE, member_of
from tasks.client import Capacity, Client, Doors, EstimateAccuracy, TierLoad, TimeBucket, WorkerLoad
from tasks.jobs.job import Reason


@dataclass(frozen=True, slots=True)
class AdminDashboard:
    """The routes of the administrators' page."""

    client: Client

    def routes(self) -> list[Route]:
        """The page, and its data."""
        return [
            Route("/studio", self.page_file),
            Route("/api/studio", self.capacity),
            Route("/api/studio/day", self.last_day),
        ]

    async def page_file(self, _request: Request) -> Response:
        """The page itself; it holds no data."""
        return FileResponse(PAGE / "admin-dashboard.html", headers={"Cache-Control": "no-cache"})

    async def capacity(self, request: Request) -> Response:
        """Queue, waits, doors and workers now, for administrators."""
        if refused := administrators_only(request):
            return refused
        capacity = await self.client.fleet.capacity()
        doors = await self.client.door_settings.tiers(PLATFORM, WORKSPACE)
        body = capacity_json(capacity, {each.tier.value: each for each in doors})
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def last_day(self, request: Request) -> Response:
        """Queue, waits and throughput of the last day, for administrators."""
        if refused := administrators_only(request):
            return refused
        day = [time_bucket_json(each) for each in await self.client.fleet.last_day()]
        return JSONResponse({"day": day}, headers={"Cache-Control": "no-store"})


def administrators_only(request: Request) -> Response | None:
    """The refusal for members who are not administrators; None for administrators."""
    member = member_of(request)
    if member.administrator:
        return None
    code = "only-administrators"
    return refusal_response(403, code, sentence(Reason(code), localizer_for(member.locale)))


def capacity_json(capacity: Capacity, doors: dict[str, Doors]) -> dict[str, Any]:
    """The capacity as the page reads it; waits in seconds, None where no estimate exists."""
    return {
        "at": capacity.at.isoformat(),
        "tiers": [_tier(each, doors.get(each.tier.value), capacity) for each in capacity.tiers],
        "workers": [_worker(each) for each in capacity.workers],
        "waitlist": capacity.waitlist,
        "accuracy": [_accuracy(each) for each in capacity.accuracy],
    }


def time_bucket_json(stretch: TimeBucket) -> dict[str, Any]:
    """One bucket of the day; waits in seconds. Tiers without a finished picture have no wait."""
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


def _accuracy(one: EstimateAccuracy) -> dict[str, Any]:
    return {
        "tier": one.tier.value,
        "surge_age": one.surge_age.value,
        "coverage": one.coverage,
        "width": one.width,
        "jobs": one.jobs,
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
        "faults": {model: fault.to_json() for model, fault in load.model_faults.items()},
    }


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length is not None else None
