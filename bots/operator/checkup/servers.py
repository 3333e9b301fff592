"""The servers: Postgres with the record's shape, Valkey or Redis, blob storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from bots.operator.checkup.finding import Finding, fail, ok, warn
from bots.operator.homelock import holder_of
from bots.operator.servers import embedded_addresses
from tasks.settings import Settings

OLDEST_POSTGRES = 130000  # as `server_version_num` tells it
CONNECT_SECONDS = 5


def check_servers(settings: Settings) -> Iterator[Finding]:
    """Every check of this module."""
    yield from _postgres(settings)
    yield _valkey(settings)
    yield _blobs(settings)


def _postgres(settings: Settings) -> Iterator[Finding]:
    if _not_started(settings, settings.database_url is None):
        yield ok("Postgres", "embedded; atelier up starts it")
        return
    import psycopg

    secret = embedded_addresses(settings).database_url
    url = secret.get_secret_value() if secret else ""
    url = url.replace("postgresql+psycopg://", "postgresql://")
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            version = connection.info.server_version
            known = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
            shape = None
            if known and known[0]:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                shape = row[0] if row else None
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        mend = "start the server, or correct ATELIER_DATABASE_URL (unset it for the embedded one)"
        yield fail("Postgres", reason, mend)
        return
    where = "embedded" if settings.database_url is None else "at ATELIER_DATABASE_URL"
    text = f"{where}, version {version // 10000}.{version % 10000}"
    if version < OLDEST_POSTGRES:
        yield fail("Postgres", text, "use Postgres 13 or newer")
    else:
        yield ok("Postgres", text)
    yield _shape(shape)


def _shape(shape: str | None) -> Finding:
    from alembic.script import ScriptDirectory

    from tasks import migrations

    head = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    if shape == head:
        return ok("record", f"in this version's shape ({head})")
    text = f"in shape {shape}, this version needs {head}" if shape else "the database is empty"
    return warn("record", text, "atelier db upgrade (atelier up does it too)")


def _valkey(settings: Settings) -> Finding:
    if _not_started(settings, settings.redis_url is None):
        return ok("Valkey", "embedded; atelier up starts it")
    import redis

    secret = embedded_addresses(settings).redis_url
    url = secret.get_secret_value() if secret else ""
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        ) as client:
            info = client.info("server")
    except redis.RedisError as error:
        mend = "start the server, or correct ATELIER_REDIS_URL (unset it for the embedded one)"
        return fail("Valkey", f"{error}", mend)
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version")
    where = "embedded" if settings.redis_url is None else "at ATELIER_REDIS_URL"
    return ok("Valkey", f"{where}, {name} {version}")


def _blobs(settings: Settings) -> Finding:
    from tasks.blobs import Blobs, default_url

    url = settings.blobs_url or default_url(settings.home)
    if settings.blobs_url is None and not settings.home.exists():
        return ok("pictures", "will be kept in the data folder")
    name = f"doctor/{uuid4().hex}"
    try:
        blobs = Blobs(url)
        blobs.put(name, b"doctor")
        blobs.delete(name)
    except Exception as error:  # noqa: BLE001  each kind of storage raises its own
        mend = "correct ATELIER_BLOBS_URL, and the credentials that its storage reads"
        return fail("pictures", f"{type(error).__name__} while writing there", mend)
    return ok("pictures", url.partition("?")[0])


def _not_started(settings: Settings, embedded: bool) -> bool:
    return embedded and holder_of(settings.home) is None
