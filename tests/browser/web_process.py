"""A web process of its own on the servers of a running studio."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.stack import AtelierProcess, wait_until


@dataclass(frozen=True)
class WebProcess:
    """An `atelier web` of its own on another studio's servers, so that it can be killed."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def web_process(
    atelier: AtelierProcess, port: int, folder: Path, **settings: str
) -> Iterator[WebProcess]:
    """Run it until the context ends; it shares the studio's data folder and servers."""
    environment = {**atelier.full_environment, "ATELIER_WEB_PORT": str(port), **settings}
    command = [sys.executable, "-P", "-m", "bots.cli", "web"]
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    page = WebProcess(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(lambda: answers(page.url), 60, "the page answers")
        yield page
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
