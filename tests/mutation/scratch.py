"""A scratch copy of the checkout, in which code may be broken on purpose and tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = (
    *("bots", "tasks", "imaging", "tests", "docs", "docker", "requirements"),
    *(".ci", "pyproject.toml"),
)
NO_TESTS_RAN = 5
NICENESS = 10


class TestsBroken(Exception):
    """The tests fail without any change, or cannot run; their verdict on a change means nothing."""

    __test__ = False  # not a test class


@dataclass(frozen=True, slots=True)
class Scratch:
    """A copy of the checkout in `root`."""

    root: Path

    @contextmanager
    def changed(self, path: str, text: str) -> Iterator[None]:
        """Replace the content of one file for the duration of the context."""
        file = self.root / path
        original = file.read_text(encoding="utf-8")
        file.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(original, encoding="utf-8")

    def tests_pass(self, tests: Sequence[str], seconds: float) -> bool:
        """Whether the tests pass within `seconds`; a hang counts as a failure.

        Raises TestsBroken if no test ran.
        """
        command = [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
            *("-p", "no:randomly", "--no-header", *tests),
        ]
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=self.root,
                env=environment,
                timeout=seconds,
                capture_output=True,
                check=False,
                preexec_fn=lambda: os.nice(NICENESS),
            )
        except subprocess.TimeoutExpired:
            return False
        if done.returncode == NO_TESTS_RAN:
            raise TestsBroken(f"no test ran: {' '.join(tests)}")
        return done.returncode == 0

    def check_baseline(self, tests: Sequence[str], seconds: float) -> None:
        """Raise TestsBroken unless the tests pass on unchanged code."""
        if not self.tests_pass(tests, seconds):
            raise TestsBroken(f"fails without a change: {' '.join(tests)}")


@contextmanager
def scratch_copy(folder: Path) -> Iterator[Scratch]:
    """Copy the checkout into `folder`; the copy is removed at the end."""
    root = folder / "checkout"
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=ignore)
        else:
            root.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / part)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)  # some tests ask git for files
    try:
        yield Scratch(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
