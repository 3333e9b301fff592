"""`atelier bench NAME`: each benchmark is a module of its own, run as a process of its own.

They are run and not imported: two of them need torch, and this room never does.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bots.operator.refusal import NotThere, Refusal

BENCHES: Mapping[str, str] = {
    "flow": "tasks.bench.flow",
    "queue": "tasks.bench.queue",
    "engine": "imaging.engine.bench",
    "postcard": "imaging.postcard.bench",
}


def bench(name: str, json: Path | None) -> None:
    """Run a benchmark; its table goes to standard output, its figures to `json`.

    Raises NotThere where it is not written yet, Refusal where it fails.
    """
    module = BENCHES.get(name)
    if module is None:
        raise Refusal(f"There is no benchmark {name}: expected one of {', '.join(BENCHES)}.")
    if not _exists(module):
        raise NotThere(f"`atelier bench {name}` is not there yet in this version.")
    written = ["--json", str(json)] if json else []
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
