"""`atelier web`, `discord` and `slack`: one bot alone, in this process."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from bots.operator.checkup.finding import Level
from bots.operator.checkup.platforms import check_socket_token
from bots.operator.complaints import read_settings
from bots.operator.lean import loaded
from bots.operator.refusal import NotThere, WrongSettings
from bots.operator.servers import with_servers
from tasks import logs
from tasks.readiness import announce
from tasks.settings import Settings

Serve = Callable[[Settings, Callable[[], None]], Awaitable[None]]
NEEDED = {
    "discord": ("discord_token", "the bot's token, from the developer portal"),
    "slack": ("slack_app_token", "the app-level token for Socket Mode, which starts with xapp-"),
}


def serve_room(name: str) -> None:
    """Serve one room until SIGTERM or Ctrl-C. Raises WrongSettings or NotThere."""
    settings = read_settings()
    if name in NEEDED and getattr(settings, NEEDED[name][0]) is None:
        field, what = NEEDED[name]
        raise WrongSettings(f"ATELIER_{field.upper()} is not set: expected {what}.")
    logs.configure(settings.log_format)
    if name == "slack" and settings.slack_app_token:
        _ask_slack(settings, settings.slack_app_token)
    serve = _web_and_slack if name == "web" and _slack_over_http(settings) else _room(name)
    loaded()
    try:
        asyncio.run(_until_ended(serve, with_servers(settings)))
    except Exception as error:
        if (sentence := token_refused(error)) is None:
            raise
        raise WrongSettings(sentence) from None


def _ask_slack(settings: Settings, token: SecretStr) -> None:
    """Raise WrongSettings for a token that is refused: Slack's own client would try for ever."""
    finding = check_socket_token(settings, token)
    if finding.level is Level.FAIL:
        raise WrongSettings(f"{finding.text}: {finding.mend}.")


def _slack_over_http(settings: Settings) -> bool:
    """Whether Slack comes in through the web port: it has a secret to sign with and no socket."""
    installed = settings.slack_bot_token or settings.slack_client_id
    return bool(settings.slack_signing_secret and installed and not settings.slack_app_token)


async def _web_and_slack(settings: Settings, ready: Callable[[], None]) -> None:
    """The playground, with Slack's addresses on the same port."""
    from bots.slack.app import mounted
    from bots.web.app import serve

    async with mounted(settings) as routes:
        await serve(settings, ready, routes)


def token_refused(error: BaseException) -> str | None:
    """The sentence for a token that its platform does not take; None for any other error."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(token_refused, error.exceptions)), None)
    if type(error).__name__ == "LoginFailure":  # of discord.py, which other rooms do not import
        return "ATELIER_DISCORD_TOKEN is wrong: Discord does not accept it."
    return None


def _room(name: str) -> Serve:
    module = f"bots.{name}.app"
    try:
        serve: Serve = importlib.import_module(module).serve
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            raise NotThere(f"`atelier {name}` is not there yet in this version.") from None
        raise NotThere(
            f"`atelier {name}` needs the package {error.name}: pip install 'atelier[bots]'."
        ) from None
    return serve


async def _until_ended(serve: Serve, settings: Settings) -> None:
    """Cancel the room on a signal, so that it says goodbye to its platform."""
    room = asyncio.ensure_future(serve(settings, announce))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, room.cancel)
    try:
        await room
    except asyncio.CancelledError:
        return
