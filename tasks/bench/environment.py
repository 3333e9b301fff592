"""The ground that benches run on: embedded servers in a temporary folder, and child processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from tasks import migrations
from tasks.runtime.embedded_servers import EmbeddedPostgres, EmbeddedValkey
from tasks.runtime.settings import Settings

STOP_SECONDS = 20.0
LIMITLESS_POLICY = """
[tiers.free]
running = 1000
waiting = 1000
quota = "1000000/1h"
doors = "open"
"""


class BenchFailed(Exception):
    """The bench could not be carried out; its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class BenchEnvironment:
    """Servers that run, and the home they run on."""

    home: Path
    database_url: str
    redis_url: str
    stack: ExitStack

    @property
    def settings(self) -> Settings:
        """Settings for a client on this ground."""
        return Settings(
            home=self.home,
            database_url=SecretStr(self.database_url),
            redis_url=SecretStr(self.redis_url),
        )

    def start(self, module: str, *arguments: str, model: str = "blank") -> subprocess.Popen[str]:
        """A child process of ours, ended with the ground; it prints on its standard output."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ATELIER_")},
            "ATELIER_HOME": str(self.home),
            "ATELIER_CONFIG": str(self.home / "atelier.toml"),
            "ATELIER_DATABASE_URL": self.database_url,
            "ATELIER_REDIS_URL": self.redis_url,
            "ATELIER_MODEL": model,
        }
        with (self.home / "processes.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  our own command line
                [sys.executable, "-P", "-m", module, *arguments],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.stack.callback(_end, process)
        return process


def read_line(process: subprocess.Popen[str], word: str) -> str:
    """The rest of the next line that a child prints, which must begin with `word`."""
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(word):
        raise BenchFailed(f"A process of the bench ended early, after {line!r}.")
    return line.removeprefix(word).strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


@contextmanager
def bench_environment(policy_text: str) -> Iterator[BenchEnvironment]:
    """Embedded servers with an up-to-date database; everything is gone at the end."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="atelier-bench-"))
        home = Path(folder)
        postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
        stack.callback(postgres.stop)
        stack.callback(valkey.stop)
        url, redis_url = postgres.start(), valkey.start()
        migrations.upgrade(url)
        (home / "atelier.toml").write_text(policy_text)
        yield BenchEnvironment(home, url, redis_url, stack)
