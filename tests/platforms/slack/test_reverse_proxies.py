"""Slack's routes behind real reverse proxies, with the configuration of the how-to."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.platforms.slack.conftest import free_port
from tests.platforms.slack.http_bot import event_body, http_bot, signed_headers
from tests.stack import clean_environment, wait_until

Proxy = Callable[[Path, int, int], list[str]]
HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "slack.md"


def program(name: str) -> str:
    """The path of a proxy; skips where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def code_block(language: str) -> str:
    """The configuration in the how-to."""
    match = re.search(rf"```{language}\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    return match[1]


def nginx(folder: Path, port: int, upstream: int) -> list[str]:
    """The command of an nginx with the how-to's location."""
    location = code_block("nginx").replace("127.0.0.1:8766", f"127.0.0.1:{upstream}")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    server = f"server {{ listen 127.0.0.1:{port}; {location} }}"
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} {server} }}\n"
    )
    return [program("nginx"), "-c", str(file), "-p", str(folder)]


def caddy(folder: Path, port: int, upstream: int) -> list[str]:
    """The command of a Caddy with the how-to's site, without its certificate."""
    site = (
        code_block("caddy")
        .replace("127.0.0.1:8766", f"127.0.0.1:{upstream}")
        .replace("atelier.example.org", f"http://127.0.0.1:{port}")
    )
    file = folder / "Caddyfile"
    file.write_text(f"{{\nadmin off\nauto_https off\n}}\n{site}")
    return [program("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]


@contextmanager
def running(command: Sequence[str], port: int, home: Path) -> Iterator[None]:
    """Run a proxy from its first answer on."""
    process = subprocess.Popen(command, env=clean_environment(HOME=str(home)))
    try:
        wait_until(lambda: answers(port), 60, f"{command[0]} answers")
        yield
    finally:
        process.terminate()
        process.wait(20)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/slack/events", timeout=2).status_code == 405
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("proxy", [nginx, caddy], ids=["nginx", "caddy"])
async def test_slack_reaches_the_bot_through_the_proxy(proxy: Proxy, tmp_path: Path) -> None:
    events: list[str] = []
    port = free_port()
    async with http_bot(events) as upstream:
        command = proxy(tmp_path, port, upstream)
        await asyncio.to_thread(through_proxy, command, port, tmp_path)
    assert events == ["through the proxy"]


def through_proxy(command: Sequence[str], port: int, home: Path) -> None:
    with running(command, port, home), httpx.Client(base_url=f"http://127.0.0.1:{port}") as slack:
        body = event_body("through the proxy")
        assert slack.post("/slack/events", content=body, headers=signed_headers(body)).is_success
        forged = signed_headers(body) | {"X-Slack-Signature": "v0=0"}
        assert slack.post("/slack/events", content=body, headers=forged).status_code == 401
        assert slack.get("/slack/install").is_success
        large = slack.post("/slack/events", content=b"x" * (2 * 2**20))
        assert large.status_code == 413
        assert slack.get("/slack/other").status_code == 404
