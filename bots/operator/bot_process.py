"""`atelier web`, `discord` and `slack`: runs one bot in this process."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from bots.operator.doctor_checks.finding import Level
from bots.operator.doctor_checks.platforms import check_socket_token
from bots.operator.errors import NotInstalled, WrongSettings
from bots.operator.import_trimming import freeze_gc
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.runtime import logs
from tasks.runtime.addresses import UnsuitableServer, database_of
from tasks.runtime.blobs import blobs_of
from tasks.runtime.private_files import restrict_new_files
from tasks.runtime.readiness import announce
from tasks.runtime.settings import Settings
from tasks.store.database import Database
from tasks.store.startup_checks import check_servers, check_storage
from tasks.store.storage_pairing import StoreMismatch

Serve = Callable[[Settings, Callable[[], None]], Awaitable[None]]
NEEDED = {
    "discord": (("discord_token",), "the bot's token, from the developer portal"),
    "slack": (
        ("slack_app_token", "slack_signing_secret"),
        "the app-level token for Socket Mode (xapp-…), or the signing secret for HTTP events",
    ),
}


def serve_bot(name: str) -> None:
    """Serve one bot until SIGTERM or Ctrl-C. Raises WrongSettings or NotInstalled."""
    restrict_new_files()
    settings = read_settings()
    fields, what = NEEDED.get(name, ((), ""))
    if fields and all(getattr(settings, field) is None for field in fields):
        first, *others = (f"ATELIER_{field.upper()}" for field in fields)
        nor = "".join(f", nor is {other}" for other in others)
        raise WrongSettings(f"{first} is not set{nor}: expected {what}.")
    logs.configure(settings.log_format)
    if name == "slack" and settings.slack_app_token:
        _check_slack_token(settings, settings.slack_app_token)
    settings = with_server_addresses(settings)
    _check_servers(settings)
    serve = _import_serve(name)
    freeze_gc()
    try:
        asyncio.run(_serve_until_signal(serve, settings))
    except Exception as error:
        if (sentence := token_refused(error)) is None:
            raise
        raise WrongSettings(sentence) from None


def _check_servers(settings: Settings) -> None:
    """Raise WrongSettings for servers that cannot work, or that do not belong together."""
    database = Database(database_of(settings), size=1)
    try:
        check_servers(settings)
        check_storage(database, blobs_of(settings))
    except (UnsuitableServer, StoreMismatch) as error:
        raise WrongSettings(str(error)) from None
    finally:
        database.close()


def _check_slack_token(settings: Settings, token: SecretStr) -> None:
    """Raise WrongSettings for a token that Slack rejects: its own client would retry for ever."""
    finding = check_socket_token(settings, token)
    if finding.level is Level.FAIL:
        raise WrongSettings(f"{finding.text}: {finding.fix}.")


def token_refused(error: BaseException) -> str | None:
    """The message for a token that its platform rejects; None for any other error."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(token_refused, error.exceptions)), None)
    # By name: the classes are in packages that the other bots do not import.
    if type(error).__name__ == "LoginFailure":
        return "ATELIER_DISCORD_TOKEN is wrong: Discord rejects it."
    if type(error).__name__ == "PortUnavailable":
        return str(error)
    return None


def _import_serve(name: str) -> Serve:
    module = f"bots.{name}.app"
    try:
        serve: Serve = importlib.import_module(module).serve
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            raise NotInstalled(f"`atelier {name}` is not part of this installation.") from None
        raise NotInstalled(
            f"`atelier {name}` needs the package {error.name}: pip install 'atelier[bots]'."
        ) from None
    return serve


async def _serve_until_signal(serve: Serve, settings: Settings) -> None:
    """Cancel the bot on a signal, so that it disconnects from its platform cleanly."""
    serving = asyncio.ensure_future(serve(settings, announce))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return
