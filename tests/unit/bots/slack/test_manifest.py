"""The manifest matches the code: complete, valid, and without unused scopes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import jsonschema
import pytest

import bots.slack
from bots.slack import manifest
from bots.slack.app_spec import EVENTS, SCOPES
from tests.platform_specs import specs_folder

PACKAGE = Path(bots.slack.__file__).parent


def specs() -> Path:
    folder = specs_folder()
    if folder is None:
        pytest.skip("ATELIER_SPECS names no specifications")
    return folder


def test_committed_file_is_up_to_date() -> None:
    kept = (PACKAGE / "manifest.json").read_text()
    assert kept == manifest.text(manifest.manifest()), "run: python -m bots.slack.manifest > …"


@pytest.mark.parametrize(
    "made", [manifest.manifest(), manifest.http_manifest("https://atelier.example")]
)
def test_manifest_is_valid_under_slacks_schema(made: manifest.Manifest) -> None:
    schema = json.loads((specs() / "slack-manifest-schema.json").read_text())
    jsonschema.validate(made, schema, cls=jsonschema.Draft7Validator)


def test_every_scope_is_needed_by_a_call_or_an_event() -> None:
    called = _methods_called()
    needed = {"commands", "app_mentions:read"}  # by the manifest's commands and app_mention
    for method in called:
        spec = json.loads((specs() / "slack-methods" / f"{method}.json").read_text())
        needed |= set(spec["scope"].get("bot", []))
    assert set(SCOPES) <= needed, f"unused scopes: {set(SCOPES) - needed}"
    assert "chat:write" in SCOPES


def test_every_event_has_a_listener() -> None:
    source = "".join(path.read_text() for path in PACKAGE.glob("*.py"))
    for event in EVENTS:
        name = event.partition(".")[0]
        assert f'app.event("{name}"' in source, f"no listener for {event}"


def _methods_called() -> set[str]:
    """Every Web API method named in the package's code."""
    known = {path.stem for path in (specs() / "slack-methods").glob("*.json")}
    found = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in known:
                found.add(str(node.value))
    return found


def test_new_apps_are_agents_and_not_assistants() -> None:
    made = manifest.manifest()
    assert made["features"]["agent_view"]["agent_description"]
    assert "assistant_view" not in made["features"]
    events = made["settings"]["event_subscriptions"]["bot_events"]
    assert "assistant_thread_started" not in events
    assert "app_home_opened" in events
    assert made["features"]["app_home"]["messages_tab_enabled"]


def test_optional_scopes_are_requested_scopes() -> None:
    scopes = manifest.manifest()["oauth_config"]["scopes"]
    assert set(scopes["bot_optional"]) < set(scopes["bot"])
    assert "chat:write" not in scopes["bot_optional"]


@pytest.mark.parametrize(
    ("named", "ci", "folder"),
    [("/specs", "true", Path("/specs")), ("none", "true", None), (None, "", None)],
)
def test_specifications_are_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, named: str | None, ci: str, folder: Path | None
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("ATELIER_SPECS", raising=False)
    if named is not None:
        monkeypatch.setenv("ATELIER_SPECS", named)
    assert specs_folder() == folder


def test_ci_does_not_leave_out_the_specifications_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("ATELIER_SPECS", raising=False)
    with pytest.raises(LookupError, match="ATELIER_SPECS"):
        specs_folder()
