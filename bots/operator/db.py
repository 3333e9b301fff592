"""`atelier db upgrade`: migrations."""

from __future__ import annotations

from bots.operator.errors import CommandError
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.runtime import logs


def upgrade() -> None:
    """Migrate the database to this version. Raises CommandError if it cannot be reached."""
    from sqlalchemy.exc import SQLAlchemyError

    from tasks import migrations

    settings = with_server_addresses(read_settings())
    logs.configure(settings.log_format)
    url = settings.database_url
    if url is None:
        raise RuntimeError("with_server_addresses sets both addresses")
    try:
        migrations.upgrade(url.get_secret_value())
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise CommandError(
            f"The database at ATELIER_DATABASE_URL could not be upgraded: {reason}"
        ) from None
