"""`make fuzz`: a million inputs by default; prints a table, and fails where anything was found.

make fuzz                                    # all, going on where an earlier run ended
make fuzz ARGS="--inputs 50000 --fresh"      # fewer, from the start
make fuzz ARGS="--part 2/4"                  # a quarter of the blocks, for several machines
make fuzz ARGS="--only pictures"
make fuzz ARGS="--show 'flags 1234'"         # run one input that a report names
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path

from tests.fuzz import grammar, payloads, pictures
from tests.fuzz.case import Target
from tests.fuzz.http_requests import http_target
from tests.fuzz.run import Block, blocks_of, load, report, run_block, store, table

INPUTS = 1_000_000
STATE = Path("build/fuzz.jsonl")
LOCAL = (*grammar.TARGETS, *payloads.TARGETS, *pictures.TARGETS)


def main() -> int:
    """Run what is not done yet; 1 where something was found."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped
    warnings.simplefilter("ignore")  # of Pillow, about damaged files
    options = _options()
    if options.fresh:
        options.state.unlink(missing_ok=True)
    with ExitStack() as stack:
        targets = _targets(stack, options.only)
        if options.show:
            _show(targets, options.show)
            return 0
        blocks = _run(targets, options)
    rows = [report(each, [one for one in blocks if one.target == each.name]) for each in targets]
    print(table(rows))
    for row in rows:
        for finding in (*row.failures[:20], *row.slow[:20]):
            print(finding)
    return 0 if all(row.passed for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--inputs", type=int, default=INPUTS)
    parser.add_argument("--part", default="1/1", help="NUMBER/PARTS")
    parser.add_argument("--state", type=Path, default=STATE)
    parser.add_argument("--only", help="one target's name")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--show", help="TARGET NUMBER, as a report names an input")
    return parser.parse_args()


def _targets(stack: ExitStack, only: str | None) -> list[Target]:
    targets = [each for each in LOCAL if only in (None, each.name)]
    if only in (None, "HTTP requests"):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets.append(stack.enter_context(http_target(folder)))
    return targets


def _run(targets: list[Target], options: argparse.Namespace) -> list[Block]:
    number, parts = map(int, options.part.split("/"))
    done = {(one.target, one.first, one.count): one for one in load(options.state)}
    for target in targets:
        for index, block in enumerate(blocks_of(target, options.inputs)):
            key = (block.target, block.first, block.count)
            if key in done or index % parts != number - 1:
                continue
            done[key] = run_block(target, block)
            store(options.state, block)
            print(f"{block.target}: {block.first + block.count:,}", file=sys.stderr)
    wanted = {each.name for each in targets}
    return [block for block in done.values() if block.target in wanted]


def _show(targets: list[Target], name: str) -> None:
    target, _, number = name.rpartition(" ")
    case = next(each for each in targets if each.name == target).case(int(number))
    print(case.shown)
    case.run()


if __name__ == "__main__":
    sys.exit(main())
