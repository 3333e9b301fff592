"""Deletion of erased blobs: at once where the blob store answers, else by the orphan check."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from tasks.runtime.blobs import Blobs, BlobStoreUnavailable
from tasks.store import erasure
from tasks.store.database import Database

log = structlog.get_logger(__name__)


def delete_erased(database: Database, blobs: Blobs, names: Sequence[str]) -> None:
    """Delete blobs that no row refers to any more, and take them off the list of orphans."""
    try:
        for name in names:
            blobs.delete(name)
    except BlobStoreUnavailable as error:
        log.warning("erased-blobs-wait", count=len(names), error=str(error))
    else:
        database.run(lambda connection: erasure.deleted(connection, names))
