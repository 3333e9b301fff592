"""A house of its own for a test: a fresh database, a Valkey database, workers and a clock."""

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
from tasks.accounts import Accounts
from tasks.administration import Administration
from tasks.blobs import Blobs, default_url
from tasks.bus import Bus
from tasks.client import Client, Parts
from tasks.job import Accepted, Job, JobState, Order, Refused
from tasks.members import Member, Place
from tasks.policy import Policy, read
from tasks.servers import seal_of
from tasks.settings import Settings
from tasks.store import jobs, ledger, sweeping
from tasks.store.database import Database
from tasks.submit import Reception
from tests.stack import clean_environment

PLACE = Place("test", "server", "general")
PATIENCE = 60.0

ROOMY = """
[tiers.free]
running = 4
waiting = 50
quota = "10000/1h"
count = 4
"""
"""Limits that are not in the way of a test about something else."""


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
class House:
    """The parts of a studio around one database. Processes are ended by the fixture."""

    home: Path
    database_url: str
    redis_url: str
    policy_text: str = ROOMY
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    database: Database = field(init=False)
    reception: Reception = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "atelier.toml").write_text(self.policy_text)
        self.database = Database(self.database_url)
        self.reception = Reception(self.database, self.policy)

    @property
    def policy(self) -> Policy:
        """The policy of this house's file."""
        return read(self.policy_text)

    @property
    def settings(self) -> Settings:
        """The settings of its processes."""
        return Settings(
            _env_file=None,
            home=self.home,
            database_url=SecretStr(self.database_url),
            redis_url=SecretStr(self.redis_url),
        )

    @property
    def blobs(self) -> Blobs:
        """Where its pictures are."""
        return Blobs(default_url(self.home))

    def client(self) -> Client:
        """A bot's client; close it."""
        database = Database(self.database_url)
        reception = Reception(database, self.policy)
        return Client(
            Parts(
                database,
                self.blobs,
                Bus(self.redis_url),
                reception,
                Accounts(database, self.blobs, reception),
                Administration(database, self.policy),
                seal_of(self.settings),
            )
        )

    # -- processes ------------------------------------------------------------------------------

    def start_worker(
        self, step_seconds: float = 0.0, home: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """A worker process; on another home it is another worker, with the same pictures."""
        arguments = [str(step_seconds), str(self.posts_path)]
        return self._start("tests.integration.worker_process", arguments, home or self.home)

    def start_clock(self) -> subprocess.Popen[bytes]:
        """A clock process."""
        return self._start("tasks.clock", [], self.home)

    def _start(self, module: str, arguments: list[str], home: Path) -> subprocess.Popen[bytes]:
        environment = clean_environment(
            ATELIER_HOME=str(home),
            ATELIER_CONFIG=str(self.home / "atelier.toml"),
            ATELIER_DATABASE_URL=self.database_url,
            ATELIER_REDIS_URL=self.redis_url,
            ATELIER_BLOBS_URL=default_url(self.home),
            ATELIER_MODEL="blank",
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

    def end_processes(self) -> None:
        """End every process."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def clean_up(self) -> None:
        """End every process, and leave the record."""
        self.end_processes()
        self.database.close()

    # -- what there is --------------------------------------------------------------------------

    @property
    def posts_path(self) -> Path:
        """Where couriers write down what they post."""
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
        """Submit, and expect it to be taken."""
        outcome = self.reception.submit(wish)
        assert isinstance(outcome, Accepted), outcome
        return outcome.job

    def refused(self, wish: Order) -> str:
        """Submit, and expect a refusal; its code."""
        outcome = self.reception.submit(wish)
        assert isinstance(outcome, Refused), outcome
        return outcome.reason.code

    def job(self, job: UUID) -> Job:
        """A job as it stands."""
        found = self.database.run(lambda connection: jobs.read(connection, job))
        assert found is not None
        return found

    def wait(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait until `true()`; else fail with the processes' log."""
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
        """Wait until these jobs have ended and their members were told."""
        self.wait(lambda: all(self.job(one).state.ended for one in wanted), "all jobs ended")
        told = {str(one) for one in wanted}
        self.wait(lambda: told <= set(self.posted_jobs()), "all jobs told")
        return [self.job(one) for one in wanted]

    def log(self) -> str:
        """What the processes said."""
        path = self.home / "processes.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def check_sums(self) -> None:
        """The ledger's sums hold, and the lines' counts are those of the jobs."""
        with self.database.begin() as connection:
            assert ledger.faults(connection) == []
            assert sweeping.crooked_flows(connection) == []

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill -9, and wait until it is gone."""
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
