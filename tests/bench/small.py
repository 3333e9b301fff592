"""Start-up time and memory of the bots: `python -m tests.bench.small [--json FILE]`.

Prints the time that `import bots.cli` takes beyond Python's own start, and the resident memory of
each bot's imported code before it has connected to anything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 10
APPS = ("bots.web.app", "bots.discord.app", "bots.slack.app")
MEASURE = "import psutil, {}; print(psutil.Process().memory_info().rss)"


def seconds(code: str) -> float:
    """The median time in seconds of a Python process that runs `code`."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-P", "-c", code], check=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def megabytes(module: str) -> float:
    """Resident memory of a Python that has imported `module`."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", MEASURE.format(module)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    file = parser.parse_args().json
    bare = seconds("pass")
    figures = {"import bots.cli, s": seconds("import bots.cli") - bare, "bare Python, s": bare}
    figures |= {f"{app}, MB": megabytes(app) for app in APPS}
    for name, value in figures.items():
        print(f"{name:24} {value:8.3f}")
    if file:
        file.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
