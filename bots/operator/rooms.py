"""`atelier web`, `discord` and `slack`: one bot alone, in this process."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Awaitable, Callable

from bots.operator.complaints import read_settings
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
    serve = _playground if name == "web" else _room(name)
    asyncio.run(_until_ended(serve, with_servers(settings)))


async def _playground(settings: Settings, ready: Callable[[], None]) -> None:
    """The page, with Slack's addresses beside it where Slack comes in over HTTP."""
    serve = _room("web")
    if settings.slack_signing_secret is None or settings.slack_app_token is not None:
        await serve(settings, ready)
        return
    from bots.slack.app import mounted
    from bots.web.app import serve as serve_with

    async with mounted(settings) as routes:
        await serve_with(settings, ready, routes)


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
