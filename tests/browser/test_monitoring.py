"""Metrics, and the dashboards and alert rules that use them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bots.web.metric_totals import TotalsCollector
from bots.web.monitoring import CapacityCollector
from tasks.client import (
    AnyDoors,
    Capacity,
    Doors,
    EstimateAccuracy,
    GlobalDoor,
    Measure,
    SurgeAge,
    TierLoad,
    Total,
    WorkerLoad,
)
from tasks.jobs.model_fault import ModelFault
from tasks.jobs.tiers import DoorState, Feature, Tier
from tasks.queue.device_use import DeviceUse

FOLDER = Path(__file__).parents[2] / "docker" / "monitoring"
NOW, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)
CAPACITY = Capacity(
    tiers=[TierLoad(Tier.FREE, 7, 1, 70.5, timedelta(seconds=30), timedelta(seconds=90))],
    workers=[
        WorkerLoad(
            "gpu-1",
            ["postcard"],
            "cuda",
            1,
            3,
            {"postcard": 0.25},
            NOW,
            DeviceUse(0.75, 0.125, 1.5, 4),
        ),
        WorkerLoad(
            "gpu-2",
            ["postcard"],
            "cuda",
            0,
            3,
            {},
            NOW,
            model_faults={
                "sdxl": ModelFault("No file.", "model-unavailable", NOW, NOW + MINUTE),
                "postcard": ModelFault("No edit.", "model-unavailable", NOW, part="edit"),
            },
        ),
    ],
    doors=[Doors(Tier.FREE, DoorState.AUTO, DoorState.WAITLIST)],
    waitlist=12,
    calibration={"free": 0.91},
    at=NOW,
    accuracy=[EstimateAccuracy(Tier.FREE, SurgeAge.NEW, 0.875, 1.5, 40)],
)
DOORS = [
    AnyDoors(
        Tier.FREE, DoorState.AUTO, None, {}, DoorState.WAITLIST, False, timedelta(seconds=1900)
    ),
    AnyDoors(Tier.PLUS, DoorState.OPEN, None, {}, DoorState.OPEN, False, timedelta(0)),
    AnyDoors(
        Feature.UPSCALE,
        DoorState.OPEN,
        DoorState.AUTO,
        {"slack:T1": DoorState.CLOSED, "discord:1": DoorState.CLOSED},
        DoorState.OPEN,
        True,
        timedelta(seconds=950),
    ),
    AnyDoors(
        GlobalDoor.SIGN_UPS, DoorState.OPEN, DoorState.CLOSED, {}, DoorState.CLOSED, False, None
    ),
]


TOTALS = [
    Total(Measure.JOB, "free", "done", float("inf"), 5, 0.0),
    Total(Measure.JOB, "free", "failed", float("inf"), 1, 0.0),
    Total(Measure.REFUSAL, "plus", "doors-closed", float("inf"), 2, 0.0),
    Total(Measure.WAIT, "free", "", 10.0, 4, 30.0),
    Total(Measure.WAIT, "free", "", 60.0, 2, 80.0),
    Total(Measure.RENDER, "free", "", 2.0, 6, 9.0),
    Total(Measure.DELIVERY, "web", "sent", 0.5, 5, 1.0),
    Total(Measure.DELIVERY, "web", "failed", 5.0, 1, 3.0),
]


def exported_totals() -> dict[tuple[str, ...], float]:
    """The same for counters and histograms."""
    registry = CollectorRegistry()
    registry.register(TotalsCollector(TOTALS))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, *sorted(each.labels.values())): each.value for each in samples}


def test_counters_and_histograms_come_from_the_totals() -> None:
    found = exported_totals()
    assert found["atelier_jobs_total", "done", "free"] == 5
    assert found["atelier_jobs_total", "failed", "free"] == 1
    assert found["atelier_refusals_total", "doors-closed", "plus"] == 2
    assert found["atelier_deliveries_total", "sent", "web"] == 5
    waits = {
        key[1]: value for key, value in found.items() if key[0].endswith("wait_seconds_bucket")
    }
    assert (waits["5.0"], waits["10.0"], waits["60.0"], waits["+Inf"]) == (0, 4, 6, 6)
    assert found["atelier_job_wait_seconds_count", "free"] == 6
    assert found["atelier_job_wait_seconds_sum", "free"] == 110
    assert found["atelier_render_seconds_count", "free"] == 6
    assert found["atelier_delivery_seconds_count", "web"] == 6


def exported_samples() -> dict[tuple[str, ...], float]:
    """Each sample's name and label values (by label name), and its value."""
    registry = CollectorRegistry()
    registry.register(CapacityCollector(CAPACITY, DOORS))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, *each.labels.values()): each.value for each in samples}


def test_metrics_report_capacity_and_doors() -> None:
    assert exported_samples() == {
        ("atelier_jobs_queued", "free"): 7,
        ("atelier_jobs_running", "free"): 1,
        ("atelier_backlog_seconds", "free"): 70.5,
        ("atelier_wait_seconds", "0.5", "free"): 30,
        ("atelier_wait_seconds", "0.9", "free"): 90,
        ("atelier_calibration_ratio", "free"): 0.91,
        ("atelier_estimate_coverage_ratio", "new", "free"): 0.875,
        ("atelier_estimate_width_ratio", "new", "free"): 1.5,
        ("atelier_doors", "waitlist", "free"): 1,
        ("atelier_doors", "open", "plus"): 1,
        ("atelier_feature_doors", "upscale", "open"): 1,
        ("atelier_whole_doors", "sign-ups", "closed"): 1,
        ("atelier_doors_degraded", "free"): 0,
        ("atelier_doors_degraded", "plus"): 0,
        ("atelier_doors_degraded", "upscale"): 1,
        ("atelier_server_doors", "upscale", "closed"): 2,
        ("atelier_worker_slots", "gpu-1"): 3,
        ("atelier_worker_busy", "gpu-1"): 1,
        ("atelier_worker_slots", "gpu-2"): 3,
        ("atelier_worker_busy", "gpu-2"): 0,
        ("atelier_device_busy_ratio", "gpu-1"): 0.75,
        ("atelier_device_busy_ratio", "gpu-2"): 0,
        ("atelier_step_seconds", "gpu-1"): 0.125,
        ("atelier_step_requests", "gpu-1"): 1.5,
        ("atelier_pauses_total", "gpu-1"): 4,
        ("atelier_pauses_total", "gpu-2"): 0,
        ("atelier_picture_seconds", "postcard", "gpu-1"): 0.25,
        ("atelier_model_ready", "postcard", "gpu-1"): 1,
        ("atelier_model_ready", "postcard", "gpu-2"): 1,
        ("atelier_model_ready", "sdxl", "gpu-2"): 0,
        ("atelier_model_fault", "all", "sdxl", "No file.", "gpu-2"): 1,
        ("atelier_model_fault", "edit", "postcard", "No edit.", "gpu-2"): 1,
        ("atelier_model_fault_since_seconds", "sdxl", "gpu-2"): NOW.timestamp(),
        ("atelier_model_fault_since_seconds", "postcard", "gpu-2"): NOW.timestamp(),
        ("atelier_model_next_try_seconds", "sdxl", "gpu-2"): (NOW + MINUTE).timestamp(),
        ("atelier_waitlist_members",): 12,
    }


def test_dashboards_and_alerts_use_existing_metrics() -> None:
    names = {key[0] for key in (*exported_samples(), *exported_totals())}
    for file in (FOLDER / "grafana-dashboard.json", FOLDER / "alerts.yml"):
        asked = set(re.findall(r"\batelier_[a-z_]+", file.read_text(encoding="utf-8")))
        assert asked, f"{file.name} asks for nothing"
        assert asked <= names, f"{file.name}: {asked - names}"


def test_compose_mounts_and_targets_exist() -> None:
    """Compose mounts existing files; Prometheus and Grafana use existing services."""
    compose = yaml.safe_load((FOLDER.parent / "compose.yml").read_text(encoding="utf-8"))
    services = compose["services"]
    mounts = [
        volume.split(":")
        for name in ("prometheus", "grafana")
        for volume in services[name]["volumes"]
    ]
    files = {source: target for source, target, *_ in mounts if source.startswith("./")}
    assert all((FOLDER.parent / source).is_file() for source in files)
    watched = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    assert [files["./monitoring/alerts.yml"]] == watched["rule_files"]
    (scraped,) = watched["scrape_configs"]
    rules = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    assert f'up{{job="{scraped["job_name"]}"}}' in rules
    sources = yaml.safe_load((FOLDER / "grafana/datasources.yml").read_text(encoding="utf-8"))
    urls = [one["url"] for one in sources["datasources"]]
    targets = [f"http://{target}" for target in scraped["static_configs"][0]["targets"]]
    assert {urlsplit(url).hostname for url in (*urls, *targets)} == {"prometheus", "web"}


def test_grafana_dashboard_is_well_formed() -> None:
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["targets"]
