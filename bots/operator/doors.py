"""`atelier doors`: the doors of tiers, features, servers and new members, shown and set by hand."""

from __future__ import annotations

import asyncio
import logging

from rich.console import Console
from rich.table import Table

from bots.operator.complaints import read_settings
from bots.operator.refusal import Refusal
from bots.operator.servers import with_servers
from tasks import logs
from tasks.client import (
    EVERYWHERE,
    AnyDoors,
    Client,
    Unavailable,
    connect,
    read_server,
    read_subject,
)
from tasks.members import Member
from tasks.settings import Settings
from tasks.tiers import DoorState

USUAL = "usual"  # takes back what was set by hand
STATES = (*(state.value for state in DoorState), USUAL)


def doors(subject: str | None, state: str | None, server: str | None) -> None:
    """Set a door, if one is named, and print all of them. Raises Refusal."""
    settings = with_servers(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)
    found = asyncio.run(_doors(settings, subject, state, server))
    Console(highlight=False).print(table(found))


def table(found: list[AnyDoors]) -> Table:
    """A row for each door; where nothing is set by hand, the file's word holds."""
    rows = Table("door", "now", "file", "by hand", "servers", "predicted wait")
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


def operator_of(server: str | None) -> Member:
    """The operator, who sets doors for all servers or for `platform:workspace`. Raises Refusal."""
    try:
        return Member(*read_server(EVERYWHERE if server is None else server), "operator")
    except ValueError as error:
        raise Refusal(str(error)) from None


async def _doors(
    settings: Settings, subject: str | None, state: str | None, server: str | None
) -> list[AnyDoors]:
    by = operator_of(server)
    client = await connect(settings)
    try:
        if subject is not None:
            await set_door(client, by, subject, state)
        return list(await client.every_door())
    except Unavailable as error:
        raise Refusal(f"The studio cannot be reached: {error}") from None
    finally:
        await client.close()


async def set_door(client: Client, by: Member, subject: str, state: str | None) -> None:
    """Set one door by its words. Raises Refusal where they name none, or no state of it."""
    if state not in STATES:
        given = f"“{state}” is no state for doors" if state else f"Name a state for {subject}"
        raise Refusal(f"{given}: {', '.join(STATES)}.")
    try:
        wanted = None if state == USUAL else DoorState(state)
        await client.set_doors(by, read_subject(subject), wanted)
    except ValueError as error:
        raise Refusal(str(error)) from None
