"""`atelier servers`, `atelier ban`, `atelier unban`: who may use the bot, and with which limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from bots.operator.errors import CommandError
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.client import Client, ServerView, Unavailable, connect
from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.policy.access import REMOTE, ServerLimits, read_server_name
from tasks.runtime import logs

T = TypeVar("T")


def list_servers() -> None:
    """Print every server with its limits, then the banned people. Raises CommandError."""

    async def work(client: Client) -> None:
        console = Console(highlight=False)
        console.print(server_table(list(await client.access.servers())))
        for account, why in await client.access.bans():
            console.print(f"banned: {account}{f' ({why})' if why else ''}", markup=False)

    run(work)


def server_table(servers: list[ServerView]) -> Table:
    """A row for each server; a server without an approval has the limits of unknown ones."""
    rows = Table("server", "access", "highest tier", "grants in 30 days")
    for server in servers:
        limits = server.access.limits
        grant = "no limit" if limits.highest_grant is None else f"{limits.highest_grant:g}"
        state = server.access.denied or ("approved" if _is_trusted(server) else "unknown")
        rows.add_row(f"{server.platform}:{server.workspace}", state, limits.highest_tier, grant)
    return rows


def approve(server: str, highest_tier: str, highest_grant: float | None) -> None:
    """Approve a server with these limits. Raises CommandError."""
    platform, workspace = _server(server)
    try:
        limits = ServerLimits(Tier(highest_tier), highest_grant)
    except ValueError:
        raise CommandError(
            f"“{highest_tier}” isn’t a tier: {', '.join(tier.value for tier in Tier)}."
        ) from None
    run(lambda client: client.access.approve(platform, workspace, limits))
    print(f"{server} is approved.")


def revoke(server: str) -> None:
    """Take a server's approval back. Raises CommandError."""
    platform, workspace = _server(server)
    run(lambda client: client.access.revoke(platform, workspace))
    print(f"{server} is not approved any more.")


def ban(name: str, why: str, *, server: bool) -> None:
    """Ban a person, or a server, and stop the jobs. Raises CommandError."""
    if server:
        platform, workspace = _server(name)
        stopped = run(lambda client: client.access.ban_server(platform, workspace))
    else:
        member = person(name)
        stopped = run(lambda client: client.access.ban_member(member, why))
    print(f"{name} is banned. Jobs stopped: {stopped}.")


def unban(name: str, *, server: bool) -> None:
    """End a ban. Raises CommandError."""
    if server:
        platform, workspace = _server(name)
        run(lambda client: client.access.unban_server(platform, workspace))
    else:
        member = person(name)
        if not run(lambda client: client.access.unban_member(member)):
            raise CommandError(f"{name} isn’t banned.")
    print(f"{name} is not banned any more.")


def person(name: str) -> Member:
    """The person "discord:USER" or "slack:WORKSPACE:USER". Raises CommandError."""
    match name.split(":"):
        case ["discord", user] if user:
            return Member("discord", "@me", user)
        case ["slack", workspace, user] if workspace and user:
            return Member("slack", workspace, user)
    raise CommandError(f"Name a person as discord:USER or slack:WORKSPACE:USER, not “{name}”.")


def run(work: Callable[[Client], Awaitable[T]]) -> T:
    """Run `work` with a client. Raises CommandError where the database is unreachable."""
    settings = with_server_addresses(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)

    async def connected() -> T:
        client = await connect(settings)
        try:
            return await work(client)
        except Unavailable as error:
            raise CommandError(f"The database cannot be reached: {error}") from None
        finally:
            await client.close()

    return asyncio.run(connected())


def _server(name: str) -> tuple[str, str]:
    try:
        return read_server_name(name)
    except ValueError as error:
        raise CommandError(f"“{name}” isn’t {error}.") from None


def _is_trusted(server: ServerView) -> bool:
    approved = server.record is not None and server.record.approved
    return approved or server.record is None or server.platform not in REMOTE
