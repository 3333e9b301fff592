"""`atelier bench NAME`: runs a benchmark module in a process of its own.

Benchmarks are not imported here: two of them need torch.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bots.operator.errors import CommandError, NotInstalled
from bots.operator.output_files import check_writable

# module, and the arguments before the path of the JSON file
BENCHES: Mapping[str, tuple[str, ...]] = {
    "flow": ("tasks.bench.flow", "--json"),
    "queue": ("tasks.bench.queue", "--json"),
    "waits": ("tasks.bench.waits", "--json"),
    "engine": ("tasks.bench.engine", "--json"),
    "postcard": ("imaging.postcard.evaluate", "--json"),
}


def bench(name: str, json: Path | None) -> None:
    """Run a benchmark: print its table, and write its figures to `json` if given.

    Raises NotInstalled for a missing module, CommandError if the benchmark fails or `json` is not
    writable.
    """
    if name not in BENCHES:
        raise CommandError(f"There is no benchmark {name}: expected one of {', '.join(BENCHES)}.")
    module, *words = BENCHES[name]
    if not _exists(module):
        raise NotInstalled(f"`atelier bench {name}` is not part of this installation.")
    check_writable(json)
    written = [*words, str(json)] if json else []
    done = subprocess.run(  # noqa: S603  our own command line
        [sys.executable, "-P", "-m", module, *written], check=False
    )
    if done.returncode:
        raise CommandError(
            f"`atelier bench {name}` ended with status {done.returncode}; see above."
        )


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
