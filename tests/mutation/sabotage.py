"""Sabotage of SQL: named patches, each of which a named test must notice.

`python -m tests.mutation.sabotage [NAME …]` applies each patch of `tests/sabotage/*.toml` to a
scratch copy of the checkout and, where it is in a function of the database, to the scratch
database that tests copy theirs from. It runs the tests that are named in the patch, which must
fail, and prints a table. All runs share one Postgres and one Valkey. `--table` also writes the
table into `docs/operations/sabotage.md`. Exit status 1 if a patch does not apply, or its tests
still pass.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg

from tasks.store.sql import FUNCTIONS
from tests.mutation.fork_server import HUNG, ForkServer, fork_server
from tests.mutation.scratch import ROOT, Scratch, TestsBroken, scratch_copy
from tests.stack import SHARED_SERVERS, Servers, running_servers

FOLDER = ROOT / "tests" / "sabotage"
TABLE = ROOT / "docs" / "operations" / "sabotage.md"
PACKAGE = "tasks.store"  # every patch is in it
SECONDS = 240.0  # for each test
FAILED = 1  # pytest's exit status where tests ran and some failed
INTRODUCTION = """\
# Sabotaged SQL

Mutation testing of Python does not reach what Postgres does. `make sabotage` therefore breaks the
SQL on purpose: each fault below is a small patch in `tests/sabotage/`, applied to a scratch copy of
the checkout and to a scratch database, and the test beside it must fail. Every test passes without
a patch; a patch that is no valid SQL counts as broken. `make sabotage ARGS=--table` writes this
page.
"""
NOT_SQL = ("ProgrammingError", "InternalError_", "SyntaxError", "ImportError")
"""Errors of a patch that is wrong itself; a test that fails with one says nothing."""


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A fault put in on purpose: `find` becomes `replace` in `path`, and `tests` must fail."""

    name: str
    topic: str  # the file's name
    fault: str  # what goes wrong, in words
    path: str
    find: str
    replace: str
    tests: tuple[str, ...]

    @property
    def is_function(self) -> bool:
        """Whether the text is also in the database, put there by a migration."""
        path = Path(self.path)
        return path.suffix == ".sql" and path.stem in FUNCTIONS


class Verdict(StrEnum):
    """What became of a sabotage."""

    NOTICED = "noticed"
    MISSED = "NOT NOTICED"
    BROKEN = "BROKEN"


def sabotages(folder: Path = FOLDER) -> list[Sabotage]:
    """Every patch, in the order of the file names."""
    found = []
    for file in sorted(folder.glob("*.toml")):
        for name, row in tomllib.loads(file.read_text(encoding="utf-8")).items():
            tests = tuple(row.pop("tests"))
            found.append(Sabotage(name=name, topic=file.stem, tests=tests, **row))
    return found


def patched(one: Sabotage, text: str) -> str:
    """The text with the patch. Raises TestsBroken if it does not apply exactly once."""
    if text.count(one.find) != 1:
        raise TestsBroken(f"found {text.count(one.find)} times in {one.path}")
    return text.replace(one.find, one.replace)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs tests in a scratch copy against shared servers."""

    scratch: Scratch
    servers: Servers
    forks: ForkServer

    def check_baseline(self, tests: Iterable[str]) -> None:
        """Raise TestsBroken unless all these tests pass on unchanged code."""
        every = sorted(set(tests))
        done = self.forks.stage(PACKAGE, every, SECONDS * len(every))
        if done.status != 0:
            raise TestsBroken(f"tests fail without a change:\n{done.output[-4000:]}")

    def noticed(self, one: Sabotage) -> bool:
        """Whether the named tests fail with the patch.

        Raises TestsBroken if the patch does not apply, is no valid SQL, or no test ran.
        """
        text = (self.scratch.root / one.path).read_text(encoding="utf-8")
        changed = patched(one, text)
        with self.scratch.changed(one.path, changed), self._in_database(one, changed, text):
            done = self.forks.run(SECONDS * len(one.tests), one.tests)
        if done.status == 0:
            return False
        if done.status == HUNG:
            raise TestsBroken(f"not within {SECONDS * len(one.tests):g} s")
        if done.status != FAILED or any(f"{name}:" in done.output for name in NOT_SQL):
            raise TestsBroken(f"exit status {done.status}:\n{done.output[-2000:]}")
        return True

    @contextmanager
    def _in_database(self, one: Sabotage, changed: str, original: str) -> Iterator[None]:
        """Replace a function in the database that tests copy, for the duration of the context."""
        if not one.is_function:
            yield
            return
        self._execute(changed)
        try:
            yield
        finally:
            self._execute(original)

    def _execute(self, statements: str) -> None:
        with psycopg.connect(self.servers.postgres.url, autocommit=True) as connection:
            connection.execute(statements.encode())


def try_all(runner: Runner, chosen: Sequence[Sabotage]) -> dict[str, Verdict]:
    """Try each patch; prints a line for each as soon as it is known."""
    verdicts = {}
    for one in chosen:
        error = ""
        try:
            verdict = Verdict.NOTICED if runner.noticed(one) else Verdict.MISSED
        except (TestsBroken, psycopg.Error) as why:
            verdict, error = Verdict.BROKEN, f"\n    {why}"
        verdicts[one.name] = verdict
        print(f"{one.topic:<10} {one.name:<36} {verdict:<11} {one.fault}{error}", flush=True)
    return verdicts


def table(chosen: Sequence[Sabotage], verdicts: dict[str, Verdict]) -> str:
    """The document: one table by topic."""
    caught = sum(verdict is Verdict.NOTICED for verdict in verdicts.values())
    lines = [INTRODUCTION, f"{caught} of {len(chosen)} noticed."]
    for topic in dict.fromkeys(one.topic for one in chosen):
        lines += [
            "",
            f"## {topic.capitalize()}",
            "",
            "| Fault | Patch | Test | Verdict |",
            "|---|---|---|---|",
        ]
        for one in (each for each in chosen if each.topic == topic):
            tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in one.tests)
            lines.append(f"| {one.fault} | `{one.name}` | {tests} | {verdicts[one.name]} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Try the patches and print the table."""
    parser = argparse.ArgumentParser(description="Break the SQL on purpose.")
    parser.add_argument("names", nargs="*", help="only these patches")
    parser.add_argument("--table", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    chosen = [one for one in sabotages() if not options.names or one.name in options.names]
    with (
        tempfile.TemporaryDirectory() as folder,
        scratch_copy(Path(folder)) as scratch,
        running_servers(Path(folder) / "servers") as servers,
        fork_server(scratch.root, ["--tb=short"], {SHARED_SERVERS: str(servers.home)}) as forks,
    ):
        runner = Runner(scratch, servers, forks)
        try:
            runner.check_baseline(test for one in chosen for test in one.tests)
        except TestsBroken as error:
            print(error)
            return 1
        verdicts = try_all(runner, chosen)
    caught = sum(verdict is Verdict.NOTICED for verdict in verdicts.values())
    print(f"{caught} of {len(chosen)} noticed")
    if options.table:
        TABLE.write_text(table(chosen, verdicts), encoding="utf-8")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
