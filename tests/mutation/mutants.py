"""Mutation testing of Python modules: a seeded sample of one-line changes, and who notices them.

`python -m tests.mutation.mutants [--seed N …] [--sample N] [--only NAME …]` mutates each module of
`modules.toml` with cosmic-ray's operators, runs the tests that are named beside it, and appends
each verdict to `build/mutants.jsonl`: an interrupted run continues where it stopped, and a verdict
holds as long as neither the module nor its tests change. `--table` writes
`docs/operations/mutation-testing.md` from the verdicts of these seeds; with `--only`, the rows of
other modules stay as they are. Equivalent mutants are listed in `equivalent.toml` with the reason;
they do not count. Exit status 1 below the goal.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import random
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from tests.mutation.fork_server import ForkServer, fork_server
from tests.mutation.mutation_table import Row, merged, page, rows_of
from tests.mutation.scratch import ROOT, Scratch, TestsBroken, scratch_copy

HERE = Path(__file__).parent
TABLE = ROOT / "docs" / "operations" / "mutation-testing.md"
SKIPPED_OPERATORS = (
    *("RemoveDecorator", "Variable"),  # need arguments, or change no logic
    # The code compares by identity with None and with members of enumerations only.
    *("ReplaceComparisonOperator_Is_Eq", "ReplaceComparisonOperator_IsNot_NotEq"),
)
OPTIONS = ("--hypothesis-profile=mutation",)
BASELINE_SECONDS = 300.0
PATIENCE_SECONDS, PATIENCE = 5.0, 5.0  # a mutant hangs after the first and so many baselines


@dataclass(frozen=True, slots=True)
class Module:
    """A module to mutate, and the tests that must notice."""

    name: str
    path: str
    tests: tuple[str, ...]

    @property
    def dotted_name(self) -> str:
        """The module's name for `import`."""
        return self.path.removesuffix(".py").replace("/", ".")

    def source(self, root: Path) -> str:
        """The module's code."""
        return (root / self.path).read_text(encoding="utf-8")

    def version(self, root: Path) -> str:
        """Changes with the module's code and its tests."""
        files = [root / self.path]
        for test in self.tests:
            files += (
                sorted((root / test).rglob("*.py")) if (root / test).is_dir() else [root / test]
            )
        digest = hashlib.blake2b(digest_size=8)
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module: an operator at one of its occurrences."""

    module: str
    operator: str
    occurrence: int
    line: int
    was: str  # the line before and after, without indentation
    becomes: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the tests noticed a mutant of this version of module and tests."""

    mutant: Mutant
    version: str
    noticed: bool


def modules() -> list[Module]:
    """Every module of `modules.toml`."""
    table = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    return [Module(name, row["path"], tuple(row["tests"])) for name, row in table.items()]


def equivalent() -> dict[tuple[str, str, str], str]:
    """Reasons of equivalent mutants by module, line and changed line."""
    table = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))
    return {
        (name, row["was"], becomes): row["why"]
        for name, rows in table.items()
        for row in rows
        for becomes in row["becomes"]
    }


def sample(module: Module, source: str, seed: int, size: int) -> list[Mutant]:
    """A reproducible sample of mutants that are valid and change code: no annotations."""
    before = _code(source)
    positions = list(_positions(source))
    random.Random(f"{seed}:{module.name}").shuffle(positions)
    found: dict[str, Mutant] = {}
    for operator, occurrence in positions:
        if len(found) == size:
            break
        changed = _mutated(source, operator, occurrence)
        if changed and changed not in found and _code(changed) not in (before, ""):
            found[changed] = Mutant(
                module.name, operator, occurrence, *_changed_line(source, changed)
            )
    return list(found.values())


def _positions(source: str) -> Iterator[tuple[str, int]]:
    """Every operator with each of its occurrences in the source."""
    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(plugins.operator_names()):
        if name.rsplit("/", 1)[-1].startswith(SKIPPED_OPERATORS):
            continue
        operator = plugins.get_operator(name)()
        count = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        yield from ((name, occurrence) for occurrence in range(count))


def _mutated(source: str, operator: str, occurrence: int) -> str:
    """The source with one change; nothing where the operator cannot make it."""
    try:
        return mutate_code(source, plugins.get_operator(operator)(), occurrence) or ""
    except AttributeError:  # cosmic-ray replaces no exception with a dot in its name
        return ""


class _WithoutAnnotations(ast.NodeTransformer):
    """Drops annotations, which are not evaluated, and the marks of keyword-only parameters."""

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults += [default for default in node.kw_defaults if default is not None]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Name("annotated")
        return self.generic_visit(node)


def _code(source: str) -> str:
    """What is executed of a source; nothing if it is no valid Python."""
    try:
        return ast.dump(_WithoutAnnotations().visit(ast.parse(source)))
    except SyntaxError:
        return ""


def _changed_line(before: str, after: str) -> tuple[int, str, str]:
    """The number of the first line that differs, and the line before and after."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    for number, (old, new) in enumerate(pairs, 1):
        if old != new:
            return number, old.strip(), new.strip()
    raise ValueError("Nothing changed.")


def run(
    module: Module, mutants: Sequence[Mutant], scratch: Scratch, server: ForkServer, file: Path
) -> None:
    """Try each mutant that has no verdict yet, and append its verdict to `file`.

    Raises TestsBroken if the tests fail on unchanged code.
    """
    version = module.version(scratch.root)
    decided = {verdict.mutant for verdict in read(file) if verdict.version == version}
    left = [mutant for mutant in mutants if mutant not in decided]
    if not left:
        return
    first = server.stage(module.dotted_name, module.tests, BASELINE_SECONDS)
    usual = server.run(BASELINE_SECONDS) if first.status == 0 else first
    if usual.status != 0:
        raise TestsBroken(f"{module.name} fails without a change:\n{usual.output}")
    source = module.source(scratch.root)
    for mutant in left:
        changed = _mutated(source, mutant.operator, mutant.occurrence)
        if not changed:
            raise ValueError(f"{mutant} is no mutant of {module.path}.")
        with scratch.changed(module.path, changed):
            limit = PATIENCE_SECONDS + PATIENCE * usual.seconds
            noticed = server.run(limit).status != 0
        with file.open("a", encoding="utf-8") as out:
            print(json.dumps(asdict(Verdict(mutant, version, noticed))), file=out)
        if not noticed:
            print(f"{module.name}:{mutant.line}: {mutant.was}\n    {mutant.becomes}", flush=True)


def read(file: Path) -> list[Verdict]:
    """The verdicts so far."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Verdict(Mutant(**row.pop("mutant")), **row) for row in rows]


def score(module: Module, version: str, seed: int, mutants: Sequence[Mutant], file: Path) -> Row:
    """The verdicts on one sample, counted."""
    reasons = equivalent()
    noticed = {
        verdict.mutant: verdict.noticed for verdict in read(file) if verdict.version == version
    }
    survivors = [mutant for mutant in mutants if not noticed[mutant]]
    same = [m for m in survivors if (m.module, m.was, m.becomes) in reasons]
    return Row(module.name, module.path, seed, len(mutants), len(same), len(survivors) - len(same))


def project_version() -> str:
    """The version in `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sample", type=int, default=40, help="mutants of each module")
    parser.add_argument("--only", nargs="*", default=[], help="names of modules")
    parser.add_argument("--table", action="store_true", help="write the table into the documents")
    asked = parser.parse_args()
    file = ROOT / "build" / "mutants.jsonl"
    file.parent.mkdir(exist_ok=True)
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        scratch_copy(Path(folder)) as scratch,
        fork_server(scratch.root, OPTIONS) as server,
    ):
        for module in modules():
            if asked.only and module.name not in asked.only:
                continue
            version = module.version(scratch.root)
            for seed in asked.seed:
                mutants = sample(module, module.source(scratch.root), seed, asked.sample)
                run(module, mutants, scratch, server, file)
                rows.append(score(module, version, seed, mutants, file))
                print(rows[-1], flush=True)
    if asked.table:
        kept = rows_of(TABLE.read_text(encoding="utf-8")) if asked.only else []
        every = merged(rows, kept, [module.name for module in modules()])
        today = datetime.now(UTC).date()
        TABLE.write_text(page(every, project_version(), today), encoding="utf-8")
    return 0 if all(row.reaches_goal for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
