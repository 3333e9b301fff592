"""The dashboard and the alert rules speak of metrics that are there."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bots.web.overview import Snapshot
from tasks.client import AnyDoors, Capacity, Doors, TierLoad, Whole, WorkerLoad
from tasks.tiers import DoorState, Feature, Tier

FOLDER = Path(__file__).parents[2] / "docker" / "monitoring"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CAPACITY = Capacity(
    tiers=[TierLoad(Tier.FREE, 7, 1, 70.5, timedelta(seconds=30), timedelta(seconds=90))],
    workers=[WorkerLoad("gpu-1", ["postcard"], "cuda", 1, 3, {"postcard": 0.25}, NOW)],
    doors=[Doors(Tier.FREE, DoorState.AUTO, DoorState.WAITLIST)],
    waitlist=12,
    calibration={"free": 0.91},
    at=NOW,
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
    AnyDoors(Whole.SIGN_UPS, DoorState.OPEN, DoorState.CLOSED, {}, DoorState.CLOSED, False, None),
]


def exposed() -> dict[tuple[str, ...], float]:
    """Each sample's name and label values (by label name), and its value."""
    registry = CollectorRegistry()
    registry.register(Snapshot(CAPACITY, DOORS))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, *each.labels.values()): each.value for each in samples}


def test_the_figures_are_those_of_the_studio() -> None:
    assert exposed() == {
        ("atelier_jobs_queued", "free"): 7,
        ("atelier_jobs_running", "free"): 1,
        ("atelier_backlog_seconds", "free"): 70.5,
        ("atelier_wait_seconds", "0.5", "free"): 30,
        ("atelier_wait_seconds", "0.9", "free"): 90,
        ("atelier_calibration_ratio", "free"): 0.91,
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
        ("atelier_picture_seconds", "postcard", "gpu-1"): 0.25,
        ("atelier_waitlist_members",): 12,
    }


def test_every_metric_that_is_drawn_or_watched_exists() -> None:
    names = {key[0] for key in exposed()}
    for file in (FOLDER / "grafana-dashboard.json", FOLDER / "alerts.yml"):
        asked = set(re.findall(r"\batelier_[a-z_]+", file.read_text(encoding="utf-8")))
        assert asked, f"{file.name} asks for nothing"
        assert asked <= names, f"{file.name}: {asked - names}"


def test_the_containers_find_their_files_and_each_other() -> None:
    """What compose mounts is there, and Prometheus and Grafana ask services that exist."""
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


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["targets"]
