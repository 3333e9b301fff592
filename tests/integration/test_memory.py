"""Bot and clock processes load no torch and stay under 120 MB resident."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

import psutil

from tests.stack import AtelierProcess

LIMIT = 120_000_000  # bytes


def test_processes_without_torch_stay_below_the_memory_limit(
    new_atelier: Callable[..., AtelierProcess],
) -> None:
    atelier = new_atelier().start()
    for _ in range(20):
        with urllib.request.urlopen(f"{atelier.url}/api/welcome", timeout=30) as answer:
            assert answer.status == 200
    for name in ("web", "clock"):
        process = psutil.Process(atelier.pid(name))
        resident = process.memory_info().rss
        print(f"{name}: {resident / 1e6:.0f} MB resident")
        assert resident < LIMIT, name
        libraries = {file.path.rsplit("/", 1)[-1] for file in process.memory_maps()}
        assert not {library for library in libraries if library.startswith("libtorch")}, name
