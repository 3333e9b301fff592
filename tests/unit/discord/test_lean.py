"""What a bot's process does not carry about with it."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from bots.operator.lean import leave_out
leave_out("rich")
import bots.operator.rooms, bots.discord.app
print(*sorted({name.partition(".")[0] for name, module in sys.modules.items() if module}))
"""


def test_a_bots_process_loads_nothing_large_that_it_does_not_use() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(ran.stdout.split())
    assert {"discord", "sqlalchemy"} <= loaded
    assert loaded.isdisjoint({"rich", "pygments", "redis", "torch", "celery", "nacl", "numpy"})


def test_what_was_left_out_is_not_there_and_what_is_loaded_stays() -> None:
    code = (
        "import json, sys; from bots.operator.lean import leave_out; leave_out('rich', 'json');"
        "import json as again; assert again is json\n"
        "try: import rich\nexcept ImportError: sys.exit(0)\nsys.exit(1)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
