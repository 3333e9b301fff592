"""Sessions that were signed out stay so, in every process and in every spelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

from bots.core.command_handler import CommandHandler
from bots.web.access_guard import AccessPolicy
from bots.web.commands import CommandRoutes
from bots.web.event_stream import EventBroadcaster
from bots.web.sessions import SESSION_SECONDS, SessionSigner
from bots.web.signed_out import SignedOutSessions
from imaging.profiles import profile_for
from tasks.jobs.members import Member
from tests.client_double import client_double

SECRET = "a secret of the operator"


def signer(folder: Path) -> SessionSigner:
    """As one web process has it."""
    return SessionSigner(SECRET, SignedOutSessions(folder / "home" / "signed-out"))


def test_session_ends_in_every_process(tmp_path: Path) -> None:
    here, there = signer(tmp_path), signer(tmp_path)
    copied, other = here.issue(operator=True), here.issue(operator=True)
    assert there.read(copied.value) == copied
    here.sign_out(copied)
    here.sign_out(copied)
    for one in (here, there, signer(tmp_path)):
        assert one.read(copied.value) is None
        assert one.has_ended(copied)
        assert one.read(other.value) == other
    there.sign_out(other)
    assert here.read(other.value) is here.read(copied.value) is None


def test_other_spellings_of_a_signature_end_too(tmp_path: Path) -> None:
    here = signer(tmp_path)
    session = here.issue(operator=True)
    spellings = {f"{session.value[:-1]}{last}" for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZ048"}
    valid = {value for value in spellings | {session.value + "="} if here.read(value) is not None}
    here.sign_out(session)
    assert {value for value in valid | {session.value} if here.read(value) is not None} == set()


def test_session_of_a_visitor_is_not_kept(tmp_path: Path) -> None:
    here = signer(tmp_path)
    visitor = here.issue()
    here.sign_out(visitor)
    assert here.read(visitor.value) == visitor
    assert not (tmp_path / "home").exists()


def test_expired_sessions_are_forgotten_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "signed-out"
    clock = Mock(return_value=1000.0)
    sessions = SignedOutSessions(path, clock)
    sessions.add("old", SESSION_SECONDS)
    clock.return_value += SESSION_SECONDS - 10
    sessions.add("new", SESSION_SECONDS)
    assert "old" in sessions
    clock.return_value += 20
    sessions.add("newest", SESSION_SECONDS)
    assert [name in sessions for name in ("old", "new", "newest")] == [False, True, True]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "new" not in path.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["signed-out"]


async def test_stream_ends_with_its_session(tmp_path: Path) -> None:
    here = signer(tmp_path)
    session = here.issue(operator=True)
    client: Any = client_double()
    broadcaster = EventBroadcaster(client)
    handler = CommandHandler(client, profile_for, "postcard")
    routes = CommandRoutes(handler, broadcaster, AccessPolicy(here))
    ann = Member("web", "playground", "ann")
    events = routes._events(ann, session)
    assert (await anext(events)).event == "hello"
    broadcaster.notify(ann, "before")
    assert (await anext(events)).event == "notice"
    here.sign_out(session)
    broadcaster.notify(ann, "after")
    assert await anext(events, None) is None
