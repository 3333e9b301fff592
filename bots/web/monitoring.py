"""Health and metrics, on a port of their own: by default only this machine reaches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.web.error_handlers import EXCEPTION_HANDLERS
from bots.web.metric_totals import TotalsCollector
from bots.web.roles import PLATFORM, WORKSPACE
from tasks.client import AnyDoors, Capacity, Client
from tasks.jobs.tiers import Feature, Tier


def create_monitoring_app(client: Client) -> Starlette:
    """`/healthz` and `/metrics`. They have totals only, and nothing about any member."""

    async def health(_request: Request) -> Response:
        await client.admin.workspace_settings(PLATFORM, WORKSPACE)
        return JSONResponse({"ready": True}, headers={"Cache-Control": "no-store"})

    async def metrics(_request: Request) -> Response:
        registry = CollectorRegistry()
        capacity, doors = await client.fleet.capacity(), await client.door_settings.all()
        registry.register(CapacityCollector(capacity, doors))
        registry.register(TotalsCollector(await client.fleet.totals()))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", health), Route("/metrics", metrics)]
    return Starlette(routes=routes, exception_handlers=dict(EXCEPTION_HANDLERS))


@dataclass(frozen=True, eq=False)  # a registry tells collectors apart by identity
class CapacityCollector(Collector):
    """One snapshot of capacity and doors, as gauges."""

    capacity: Capacity
    doors: Sequence[AnyDoors]

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge with its samples."""
        yield from self._tiers()
        yield from self._doors()
        yield from self._workers()
        waitlist = GaugeMetricFamily("atelier_waitlist_members", "Members waiting for doors")
        waitlist.add_metric([], self.capacity.waitlist)
        yield waitlist

    def _tiers(self) -> Iterator[Metric]:
        queued = _gauge("atelier_jobs_queued", "Jobs in the queue", "tier")
        running = _gauge("atelier_jobs_running", "Jobs being rendered", "tier")
        backlog = _gauge("atelier_backlog_seconds", "Queued work in GPU seconds", "tier")
        wait = _gauge("atelier_wait_seconds", "Predicted wait of a new job", "tier", "quantile")
        kept = _gauge(
            "atelier_calibration_ratio", "Share of jobs served within their predicted p90", "tier"
        )
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
        yield from self._accuracy()

    def _accuracy(self) -> Iterator[Metric]:
        """The last day's estimates by the age of the surge in which they were made."""
        labels = ("tier", "surge_age")
        coverage = _gauge(
            "atelier_estimate_coverage_ratio", "Share of jobs delivered within p90", *labels
        )
        width = _gauge("atelier_estimate_width_ratio", "Median of p90 over p50", *labels)
        for one in self.capacity.accuracy:
            coverage.add_metric([one.tier.value, one.surge_age.value], one.coverage)
            width.add_metric([one.tier.value, one.surge_age.value], one.width)
        yield from (coverage, width)

    def _doors(self) -> Iterator[Metric]:
        """The state where no server overrides it, and how many servers do."""
        tier = _gauge("atelier_doors", _STATE_OF.format("a tier's doors"), "tier", "state")
        feature = _gauge(
            "atelier_feature_doors", _STATE_OF.format("a feature's doors"), "feature", "state"
        )
        whole = _gauge("atelier_whole_doors", _STATE_OF.format("all doors"), "door", "state")
        less = _gauge(
            "atelier_doors_degraded", "1 while only smaller pictures are admitted", "door"
        )
        servers = _gauge(
            "atelier_server_doors", "Servers that override a door with this state", "door", "state"
        )
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
        slots = _gauge("atelier_worker_slots", "Pictures a worker renders at once", "worker")
        busy = _gauge("atelier_worker_busy", "Pictures a worker is rendering", "worker")
        rate = _gauge("atelier_picture_seconds", "Seconds for one picture", "worker", "profile")
        for worker in self.capacity.workers:
            slots.add_metric([worker.name], worker.slots)
            busy.add_metric([worker.name], worker.running)
            for profile, seconds in worker.seconds_per_picture.items():
                rate.add_metric([worker.name, profile], seconds)
        yield from (slots, busy, rate)
        yield from self._models()
        yield from self._devices()

    def _models(self) -> Iterator[Metric]:
        """Which models each worker serves, and why it does not serve the others."""
        labels = ("worker", "profile")
        ready = _gauge("atelier_model_ready", "1 for a model that a worker serves, else 0", *labels)
        reason = _gauge(
            "atelier_model_fault", "1 for each model with a fault", *labels, "operation", "reason"
        )
        since = _gauge("atelier_model_fault_since_seconds", "Unix time of its beginning", *labels)
        next_try = _gauge("atelier_model_next_try_seconds", "Unix time of the next try", *labels)
        for worker in self.capacity.workers:
            for profile in worker.profiles:
                ready.add_metric([worker.name, profile], 1)
            for profile, fault in worker.model_faults.items():
                model = [worker.name, profile]
                if profile not in worker.profiles:
                    ready.add_metric(model, 0)
                reason.add_metric([*model, fault.part or "all", fault.reason], 1)
                since.add_metric(model, fault.since.timestamp())
                if fault.next_try is not None:
                    next_try.add_metric(model, fault.next_try.timestamp())
        yield from (ready, reason, since, next_try)

    def _devices(self) -> Iterator[Metric]:
        busy = _gauge(
            "atelier_device_busy_ratio", "Share of the last minute with work on it", "worker"
        )
        step = _gauge("atelier_step_seconds", "Mean seconds of a denoiser call", "worker")
        size = _gauge("atelier_step_requests", "Mean requests in a denoiser call", "worker")
        pauses = CounterMetricFamily(
            "atelier_pauses", "Pauses of a picture for a more urgent one", labels=["worker"]
        )
        for worker in self.capacity.workers:
            use = worker.device_use
            busy.add_metric([worker.name], use.busy)
            pauses.add_metric([worker.name], use.pauses)
            if use.batch_size:
                step.add_metric([worker.name], use.step_seconds)
                size.add_metric([worker.name], use.batch_size)
        yield from (busy, step, size, pauses)


_STATE_OF = "1 for the state that {} are in"


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=labels)
