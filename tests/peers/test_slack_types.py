"""The calls of the Slack package, compiled by `tsc` against the types of `@slack/web-api`."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.slack.conftest import ANNA, GENERAL, TEAM
from tests.platforms.slack.delivery_builders import failed, finished
from tests.platforms.slack.harness import open_stage
from tests.platforms.slack.member import Person
from tests.platforms.slack.server import Call
from tests.stack import Servers

UNTYPED = frozenset({"apps.connections.open", "auth.test"})  # calls of the SDK itself
METHODS = frozenset(
    {
        "assistant.threads.setSuggestedPrompts", "chat.postEphemeral", "chat.postMessage",
        "chat.update", "files.completeUploadExternal", "files.getUploadURLExternal", "files.info",
        "usergroups.list", "users.info", "views.open", "views.publish",
    }
)  # fmt: skip
# The documentation and the Python SDK say `alt_txt`, the types of the Node SDK `alt_text`.
MISNAMED = frozenset({"alt_txt"})
COUNTS = re.compile(r"limit|length")


@pytest.fixture
async def calls(servers: Servers, tmp_path: Path) -> list[Call]:
    """What one member's day makes the bot and the publisher call."""
    async with open_stage(servers, tmp_path) as harness:
        actor = await harness.actor("anna")
        await actor.imagine("a red house <!channel> *b*")
        for word in ("quota", "queue", "history", "help"):
            await actor.send_command(word)
        await asyncio.to_thread(_look_around, actor.person)
        thread = actor.last["event"]["ts"]
        slack = harness.slack
        channel = actor.last["event"]["channel"]
        record = finished(TEAM, channel, ANNA, thread, {}, 2)
        await harness.deliver(record.delivery())
        record.job = replace(record.job, placeholder=record.memory["placeholder"])
        await harness.deliver(failed(record, "out-of-memory").delivery())
        await asyncio.to_thread(
            slack.until, "every method", lambda: {c.method for c in slack.calls} >= METHODS
        )
        return [call for call in slack.calls if call.method not in UNTYPED]


def _look_around(person: Person) -> None:
    person.command("/atelier", "privacy export", GENERAL)
    person.open_home()
    opened = {"type": "app_home_opened", "user": person.user, "tab": "messages"}
    channel = person.workspace.dm(person.user).id
    person.send_event(opened | {"channel": channel, "event_ts": person.slack.clock.ts()})
    person.shortcut("atelier_compose")
    person.mention(GENERAL, "a red house --ar 99:1")


def test_every_call_has_the_types_of_the_sdk(
    calls: list[Call], peers: Path, node: list[str], tmp_path: Path
) -> None:
    assert {call.method for call in calls} >= METHODS
    source = tmp_path / "calls.ts"
    source.write_text(typescript(calls))
    assert compile_(source, peers, node) == ""


def test_a_wrong_call_does_not_compile(peers: Path, node: list[str], tmp_path: Path) -> None:
    call = Call("chat.update", TEAM, {"channel": GENERAL, "text": "no ts"}, 0.0)
    source = tmp_path / "calls.ts"
    source.write_text(typescript([call]))
    assert "ts" in compile_(source, peers, node)


def typescript(calls: list[Call]) -> str:
    """A program that makes the calls with literal arguments."""
    lines = [
        "import { WebClient } from '@slack/web-api';",
        "export async function calls(client: WebClient): Promise<void> {",
        *(f"  await client.{call.method}({_literal(call.args)});" for call in calls),
        "}",
    ]
    return "\n".join(lines) + "\n"


def compile_(source: Path, peers: Path, node: list[str]) -> str:
    """What `tsc --strict` reports."""
    (source.parent / "node_modules").symlink_to(peers / "node_modules")
    tsc = peers / "node_modules" / "typescript" / "bin" / "tsc"
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--types", "node"]
    done = subprocess.run(
        [*node, str(tsc), *options, str(source)],
        cwd=source.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def _literal(args: dict[str, Any]) -> str:
    kept = {name: value for name, value in args.items() if name not in MISNAMED}
    return json.dumps({name: _value(name, value) for name, value in kept.items()})


def _value(name: str, value: Any) -> Any:
    """An argument as the SDK takes it: the form that is sent has only strings."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        return json.loads(value)
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if COUNTS.fullmatch(name) else value
