"""`atelier db upgrade`: migrations."""

from __future__ import annotations

from bots.operator.complaints import read_settings
from bots.operator.refusal import Refusal
from bots.operator.servers import with_servers
from tasks import logs


def upgrade() -> None:
    """Bring the database to this version's shape. Raises Refusal where it cannot be reached."""
    from sqlalchemy.exc import SQLAlchemyError

    from tasks import migrations

    settings = with_servers(read_settings())
    logs.configure(settings.log_format)
    url = settings.database_url
    if url is None:
        raise RuntimeError("with_servers gives both addresses")
    try:
        migrations.upgrade(url.get_secret_value())
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise Refusal(
            f"The database at ATELIER_DATABASE_URL could not be upgraded: {reason}"
        ) from None
