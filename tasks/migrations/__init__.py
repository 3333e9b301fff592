"""The database migrations, shipped with the package; `upgrade` applies them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from tasks.store.database import Database

_LOCK = 0x41_74_65_6C  # one upgrade at a time: several processes may start at once


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` to a revision."""
    database = Database(url, size=1, statement_seconds=0)
    try:
        with database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        database.close()
