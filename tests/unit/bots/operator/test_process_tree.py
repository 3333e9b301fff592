"""The tree with small real processes: readiness, new lives, wrong settings, a thorough end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bots.operator.backoff import Backoff
from bots.operator.child_process import EmbeddedServer, Program
from bots.operator.errors import InstanceAlreadyRunning, ProcessTreeStopped
from bots.operator.instance_lock import InstanceLock, holder_of
from bots.operator.pid_files import PidFile
from bots.operator.process_tree import ProcessTree
from bots.operator.shutdown import alive
from tasks.runtime.embedded_servers import EmbeddedPostgres, EmbeddedValkey

ANNOUNCE = "import tasks.runtime.readiness; tasks.runtime.readiness.announce();"
READY = f"import signal; {ANNOUNCE} signal.pause()"
LATE = f"import signal, time; time.sleep(0.5); {ANNOUNCE} signal.pause()"
MUTE = "import signal; signal.pause()"
STUBBORN = (
    f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ANNOUNCE}\n"
    "while True: signal.pause()"
)
WRONG = "raise SystemExit(78)"


def program(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code], dict(os.environ))


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process that was there before any tree, as other tests' servers are."""
    with subprocess.Popen([sys.executable, "-c", MUTE]) as process:
        yield psutil.Process(process.pid)
        process.kill()


@pytest.fixture
def none_left(bystander: psutil.Process) -> Iterator[None]:
    """At the end: the tree's processes are gone, and nobody else's."""
    before = children()
    yield
    assert children() == before
    assert bystander in before


@pytest.fixture
async def tree(none_left: None, tmp_path: Path) -> AsyncIterator[ProcessTree]:
    made = ProcessTree(tmp_path, backoff=lambda: Backoff(first=0.01))
    yield made
    await made.stop()


def children() -> set[psutil.Process]:
    return {process for process in psutil.Process().children() if alive(process)}


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  other processes have no event to wait for
            await asyncio.sleep(0.01)


async def next_life(file: PidFile, old: int) -> int:
    await until(lambda: (process := file.process()) and process.pid != old)
    return int(file.path.read_text())


async def test_serve_waits_for_every_child(tree: ProcessTree, tmp_path: Path) -> None:
    async with asyncio.timeout(20):
        await tree.serve([program("web", READY), program("worker", LATE)])
    assert PidFile(tmp_path, "web").process()
    assert PidFile(tmp_path, "worker").process()


async def test_child_without_ready_signal_is_not_ready(tree: ProcessTree) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await tree.serve([program("web", READY), program("worker", MUTE)])


async def test_dead_child_is_restarted(tree: ProcessTree, tmp_path: Path) -> None:
    async with asyncio.timeout(20):
        await tree.serve([program("worker", READY)])
    file = PidFile(tmp_path, "worker")
    first = int(file.path.read_text())
    psutil.Process(first).kill()
    second = await next_life(file, first)
    assert int(file.path.read_text()) == second


async def test_child_that_dies_before_ready_is_restarted(tree: ProcessTree, tmp_path: Path) -> None:
    mark = tmp_path / "tried"
    code = f"import os; os.path.exists({str(mark)!r}) or [open({str(mark)!r}, 'w'), os._exit(3)]"
    async with asyncio.timeout(20):
        await tree.serve([program("worker", f"{code}; {READY}")])
    assert mark.exists()


async def test_wrong_settings_abort_the_start(tree: ProcessTree) -> None:
    with pytest.raises(ProcessTreeStopped, match="discord"):
        async with asyncio.timeout(20):
            await tree.serve([program("discord", WRONG), program("web", READY)])


async def test_child_that_served_once_is_always_restarted(
    tree: ProcessTree, tmp_path: Path
) -> None:
    mark = tmp_path / "tried"
    code = f"import os; os.path.exists({str(mark)!r}) and os._exit(78); open({str(mark)!r}, 'w')"
    async with asyncio.timeout(20):
        await tree.serve([program("slack", f"{code}; {READY}")])
    file = PidFile(tmp_path, "slack")
    first = int(file.path.read_text())
    psutil.Process(first).kill()
    await until(lambda: int(file.path.read_text()) != first)
    mark.unlink()
    await next_life(file, first)


async def test_missing_program_does_not_crash_the_tree(tree: ProcessTree) -> None:
    missing = Program("worker", ["/no/such/program"], {})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await tree.serve([missing])


async def test_server_that_cannot_start_aborts_the_start(
    tree: ProcessTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.runtime.embedded_servers.START_SECONDS", 1.0)
    (tmp_path / "home" / "postgres").mkdir(parents=True)
    (tmp_path / "home" / "postgres" / "PG_VERSION").write_text("7\n")  # of another age
    broken = EmbeddedServer("postgres", EmbeddedPostgres(tmp_path / "home"))
    with pytest.raises(ProcessTreeStopped, match="Postgres"):
        async with asyncio.timeout(90):
            await tree.serve([broken])


async def test_server_without_data_folder_aborts_the_start(
    tree: ProcessTree, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "valkey").write_text("a file where the folder should be")
    blocked = EmbeddedServer("valkey", EmbeddedValkey(tmp_path / "home"))
    with pytest.raises(ProcessTreeStopped, match="valkey cannot be started"):
        async with asyncio.timeout(30):
            await tree.serve([blocked])


async def test_stop_kills_a_child_that_ignores_sigterm(
    tree: ProcessTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.operator.shutdown.terminate_all.__defaults__", (0.5,))
    async with asyncio.timeout(20):
        await tree.serve([program("worker", STUBBORN)])
    stubborn = psutil.Process(int((tmp_path / "worker.pid").read_text()))
    await tree.stop()
    assert not alive(stubborn)
    assert not (tmp_path / "worker.pid").exists()


@pytest.mark.usefixtures("none_left")
async def test_stop_during_server_start_leaves_no_process(tmp_path: Path) -> None:
    tree = ProcessTree(tmp_path)
    start = asyncio.create_task(
        tree.serve([EmbeddedServer("postgres", EmbeddedPostgres(tmp_path / "home"))])
    )
    await until(lambda: any(p.name() == "initdb" for p in psutil.Process().children()))
    start.cancel()
    await tree.stop()


class SlowStart(Program):
    """A child whose start is another process that takes its time."""

    async def start(self) -> int:
        process = await asyncio.create_subprocess_exec("sleep", "600")
        await process.wait()
        raise OSError("its start was ended")


@pytest.mark.usefixtures("none_left")
async def test_stop_does_not_wait_for_a_slow_start(tmp_path: Path) -> None:
    tree = ProcessTree(tmp_path)
    start = asyncio.create_task(tree.serve([SlowStart("postgres", [], {})]))
    await until(lambda: any(p.name() == "sleep" for p in psutil.Process().children()))
    start.cancel()
    async with asyncio.timeout(20):
        await tree.stop()


KILLED_PARENT = """
import asyncio, os, pathlib, sys
from bots.operator.child_process import Program
from bots.operator.instance_lock import InstanceLock
from bots.operator.process_tree import ProcessTree

async def main(home, code):
    tree = ProcessTree(home / "run")
    await tree.start_reaper(InstanceLock.take(home).descriptor)
    await tree.serve([Program("worker", [sys.executable, "-c", code], os.environ)])
    os.kill(os.getpid(), 9)

asyncio.run(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
"""


async def test_reaper_stops_the_tree_of_a_killed_parent(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_PARENT, str(tmp_path), READY
    )
    async with asyncio.timeout(30):
        assert await parent.wait() == -9
    lock = await asyncio.to_thread(
        InstanceLock.take, tmp_path
    )  # the keeper has it until it is done
    lock.release()
    assert not (tmp_path / "run" / "worker.pid").exists()


def test_second_tree_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    first = InstanceLock.take(tmp_path)
    assert holder_of(tmp_path) == os.getpid()
    with pytest.raises(InstanceAlreadyRunning, match=rf"pid {os.getpid()}\b.*ATELIER_HOME"):
        InstanceLock.take(tmp_path)
    first.release()
    assert holder_of(tmp_path) is None
    InstanceLock.take(tmp_path).release()


def test_missing_home_has_no_lock_holder(tmp_path: Path) -> None:
    assert holder_of(tmp_path / "none") is None
