"""Modules that a bot's process does not import."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from bots.operator.import_trimming import block_imports
block_imports("rich")
import bots.operator.bot_process, bots.discord.app
print(*sorted({name.partition(".")[0] for name, module in sys.modules.items() if module}))
"""


def test_bot_process_imports_no_large_unused_modules() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(ran.stdout.split())
    assert {"discord", "sqlalchemy"} <= loaded
    assert loaded.isdisjoint({"rich", "pygments", "redis", "torch", "celery", "nacl", "numpy"})


def test_blocked_module_is_missing_and_loaded_one_stays() -> None:
    code = (
        "import json, sys; from bots.operator.import_trimming import block_imports;"
        "block_imports('rich', 'json');"
        "import json as again; assert again is json\n"
        "try: import rich\nexcept ImportError: sys.exit(0)\nsys.exit(1)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
