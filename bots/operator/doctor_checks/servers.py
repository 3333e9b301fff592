"""Server checks: Postgres and its schema version, Valkey or Redis, blob storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from bots.operator.doctor_checks.finding import Finding, fail, ok, warn
from bots.operator.instance_lock import holder_of
from bots.operator.server_addresses import embedded_addresses
from tasks.runtime.addresses import UnsuitableServer, broker_of, database_of, redis_of
from tasks.runtime.blobs import blobs_of
from tasks.runtime.settings import Settings

OLDEST_POSTGRES = 130000  # in the form of `server_version_num`
CONNECT_SECONDS = 5


def check_servers(settings: Settings) -> Iterator[Finding]:
    """Run every check of this module."""
    yield from _postgres(settings)
    yield _valkey(settings)
    yield _blobs(settings)
    yield _pairing(settings)


def _postgres(settings: Settings) -> Iterator[Finding]:
    if _not_started(settings, settings.database_url is None):
        yield ok("Postgres", "embedded; atelier up starts it")
        return
    import psycopg

    from tasks.store.server import inspect

    secret = embedded_addresses(settings).database_url
    url = secret.get_secret_value() if secret else ""
    try:
        info = inspect(url, CONNECT_SECONDS)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        fix = "start the server, or correct ATELIER_DATABASE_URL (unset it for the embedded one)"
        yield fail("Postgres", reason, fix)
        return
    except UnsuitableServer as error:
        yield fail("Postgres", "Atelier cannot work on it", str(error))
        return
    where = "embedded" if settings.database_url is None else "at ATELIER_DATABASE_URL"
    version = info.version
    text = f"{where}, version {version // 10000}.{version % 10000}"
    if version < OLDEST_POSTGRES:
        yield fail("Postgres", text, "use Postgres 13 or newer")
    else:
        yield ok("Postgres", text)
    yield _check_revision(info.revision)


def _check_revision(revision: str | None) -> Finding:
    from alembic.script import ScriptDirectory

    from tasks import migrations

    head = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    if revision == head:
        return ok("schema", f"up to date ({head})")
    text = f"at {revision}; this version needs {head}" if revision else "the database is empty"
    return warn("schema", text, "atelier db upgrade (atelier up does it too)")


def _valkey(settings: Settings) -> Finding:
    if _not_started(settings, settings.redis_url is None):
        return ok("Valkey", "embedded; atelier up starts it")
    import redis

    from tasks.runtime import redis_check

    addresses = embedded_addresses(settings)
    try:
        redis_check.inspect(broker_of(addresses), CONNECT_SECONDS)
        info = redis_check.inspect(redis_of(addresses), CONNECT_SECONDS)
    except UnsuitableServer as error:
        return fail("Valkey", "Atelier cannot work on it", str(error))
    except redis.RedisError as error:
        fix = "start the server, or correct ATELIER_REDIS_URL (unset it for the embedded one)"
        return fail("Valkey", f"{error}", fix)
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version")
    where = "embedded" if settings.redis_url is None else "at ATELIER_REDIS_URL"
    return ok("Valkey", f"{where}, {name} {version}")


def _blobs(settings: Settings) -> Finding:
    if settings.blobs_url is None and not settings.home.exists():
        return ok("pictures", "will be stored in the data folder")
    name = f"doctor/{uuid4().hex}"
    try:
        blobs = blobs_of(settings)
        blobs.put(name, b"doctor")
        blobs.delete(name)
    except Exception as error:  # noqa: BLE001  each storage library raises its own
        fix = "correct ATELIER_BLOBS_URL, and the credentials that its storage reads"
        return fail("pictures", f"{type(error).__name__} while writing there", fix)
    return ok("pictures", blobs.name)


def _pairing(settings: Settings) -> Finding:
    """Whether the blob store is the database's."""
    from sqlalchemy.exc import SQLAlchemyError

    from tasks.store import storage_pairing
    from tasks.store.database import Database

    not_started = _not_started(settings, settings.database_url is None)
    if not_started or (settings.blobs_url is None and not settings.home.exists()):
        return ok("pairing", "checked at the start")
    database = Database(database_of(embedded_addresses(settings)), size=1)
    try:
        blobs = blobs_of(settings)
        ours = storage_pairing.check(database, blobs)
        shared = storage_pairing.is_shared(database, blobs)
    except storage_pairing.StoreMismatch as error:
        return fail("pairing", "the database and the blob store do not match", str(error))
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return warn("pairing", f"not checked: {reason}", "correct what is reported above")
    finally:
        database.close()
    if shared:
        return warn(
            "pairing",
            "a copy of the database has used the blob store, or the database was restored",
            "give the copy a blob store of its own, or run `atelier blobs adopt`",
        )
    return ok("pairing", f"the blob store belongs to the database ({ours.id})")


def _not_started(settings: Settings, embedded: bool) -> bool:
    return embedded and holder_of(settings.home) is None
