"""Sabotage: named patches, each of which a named test must notice.

`python -m tests.mutation.sabotage [NAME …]` applies each patch of `tests/sabotage/*.toml` to a
scratch copy of the checkout and, where it is in a function of the database, to the scratch
database that tests copy theirs from. It runs the tests that are named in the patch, which must
fail, and prints a table. All runs share one Postgres and one Valkey. `--security` takes the
patches of `tests/sabotage/security/` instead, which remove what keeps the promises of
`docs/security.md`. A name may also be a topic's. `--table` also writes the table into
`docs/operations/`. Exit status 1 if a patch does not apply, or its tests still pass.
"""

from __future__ import annotations

import argparse
import re
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

PACKAGES = ("bots", "tasks", "imaging")
SECONDS = 240.0  # for each test
HANG_SECONDS = 60.0  # after which a test of a fault that `hangs` has noticed it
FAILED = 1  # pytest's exit status where tests ran and some failed
SQL_INTRODUCTION = """\
# Sabotaged SQL

Mutation testing of Python does not reach what Postgres does. `make sabotage` therefore breaks the
SQL on purpose: each fault below is a small patch in `tests/sabotage/`, applied to a scratch copy of
the checkout and to a scratch database, and the test beside it must fail. Every test passes without
a patch; a patch that is no valid SQL counts as broken. `make sabotage ARGS=--table` writes this
page.
"""
SECURITY_INTRODUCTION = """\
# Sabotaged promises

Every promise of the [security page](../security.md) has a fault that breaks it: each one below is a
small patch in `tests/sabotage/security/`, which removes a check, a deadline, an index or a
condition, and is applied to a scratch copy of the checkout. The test beside it must fail. Every
test passes without a patch. `make sabotage ARGS=--security` prints this table,
`make sabotage ARGS='--security --table'` writes this page.
"""
INVALID = (
    *("ProgrammingError", "InternalError_", "SyntaxError", "IndentationError"),
    *("ImportError", "NameError"),
)
"""Errors of a patch that is wrong itself; a test that fails with one says nothing."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A folder of patches, and the page with their table."""

    folder: Path
    table: Path
    introduction: str


SQL = Collection(
    ROOT / "tests" / "sabotage", ROOT / "docs" / "operations" / "sabotage.md", SQL_INTRODUCTION
)
SECURITY = Collection(
    SQL.folder / "security", SQL.table.with_name("sabotaged-promises.md"), SECURITY_INTRODUCTION
)


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A fault put in on purpose: `find` becomes `replace` in `path`, and `tests` must fail.

    `execute` changes the scratch database and `undo` changes it back, where the patch is in a
    migration. With `hangs`, the fault shows in a test that does not end.
    """

    name: str
    topic: str  # the file's name
    fault: str  # what goes wrong, in words
    path: str
    find: str
    replace: str
    tests: tuple[str, ...]
    execute: str = ""
    undo: str = ""
    hangs: bool = False

    @property
    def is_function(self) -> bool:
        """Whether the text is also in the database, put there by a migration."""
        path = Path(self.path)
        return path.suffix == ".sql" and path.stem in FUNCTIONS

    @property
    def package(self) -> str:
        """The package that the patch changes; empty for a file that no code imports."""
        top = Path(self.path).parts[0]
        return top if top in PACKAGES else ""


class Verdict(StrEnum):
    """What became of a sabotage."""

    NOTICED = "noticed"
    MISSED = "NOT NOTICED"
    BROKEN = "BROKEN"


def sabotages(folder: Path = SQL.folder) -> list[Sabotage]:
    """Every patch of a folder, in the order of the file names."""
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

    def check_baseline(self, package: str, tests: Iterable[str]) -> None:
        """Prepare for changes of a package.

        Raises TestsBroken unless all these tests pass on unchanged code.
        """
        every = sorted(set(tests))
        done = self.forks.stage(package, every, SECONDS * len(every))
        if done.status != 0:
            raise TestsBroken(f"tests fail without a change:\n{done.output[-4000:]}")

    def noticed(self, one: Sabotage) -> bool:
        """Whether the named tests fail with the patch.

        Raises TestsBroken if the patch does not apply, is no valid SQL, or no test ran.
        """
        text = (self.scratch.root / one.path).read_text(encoding="utf-8")
        changed = patched(one, text)
        seconds = (HANG_SECONDS if one.hangs else SECONDS) * len(one.tests)
        with self.scratch.changed(one.path, changed), self._in_database(one, changed, text):
            done = self.forks.run(seconds, one.tests)
        if done.status == 0:
            return False
        if done.status == HUNG and one.hangs:
            return True
        if done.status == HUNG:
            raise TestsBroken(f"not within {seconds:g} s")
        if done.status != FAILED or any(f"{name}:" in done.output for name in INVALID):
            raise TestsBroken(f"exit status {done.status}:\n{done.output[-2000:]}")
        return True

    @contextmanager
    def _in_database(self, one: Sabotage, changed: str, original: str) -> Iterator[None]:
        """Change the database that tests copy, for the duration of the context."""
        change, back = (changed, original) if one.is_function else (one.execute, one.undo)
        if not change:
            yield
            return
        self._execute(change)
        try:
            yield
        finally:
            self._execute(back)

    def _execute(self, statements: str) -> None:
        with psycopg.connect(self.servers.postgres.url, autocommit=True) as connection:
            connection.execute(statements.encode())


def try_all(runner: Runner, chosen: Sequence[Sabotage]) -> dict[str, Verdict]:
    """Try each patch, package by package; prints a line for each as soon as it is known.

    Raises TestsBroken if tests fail without a patch.
    """
    verdicts = {}
    for package in dict.fromkeys(one.package for one in chosen):
        those = [one for one in chosen if one.package == package]
        runner.check_baseline(package, (test for one in those for test in one.tests))
        for one in those:
            error = ""
            try:
                verdict = Verdict.NOTICED if runner.noticed(one) else Verdict.MISSED
            except (TestsBroken, psycopg.Error) as why:
                verdict, error = Verdict.BROKEN, f"\n    {why}"
            verdicts[one.name] = verdict
            tests = ", ".join(test.partition("::")[2] for test in one.tests)
            print(
                f"{one.topic:<12} {one.name:<36} {verdict:<11} {one.fault} → {tests}{error}",
                flush=True,
            )
    return verdicts


def table(chosen: Sequence[Sabotage], verdicts: dict[str, Verdict], introduction: str) -> str:
    """The document: one table by topic."""
    caught = sum(verdict is Verdict.NOTICED for verdict in verdicts.values())
    lines = [introduction, f"{caught} of {len(chosen)} noticed."]
    for topic in dict.fromkeys(one.topic for one in chosen):
        lines += [
            "",
            f"## {_heading(topic)}",
            "",
            "| Fault | Patch | Test | Verdict |",
            "|---|---|---|---|",
        ]
        for one in (each for each in chosen if each.topic == topic):
            tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in one.tests)
            lines.append(f"| {one.fault} | `{one.name}` | {tests} | {verdicts[one.name]} |")
    return "\n".join(lines) + "\n"


def _heading(topic: str) -> str:
    """A topic's heading; its file's number orders the topics."""
    return re.sub(r"^\d+-", "", topic).replace("-", " ").capitalize()


def main(arguments: Sequence[str]) -> int:
    """Try the patches and print the table."""
    parser = argparse.ArgumentParser(description="Break the code on purpose.")
    parser.add_argument("names", nargs="*", help="only these patches or topics")
    parser.add_argument("--security", action="store_true", help="break the promises of security.md")
    parser.add_argument("--table", action="store_true", help="write the page with the table")
    options = parser.parse_args(arguments)
    collection = SECURITY if options.security else SQL
    names = set(options.names)
    every = sabotages(collection.folder)
    chosen = [one for one in every if not names or names & {one.name, one.topic}]
    with (
        tempfile.TemporaryDirectory() as folder,
        scratch_copy(Path(folder)) as scratch,
        running_servers(Path(folder) / "servers") as servers,
        fork_server(scratch.root, ["--tb=short"], {SHARED_SERVERS: str(servers.home)}) as forks,
    ):
        try:
            verdicts = try_all(Runner(scratch, servers, forks), chosen)
        except TestsBroken as error:
            print(error)
            return 1
    caught = sum(verdict is Verdict.NOTICED for verdict in verdicts.values())
    print(f"{caught} of {len(chosen)} noticed")
    if options.table:
        collection.table.write_text(
            table(chosen, verdicts, collection.introduction), encoding="utf-8"
        )
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
