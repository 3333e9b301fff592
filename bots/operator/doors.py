"""`atelier doors`: shows and overrides the doors of tiers, features, servers and new members."""

from __future__ import annotations

import asyncio
import logging

from rich.console import Console
from rich.table import Table

from bots.operator.errors import CommandError
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.client import (
    EVERYWHERE,
    AnyDoors,
    Client,
    Unavailable,
    connect,
    read_server,
    read_subject,
)
from tasks.jobs.members import Member
from tasks.jobs.tiers import DoorState
from tasks.runtime import logs
from tasks.runtime.settings import Settings

USUAL = "usual"  # removes the override
STATES = (*(state.value for state in DoorState), USUAL)


def doors(subject: str | None, state: str | None, server: str | None) -> None:
    """Override a door, if one is named, and print all of them. Raises CommandError."""
    settings = with_server_addresses(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)
    found = asyncio.run(_doors(settings, subject, state, server))
    Console(highlight=False).print(table(found))


def table(found: list[AnyDoors]) -> Table:
    """A row for each door; without an override, the file applies."""
    rows = Table("door", "now", "file", "override", "servers", "predicted wait")
    for door in found:
        wait = door.predicted_wait
        rows.add_row(
            door.subject,
            f"{door.now}{' (degraded)' if door.degraded else ''}",
            door.usual,
            door.everywhere or "–",
            ", ".join(f"{name} {state}" for name, state in door.servers.items()) or "–",
            "–" if wait is None else f"{wait.total_seconds():.0f} s",
        )
    return rows


def operator_member(server: str | None) -> Member:
    """The operator as a Member, for all servers or for `platform:workspace`.

    Raises CommandError for a malformed server.
    """
    try:
        return Member(*read_server(EVERYWHERE if server is None else server), "operator")
    except ValueError as error:
        raise CommandError(str(error)) from None


async def _doors(
    settings: Settings, subject: str | None, state: str | None, server: str | None
) -> list[AnyDoors]:
    by = operator_member(server)
    client = await connect(settings)
    try:
        if subject is not None:
            await set_door(client, by, subject, state)
        return list(await client.door_settings.all())
    except Unavailable as error:
        raise CommandError(f"The database cannot be reached: {error}") from None
    finally:
        await client.close()


async def set_door(client: Client, by: Member, subject: str, state: str | None) -> None:
    """Override one door. Raises CommandError for an unknown door or state."""
    if state not in STATES:
        given = f"“{state}” isn’t a door state" if state else f"Name a state for {subject}"
        raise CommandError(f"{given}: {', '.join(STATES)}.")
    try:
        wanted = None if state == USUAL else DoorState(state)
        await client.door_settings.set(by, read_subject(subject), wanted)
    except ValueError as error:
        raise CommandError(str(error)) from None
