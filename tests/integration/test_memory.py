"""A bot process is small: no torch in it, and under 120 MB resident after it has worked."""

from __future__ import annotations

import urllib.request

import psutil
import pytest

from tests.stack import Studio

LIMIT = 120_000_000  # bytes


@pytest.mark.parametrize("name", ["web", "clock"])
def test_a_process_without_torch_is_small(studio: Studio, name: str) -> None:
    for _ in range(20):
        with urllib.request.urlopen(f"{studio.url}/healthz", timeout=30) as answer:
            assert answer.status == 200
    process = psutil.Process(studio.pid(name))
    resident = process.memory_info().rss
    print(f"{name}: {resident / 1e6:.0f} MB resident")
    assert resident < LIMIT
    libraries = {file.path.rsplit("/", 1)[-1] for file in process.memory_maps()}
    assert not {name for name in libraries if name.startswith("libtorch")}
