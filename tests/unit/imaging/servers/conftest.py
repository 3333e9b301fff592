"""Server engines on loopback servers. Waits are shortened: nothing here depends on their length."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from imaging.engine.picture_checks import PictureChecks, cpu
from imaging.engine.servers import comfyui_prompt, retries
from imaging.engine.servers.backends import backend_of
from imaging.engine.servers.server_engine import ServerEngine
from imaging.server_models import ServerModel
from tests.unit.imaging.pictures import disc, encode_image, noise

PATIENCE = 30.0

Serve = Callable[..., ServerEngine]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats and polls follow at once."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retries, "MOST_SECONDS", 0.05)
    monkeypatch.setattr(comfyui_prompt, "DEAF_POLL_SECONDS", 0.05)
    monkeypatch.setattr(comfyui_prompt, "POLL_SECONDS", 0.5)
    monkeypatch.setattr(comfyui_prompt, "ENDED_POLL_SECONDS", 0.02)
    monkeypatch.setattr(comfyui_prompt, "CONNECT_SECONDS", 0.5)


@pytest.fixture
def stored() -> dict[str, bytes]:
    """Stored pictures by name; the mask's left half is white."""
    from PIL import Image

    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    return {
        "disc": encode_image(disc((64, 64))),
        "noise": encode_image(noise((64, 64))),
        "mask": encode_image(mask),
    }


@pytest.fixture
def serve(stored: dict[str, bytes]) -> Iterator[Serve]:
    """Starts an engine for a model, and stops it at the end."""
    started: list[ServerEngine] = []

    def start(model: ServerModel, key: str | None = None) -> ServerEngine:
        backend = backend_of(replace(model, key_env="KEY" if key else None), {"KEY": key or ""})
        started.append(ServerEngine(model, backend, stored.__getitem__, PictureChecks(cpu)))
        return started[-1]

    yield start
    for engine in started:
        assert engine.stop(PATIENCE)


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for a condition; its value. Fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.005)
    return found
