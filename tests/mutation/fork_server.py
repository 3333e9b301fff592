"""Runs tests of a scratch copy in forked processes, so that each run saves the start-up time.

`python -m tests.mutation.fork_server [OPTION …]`, with options for pytest, reads requests from
standard input, one JSON object a line, and answers each with one. `stage` names the module or
package that will change, and the tests: they run once, then a fork imports all that they needed and
that does not depend on the module, and sets up pytest. Each `run`, of these tests or some of them,
forks from there.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from pathlib import Path

import psutil
import pytest
from _pytest.config import _prepareconfig

OWN_PACKAGES = ("bots", "tasks", "imaging", "tests")
OPTIONS = (
    *("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"),
    *("--tb=line", "--capture=no"),
)
OUTPUT_LENGTH = 20_000  # characters from the end
POLL_SECONDS, LONGEST_POLL_SECONDS = 0.01, 0.1
LOADED = "loaded"
PREPARE_SECONDS = 60.0
HUNG = -1  # the exit status of a run that was ended at its deadline


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit status of pytest (`HUNG` past the deadline), its duration and the end of its output."""

    status: int
    seconds: float
    output: str = ""


@dataclass(frozen=True, slots=True)
class ForkServer:
    """The parent's end of a running server."""

    process: subprocess.Popen[str]

    def stage(self, module: str, tests: Sequence[str], seconds: float) -> Outcome:
        """Run the tests as they are, and prepare for changes to this module or package."""
        return self._ask({"stage": module, "tests": list(tests), "seconds": seconds})

    def run(self, seconds: float, tests: Sequence[str] = ()) -> Outcome:
        """Run the tests of the stage, or only these of them."""
        return self._ask({"seconds": seconds, "only": list(tests)})

    def _ask(self, request: dict[str, object]) -> Outcome:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return Outcome(**json.loads(self.process.stdout.readline()))


@contextlib.contextmanager
def fork_server(
    root: Path, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[ForkServer]:
    """A server for the checkout in `root`, stopped at the end.

    `options` are for pytest; `environment` is added to this process's own.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "tests.mutation.fork_server", *options],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield ForkServer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def serve(options: Sequence[str]) -> None:
    """Answer requests until standard input ends; `options` are for pytest."""
    arguments = [*OPTIONS, *options]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        line = sys.stdin.readline()
        while line:
            request = json.loads(line)
            tests = request["tests"]
            first_run = partial(_first_run, [*arguments, *tests], folder)
            outcome = _fork(first_run, request["seconds"], folder)
            _preload(_names(folder), own=False)
            print(json.dumps(asdict(outcome)), flush=True)
            line = _stage(request["stage"], arguments, tests, folder)


def _stage(module: str, options: Sequence[str], tests: Sequence[str], folder: Path) -> str:
    """Answer the runs of one stage in a fork; returns the request that is none of them."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _forbid(module)
        _preload(_names(folder), own=True)
        config = _configured([*options, *tests], folder)
        _FORBIDDEN.clear()
        line = sys.stdin.readline()
        while line and "stage" not in (request := json.loads(line)):
            chosen = request["only"] or tests
            run = partial(_run, [*options, *chosen], None if request["only"] else config)
            outcome = _fork(run, request["seconds"], folder)
            print(json.dumps(asdict(outcome)), flush=True)
            line = sys.stdin.readline()
        os.write(writer, line.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        return file.read()


def _first_run(arguments: Sequence[str], folder: Path) -> int:
    """Run the tests with stored bytecode, and note the modules that they imported."""
    status = pytest.main(list(arguments))
    names = [name for name, one in list(sys.modules.items()) if getattr(one, "__spec__", None)]
    (folder / LOADED).write_text("\n".join(names), encoding="utf-8")
    return int(status)


def _run(arguments: Sequence[str], config: pytest.Config | None) -> int:
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # of a changed module, also in child processes
    if config is None:
        return int(pytest.main(list(arguments), plugins=[_FastTestsFirst()]))
    return int(config.hook.pytest_cmdline_main(config=config))


def _configured(arguments: Sequence[str], folder: Path) -> pytest.Config | None:
    """Pytest set up for the tests; None where that alone imports the forbidden module."""

    def prepare() -> int:
        _prepareconfig(list(arguments), [_FastTestsFirst()])
        return 0

    if _fork(prepare, PREPARE_SECONDS, folder).status:
        return None
    return _prepareconfig(list(arguments), [_FastTestsFirst()])


def _fork(work: Callable[[], int], seconds: float, folder: Path) -> Outcome:
    """Do the work in a session of its own, which is killed after `seconds`."""
    output = folder / "output"
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        status: int = pytest.ExitCode.INTERNAL_ERROR
        try:
            os.setsid()
            with output.open("w", encoding="utf-8") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            status = work()
            sys.stdout.flush()
        finally:
            os._exit(status)
    status = _wait(child, seconds)
    text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
    return Outcome(status, time.monotonic() - started, text[-OUTPUT_LENGTH:])


def _wait(child: int, seconds: float) -> int:
    """The child's exit status; after `seconds` its session is killed.

    Time in which this process itself was stopped or starved does not count.
    """
    left, last = seconds, time.monotonic()
    while left > 0:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _kill(child)  # what its tests left running
            return os.waitstatus_to_exitcode(status)
        time.sleep(POLL_SECONDS)
        now = time.monotonic()
        left -= min(now - last, LONGEST_POLL_SECONDS)
        last = now
    descendants = psutil.Process(child).children(recursive=True)
    _kill(child)
    for each in descendants:  # those in sessions of their own, such as an `atelier up`
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    os.waitpid(child, 0)
    return HUNG


def _kill(session: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)


def _names(folder: Path) -> list[str]:
    return (folder / LOADED).read_text(encoding="utf-8").split()


def _preload(names: Sequence[str], *, own: bool) -> None:
    """Import third-party modules, or the checkout's own without its tests, as far as possible."""
    for name in names:
        package, _, rest = name.partition(".")
        if (package in OWN_PACKAGES) == own and not (package == "tests" and rest != "stack"):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    gc.freeze()


_FORBIDDEN: list[str] = []


class _Refusing(MetaPathFinder):
    """Refuses to import the module that will change, and so all that depends on it."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in _FORBIDDEN:
            raise ImportError(name)


def _forbid(module: str) -> None:
    _FORBIDDEN.append(module)
    sys.meta_path.insert(0, _Refusing())


class _FastTestsFirst:
    """Runs tests with given examples before those that search for one."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))


if __name__ == "__main__":
    serve(sys.argv[1:])
