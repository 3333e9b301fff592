"""Where Discord is. discord.py has no setting for it: two of its classes hold the addresses."""

from __future__ import annotations

from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

DISCORD_API = "https://discord.com/api/v10"
FILE_HOSTS = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})


def point_at(api_url: str, gateway_url: str | None = None) -> None:
    """Send all of this process's requests to `api_url` (it ends in `/api/v10`).

    For entry points only: it changes the library for the whole process.
    """
    Route.BASE = api_url.rstrip("/")
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)


def file_origins(api_url: str) -> frozenset[str]:
    """The origins that files may be fetched from: Discord's CDN, and a set API's own origin."""
    if api_url.rstrip("/") == DISCORD_API:
        return FILE_HOSTS
    return FILE_HOSTS | {str(URL(api_url).origin())}
