"""`atelier blobs orphans` and `adopt`: files without a picture, and pairing with the database."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bots.operator.errors import CommandError
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.maintenance.orphan_check import OrphanPolicy
from tasks.runtime import logs
from tasks.runtime.addresses import database_of
from tasks.runtime.blobs import Blobs, BlobStoreUnavailable, blobs_of
from tasks.store import orphans, storage_pairing
from tasks.store.database import Database
from tasks.store.orphans import Orphan
from tasks.store.storage_pairing import StoreMismatch

SHARED = "A copy of the database has used this blob store, or the database was restored."


def list_orphans(limit: int) -> None:
    """Print the first `limit` orphans, and whether the pair matches. Raises CommandError."""
    database, blobs = _open()
    try:
        found = database.run(lambda connection: orphans.read(connection, limit))
        total = database.run(orphans.count)
        matches = _mismatch(database, blobs)
        shared = matches is None and storage_pairing.is_shared(database, blobs)
    finally:
        database.close()
    console = Console(highlight=False, soft_wrap=True)
    if found:
        console.print(table(found))
    console.print(f"{total} orphan(s): files that belong to no picture and no upload.")
    if matches:
        console.print(f"No file will be deleted. {matches}")
    elif shared:
        console.print(f"{SHARED} No file is deleted while it has files that are not listed here.")


def adopt(confirmed: bool) -> None:
    """Pair the blob store with the database. Raises CommandError unless it is confirmed."""
    database, blobs = _open()
    try:
        mismatch = _mismatch(database, blobs)
        if mismatch is None and not storage_pairing.is_shared(database, blobs):
            print(f"{blobs.name} is this database's blob store already. Nothing changed.")
            return
        policy = OrphanPolicy()
        days = (policy.mark_after + policy.delete_after).days
        if not confirmed:
            raise CommandError(
                f"{mismatch or SHARED}\nAfter adoption, files that the database does not know are "
                f"listed as orphans and deleted after {days} days. To adopt the store, add --yes."
            )
        paired = storage_pairing.adopt(database, blobs)
    except BlobStoreUnavailable as error:
        raise CommandError(f"The blob store cannot be reached: {error}") from None
    finally:
        database.close()
    print(
        f"{blobs.name} is now the blob store of installation {paired.id}. Files that the database "
        f"does not know are deleted after {days} days: see `atelier blobs orphans`."
    )


def table(found: Sequence[Orphan]) -> Table:
    """A row for each orphan, with the first day on which it may be deleted."""
    policy = OrphanPolicy()
    rows = Table("file", "listed", "deleted from")
    for one in found:
        marked = one.marked_at or one.listed_at + policy.mark_after
        due = marked + policy.delete_after
        rows.add_row(one.blob, f"{one.listed_at:%Y-%m-%d}", f"{due:%Y-%m-%d}")
    return rows


def _open() -> tuple[Database, Blobs]:
    settings = with_server_addresses(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)
    return Database(database_of(settings)), blobs_of(settings)


def _mismatch(database: Database, blobs: Blobs) -> str | None:
    """Why the two do not belong together; None where they do. Raises CommandError."""
    try:
        storage_pairing.check(database, blobs)
    except StoreMismatch as error:
        return str(error)
    except BlobStoreUnavailable as error:
        raise CommandError(f"The blob store cannot be reached: {error}") from None
    return None
