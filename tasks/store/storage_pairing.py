"""The pairing of a database with its blob store: nothing is deleted unless the two belong together.

The blob store has a marker with the installation's id. A store without a marker gets one if it is
new, or if it has pictures that the database knows. Every other difference is a StoreMismatch, which
an operator resolves by correcting an address or with `atelier blobs adopt`.

A copy of the database has the same id. So the marker also names the advance that wrote it: where
that is none of the database's own, the store is another database's as well, or the database was
restored. Then nothing may be deleted while the store has files that the database does not know.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from tasks.runtime.blobs import Blobs, MarkerDamaged, StoreMarker
from tasks.store import installation
from tasks.store.database import Database
from tasks.store.installation import Installation

log = structlog.get_logger(__name__)

SAMPLE = 20  # pictures, and uploads, that are looked for in a store without a marker
TOLERATED_GAP = 1
"""Generations that a store may be ahead: a standby that takes over may lack the last commits."""

ADOPT = (
    "Nothing was deleted. Correct ATELIER_DATABASE_URL or ATELIER_BLOBS_URL; or, if you moved or "
    "restored one of them on purpose, run `atelier blobs adopt`."
)


class StoreMismatch(Exception):
    """The database and the blob store do not belong together; the message says what to do."""


def check(database: Database, blobs: Blobs) -> Installation:
    """Check the pair, and mark a new blob store. Raises StoreMismatch, DBAPIError or OSError."""
    ours = database.read(installation.read)
    marker = _read_marker(blobs)
    if marker is None:
        _check_unmarked(database, blobs)
        blobs.write_marker(_marker_of(ours))
    elif marker.installation != ours.id:
        raise StoreMismatch(
            f"The blob store {blobs.name} belongs to another installation ({marker.installation}; "
            f"the database is {ours.id}). {ADOPT}"
        )
    elif marker.generation > ours.generation + TOLERATED_GAP:
        raise StoreMismatch(
            f"The database is older than the blob store {blobs.name}: it was probably restored "
            f"from a dump, and newer pictures are not in it. {ADOPT}"
        )
    return ours


def check_at_start(database: Database, blobs: Blobs) -> None:
    """Check the pair; go on where either of the two is unreachable. Raises StoreMismatch.

    A process that starts during an outage must not fail: what deletes blobs checks the pair itself.
    """
    try:
        check(database, blobs)
    except (OperationalError, OSError) as error:
        log.warning("blob-store-unchecked", error=str(error).strip())


def advance(database: Database, blobs: Blobs, seconds: float) -> Installation | None:
    """Check the pair and advance its generation; None if that happened `seconds` ago at most."""
    check(database, blobs)
    advanced = database.run(lambda connection: installation.advance(connection, seconds))
    if advanced is not None:
        blobs.write_marker(_marker_of(advanced))
    return advanced


def is_shared(database: Database, blobs: Blobs) -> bool:
    """Whether another database, a copy of this one, has written the blob store's marker.

    Also after a restore of a recent dump, and after a standby without the last commits took over.
    A marker that is behind is this database's own: a crash came between the two writes.
    """
    marker = _read_marker(blobs)
    if marker is None or marker.advance is None:
        return False
    ours = database.read(installation.read)
    return marker.generation >= ours.generation and marker.advance != ours.advance


def shared_store(blobs: Blobs, unknown: int) -> StoreMismatch:
    """The error for a shared blob store with files that the database does not know."""
    return StoreMismatch(
        f"A copy of the database has used the blob store {blobs.name}, or the database was "
        f"restored: {unknown} file(s) are not in it. {ADOPT}"
    )


def adopt(database: Database, blobs: Blobs) -> Installation:
    """Declare that the two belong together, whatever the marker says."""
    try:
        marker = blobs.read_marker()
    except MarkerDamaged:
        marker = None

    def raise_generation(connection: Connection) -> Installation:
        return installation.raise_generation(connection, marker.generation if marker else 0)

    ours = database.run(raise_generation)
    blobs.write_marker(_marker_of(ours))
    return ours


def _marker_of(ours: Installation) -> StoreMarker:
    return StoreMarker(ours.id, ours.generation, ours.advance)


def _read_marker(blobs: Blobs) -> StoreMarker | None:
    try:
        return blobs.read_marker()
    except MarkerDamaged as error:
        raise StoreMismatch(
            f"The marker of the blob store {blobs.name} is damaged ({error}). {ADOPT}"
        ) from error


def _check_unmarked(database: Database, blobs: Blobs) -> None:
    """A store of an earlier version has no marker, but files that the database knows."""
    sample = database.read(lambda connection: installation.newest_blobs(connection, SAMPLE))
    if any(blobs.exists(name) for name in sample):
        return
    if sample:
        raise StoreMismatch(
            f"The blob store {blobs.name} has none of the database's {len(sample)} newest files: "
            f"is its folder mounted? {ADOPT}"
        )
    if not blobs.is_empty():
        raise StoreMismatch(
            f"The blob store {blobs.name} has files, but the database knows no picture. {ADOPT}"
        )
