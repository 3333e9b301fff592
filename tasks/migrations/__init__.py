"""The migrations of the record, shipped with the package; `upgrade` brings a database to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from tasks.store.database import Database

_LOCK = 0x41_74_65_6C  # one upgrade at a time: two processes may start at once


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to a revision; does nothing where it is there already."""
    database = Database(url, size=1)
    try:
        with database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        database.close()
