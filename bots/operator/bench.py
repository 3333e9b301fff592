"""`atelier bench NAME`: each benchmark is a module of its own, run as a process of its own.

They are run and not imported: two of them need torch, and this room never does.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bots.operator.outputs import check_writable
from bots.operator.refusal import NotThere, Refusal

BENCHES: Mapping[str, tuple[str, ...]] = {  # module, and the words before the file of figures
    "flow": ("tasks.bench.flow", "--json"),
    "queue": ("tasks.bench.queue", "--json"),
    "engine": ("imaging.engine.bench",),
    "postcard": ("imaging.postcard.evaluate", "--json"),
}


def bench(name: str, json: Path | None) -> None:
    """Run a benchmark; its table goes to standard output, its figures to `json`.

    Raises NotThere where it is not written yet, Refusal where it fails or `json` cannot be written.
    """
    if name not in BENCHES:
        raise Refusal(f"There is no benchmark {name}: expected one of {', '.join(BENCHES)}.")
    module, *words = BENCHES[name]
    if not _exists(module):
        raise NotThere(f"`atelier bench {name}` is not there yet in this version.")
    check_writable(json)
    written = [*words, str(json)] if json else []
    done = subprocess.run(  # noqa: S603  our own command line
        [sys.executable, "-P", "-m", module, *written], check=False
    )
    if done.returncode:
        raise Refusal(f"`atelier bench {name}` ended with status {done.returncode}; see above.")


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
