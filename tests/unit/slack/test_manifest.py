"""The manifest is what the code offers: complete, valid, and no more than that."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import jsonschema
import pytest

import bots.slack
from bots.slack import manifest
from bots.slack.surface import EVENTS, SCOPES

ROOM = Path(bots.slack.__file__).parent


def specs() -> Path:
    named = os.environ.get("ATELIER_SPECS")
    if named is None:
        pytest.skip("ATELIER_SPECS is not set")
    return Path(named)


def test_the_kept_file_is_up_to_date() -> None:
    kept = (ROOM / "manifest.json").read_text()
    assert kept == manifest.text(manifest.manifest()), "run: python -m bots.slack.manifest > …"


@pytest.mark.parametrize(
    "made", [manifest.manifest(), manifest.http_manifest("https://atelier.example")]
)
def test_slacks_own_schema_takes_it(made: manifest.Manifest) -> None:
    schema = json.loads((specs() / "slack-manifest-schema.json").read_text())
    jsonschema.validate(made, schema, cls=jsonschema.Draft7Validator)


def test_every_scope_is_needed_by_a_call_or_an_event() -> None:
    called = _methods_called()
    needed = {"commands", "app_mentions:read"}  # by the manifest's commands and app_mention
    for method in called:
        spec = json.loads((specs() / "slack-methods" / f"{method}.json").read_text())
        needed |= set(spec["scope"].get("bot", []))
    assert set(SCOPES) <= needed, f"asked for in vain: {set(SCOPES) - needed}"
    assert "chat:write" in SCOPES


def test_every_event_has_a_listener() -> None:
    source = "".join(path.read_text() for path in ROOM.glob("*.py"))
    for event in EVENTS:
        name = event.partition(".")[0]
        assert f'app.event("{name}"' in source, f"nothing listens to {event}"


def _methods_called() -> set[str]:
    """Every Web API method that is named in the room's code."""
    known = {path.stem for path in (specs() / "slack-methods").glob("*.json")}
    found = set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in known:
                found.add(str(node.value))
    return found
