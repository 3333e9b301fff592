"""Log lines: a value, a message or an exception cannot forge one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Literal

import pytest

from tasks.runtime.logs import escape_control_characters

PROGRAM = """
import logging, structlog, sys
from tasks.runtime import logs

forged = "2026-01-01T00:00:00Z [info ] forged"
breaks = ["\\n", "\\r\\n", "\\r", "\\x0b", "\\x0c", "\\x1c", "\\x85", "\\u2028", "\\u2029"]
logs.configure(sys.argv[1])
log = structlog.get_logger()
for each in breaks:
    log.info("event", value=f"a{each}{forged}", escape="\\x1b[2J")
    log.info(f"event{each}{forged}")
    logging.getLogger("library").warning("body: %s", f"a{each}{forged}")
    try:
        raise ValueError(f"a{each}{forged}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed too")
"""


def lines(form: Literal["text", "json"]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True
    )
    assert "\x1b[2J" not in done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\u061c"])
def test_invisible_characters_are_shown(hidden: str) -> None:
    event = escape_control_characters(None, "", {"event": f"a{hidden}b", "key": f"c{hidden}d"})
    assert not any(hidden in value for value in event.values())


def test_text_lines_cannot_be_forged() -> None:
    written = lines("text")
    begins = [line for line in written if re.match(r"\S", line)]
    assert len(begins) == 9 * 5
    assert not [line for line in written if re.match(r"\S*\s*\[\w+\s*\] forged", line)]


def test_json_lines_cannot_be_forged() -> None:
    written = [json.loads(line) for line in lines("json")]
    assert len(written) == 9 * 5
    assert {entry["level"] for entry in written} == {"info", "warning", "error"}
