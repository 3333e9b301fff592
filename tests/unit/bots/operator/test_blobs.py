"""`atelier blobs`: the table of orphans, and adoption only when it is confirmed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from bots.operator import blobs
from bots.operator.doctor_checks.finding import Level
from bots.operator.doctor_checks.servers import check_servers
from bots.operator.errors import CommandError
from tasks.runtime.blobs import Blobs, StoreMarker, blobs_of
from tasks.runtime.settings import Settings
from tasks.store.orphans import Orphan
from tests.stack import Servers


@pytest.fixture
def settings(
    servers: Servers, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings of a fresh database and an empty blob store, also in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path))
    monkeypatch.setenv("ATELIER_DATABASE_URL", database_url)
    monkeypatch.setenv("ATELIER_REDIS_URL", servers.valkey.url)
    return Settings(_env_file=None)


@pytest.fixture
def foreign(settings: Settings) -> Blobs:
    """A blob store of another installation."""
    store = blobs_of(settings)
    store.write_marker(StoreMarker(uuid4(), 5))
    return store


def test_adoption_needs_confirmation(foreign: Blobs, capsys: pytest.CaptureFixture[str]) -> None:
    before = foreign.read_marker()
    with pytest.raises(CommandError, match=r"another installation[\s\S]*add --yes"):
        blobs.adopt(confirmed=False)
    assert foreign.read_marker() == before
    blobs.adopt(confirmed=True)
    adopted = foreign.read_marker()
    assert adopted is not None
    assert before is not None
    assert adopted.installation != before.installation
    assert adopted.generation == 5
    blobs.adopt(confirmed=False)
    assert "Nothing changed" in capsys.readouterr().out


def test_orphans_are_counted_and_a_mismatch_is_said(
    foreign: Blobs, capsys: pytest.CaptureFixture[str]
) -> None:
    blobs.list_orphans(10)
    printed = capsys.readouterr().out
    assert "0 orphan(s)" in printed
    assert "No file will be deleted." in printed


def test_store_that_a_copy_has_used_is_said_and_can_be_adopted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = blobs_of(settings)
    assert _pairing_level(settings) is Level.OK  # and pairs the two
    marker = store.read_marker()
    assert marker is not None
    store.write_marker(StoreMarker(marker.installation, marker.generation + 1, "1.5"))
    blobs.list_orphans(10)
    assert "A copy of the database has used this blob store" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"A copy of the database[\s\S]*add --yes"):
        blobs.adopt(confirmed=False)
    assert _pairing_level(settings) is Level.WARN
    blobs.adopt(confirmed=True)
    assert _pairing_level(settings) is Level.OK


def _pairing_level(settings: Settings) -> Level:
    (found,) = (each for each in check_servers(settings) if each.subject == "pairing")
    return found.level


def test_table_shows_when_a_file_is_deleted() -> None:
    listed = datetime(2026, 11, 1, tzinfo=UTC)
    console = Console(width=120, record=True)
    console.print(
        blobs.table(
            [
                Orphan("pictures/a", listed, None),
                Orphan("pictures/b", listed, datetime(2026, 11, 5, tzinfo=UTC)),
            ]
        )
    )
    lines = [line for line in console.export_text().splitlines() if "pictures/" in line]
    assert "2026-11-09" in lines[0]
    assert "2026-11-12" in lines[1]


def test_doctor_reports_a_mismatched_pair(settings: Settings, foreign: Blobs) -> None:
    found = {finding.subject: finding for finding in check_servers(settings)}
    assert found["pairing"].level is Level.FAIL
    assert "atelier blobs adopt" in found["pairing"].fix
    assert found["Postgres"].level is Level.OK
    assert found["Valkey"].level is Level.OK
