"""A deployment for one test: a fresh database, a Valkey database, workers and a clock process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from imaging.request import ImageRequest, Operation
from tasks.admission.service import AdmissionService
from tasks.client import Client
from tasks.client.client import build
from tasks.jobs.job import Accepted, Job, Order, Refused
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.policy.config import Policy, read
from tasks.runtime.addresses import cipher_of
from tasks.runtime.blobs import Blobs, default_url
from tasks.runtime.events import Bus
from tasks.runtime.settings import Settings
from tasks.store import jobs, ledger, sweeper_queries
from tasks.store.database import Database
from tests.stack import clean_environment

PLACE = Place("test", "server", "general")
PATIENCE = 120.0  # seconds; only ends a broken test

GENEROUS = """
[tiers.free]
running = 4
waiting = 50
quota = "10000/1h"
count = 4
"""
"""Limits that do not affect tests of something else."""


def request(prompt: str = "a red star", **changes: Any) -> ImageRequest:
    """A small picture of the blank model."""
    values = {"operation": Operation.IMAGINE, "profile": "blank", "width": 64, "height": 64}
    return ImageRequest(**{**values, "prompt": prompt, "seed": 1, "steps": 4, **changes})


def member(name: str = "ada", *roles: str) -> Member:
    """A member of the test's server."""
    return Member("test", "server", name, roles=frozenset(roles))


def order(who: Member | None = None, key: str | None = None, **changes: Any) -> Order:
    """An order with a key of its own."""
    asked = changes.pop("request", None) or request()
    owner = who or member()
    return Order(key or uuid4().hex, "imagine", owner, PLACE, asked, **changes)


@dataclass(slots=True)
class Deployment:
    """Atelier's processes around one database; the fixture ends them."""

    home: Path
    database_url: str
    redis_url: str
    policy_text: str = GENEROUS
    blobs_url: str = ""  # default: a folder in the home
    environment: dict[str, str] = field(default_factory=dict)
    """Further variables of the processes."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    database: Database = field(init=False)
    admission: AdmissionService = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "atelier.toml").write_text(self.policy_text)
        self.database = Database(self.database_url)
        self.admission = AdmissionService(self.database, self.policy)

    @property
    def policy(self) -> Policy:
        """The policy of `atelier.toml`."""
        return read(self.policy_text)

    @property
    def settings(self) -> Settings:
        """The settings of the processes."""
        return Settings(
            _env_file=None,
            home=self.home,
            database_url=SecretStr(self.database_url),
            redis_url=SecretStr(self.redis_url),
        )

    @property
    def blobs(self) -> Blobs:
        """The blob storage."""
        return Blobs(self.blobs_url or default_url(self.home))

    def client(self) -> Client:
        """A bot's client; close it."""
        return build(
            Database(self.database_url),
            Bus(self.redis_url),
            self.blobs,
            self.policy,
            cipher_of(self.settings),
        )

    # -- processes ------------------------------------------------------------------------------

    def start_worker(
        self,
        step_seconds: float = 0.0,
        home: Path | None = None,
        *,
        kind: str = "blank",
        model: str = "blank",
    ) -> subprocess.Popen[bytes]:
        """Start a worker process; another home makes another worker with the same blob storage.

        `kind` is the third word of `tests.integration.worker_process`.
        """
        arguments = [str(step_seconds), str(self.posts_path), kind]
        module = "tests.integration.worker_process"
        return self._start(module, arguments, home or self.home, model)

    def start_clock(self) -> subprocess.Popen[bytes]:
        """Start a clock process."""
        return self._start("tasks.maintenance.process", [], self.home)

    def _start(
        self, module: str, arguments: list[str], home: Path, model: str = "blank"
    ) -> subprocess.Popen[bytes]:
        environment = clean_environment(
            ATELIER_HOME=str(home),
            ATELIER_CONFIG=str(self.home / "atelier.toml"),
            ATELIER_DATABASE_URL=self.database_url,
            ATELIER_REDIS_URL=self.redis_url,
            ATELIER_BLOBS_URL=self.blobs_url or default_url(self.home),
            ATELIER_MODEL=model,
            **self.environment,
        )
        with (self.home / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment,
                stderr=log,
                stdout=log,
                cwd=Path(__file__).parents[2],
            )
        self.processes.append(process)
        return process

    def hurry(self) -> None:
        """Let every worker's further steps take no time, also those of a render that goes on."""
        (self.home / "hurry").touch()

    def end_processes(self) -> None:
        """End every process."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def clean_up(self) -> None:
        """End every process, and close the database."""
        self.end_processes()
        self.database.close()

    # -- state --------------------------------------------------------------------------

    @property
    def posts_path(self) -> Path:
        """The file to which publishers append each post."""
        return self.home / "posts.jsonl"

    def posts(self) -> list[dict[str, Any]]:
        """Everything that was posted, by any worker."""
        if not self.posts_path.exists():
            return []
        return [json.loads(line) for line in self.posts_path.read_text().splitlines()]

    def posted_jobs(self) -> list[str]:
        """The jobs of all posts, sorted."""
        return sorted(post["job"] for post in self.posts())

    def submit(self, wish: Order) -> Job:
        """Submit, and expect acceptance."""
        outcome = self.admission.submit(wish)
        assert isinstance(outcome, Accepted), outcome
        return outcome.job

    def refused(self, wish: Order) -> str:
        """Submit, and expect a refusal; its code."""
        outcome = self.admission.submit(wish)
        assert isinstance(outcome, Refused), outcome
        return outcome.reason.code

    def job(self, job: UUID) -> Job:
        """A job's current state."""
        found = self.database.run(lambda connection: jobs.read(connection, job))
        assert found is not None
        return found

    def wait(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait until `true()`; fail with the processes' log after `seconds`."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds:g} s\n{self.log()[-8000:]}")
            time.sleep(0.03)

    def wait_state(self, job: UUID, *states: JobState, seconds: float = PATIENCE) -> Job:
        """Wait until a job is in one of these states."""
        self.wait(lambda: self.job(job).state in states, f"job {job} in {states}", seconds)
        return self.job(job)

    def wait_ended(self, *wanted: UUID) -> list[Job]:
        """Wait until these jobs have ended and their members were notified."""
        self.wait(lambda: all(self.job(one).state.ended for one in wanted), "all jobs ended")
        expected = {str(one) for one in wanted}
        self.wait(lambda: expected <= set(self.posted_jobs()), "all jobs posted")
        return [self.job(one) for one in wanted]

    def log(self) -> str:
        """The log of the processes."""
        path = self.home / "processes.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def assert_consistent(self) -> None:
        """Assert that the ledger is consistent, and that the flows' counts are right."""
        with self.database.begin() as connection:
            assert ledger.faults(connection) == []
            assert sweeper_queries.inconsistent_flows(connection) == []

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Send SIGKILL, and wait for the end."""
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
