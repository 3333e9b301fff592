"""Discord's URLs. discord.py has no setting for them: two of its classes hold them."""

from __future__ import annotations

from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

DISCORD_API = "https://discord.com/api/v10"
FILE_HOSTS = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})


def use_endpoints(api_url: str, gateway_url: str | None = None) -> None:
    """Send all requests of this process to `api_url`, which ends in `/api/v10`.

    For entry points only: it changes discord.py for the whole process.
    """
    Route.BASE = api_url.rstrip("/")
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)


def file_origins(api_url: str) -> frozenset[str]:
    """The origins that files may come from: Discord's CDN, and the origin of a configured API."""
    if api_url.rstrip("/") == DISCORD_API:
        return FILE_HOSTS
    return FILE_HOSTS | {str(URL(api_url).origin())}
