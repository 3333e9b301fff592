"""Installs of the app in workspaces: tokens, encrypted with a key that is not in the database.

The encrypted payload names its platform and workspace. Whoever can write to the database cannot
give one workspace the token of another by copying a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tasks.runtime.encryption import DecryptionFailed, TokenCipher
from tasks.store.schema import installs


def keep(
    connection: Connection,
    cipher: TokenCipher,
    platform: str,
    workspace: str,
    values: Mapping[str, Any],
) -> None:
    """Store or replace an install."""
    sealed = cipher.encrypt(_payload(platform, workspace, values))
    row = insert(installs).values(platform=platform, workspace=workspace, sealed=sealed)
    connection.execute(
        row.on_conflict_do_update(index_elements=["platform", "workspace"], set_={"sealed": sealed})
    )


def read(
    connection: Connection, cipher: TokenCipher, platform: str, workspace: str
) -> Mapping[str, Any] | None:
    """An install's values, re-encrypted in passing where the newest key did not encrypt them.

    Raises DecryptionFailed where no key fits, or the row was copied from another workspace.
    """
    row = _of(platform, workspace)
    sealed = connection.scalar(select(installs.c.sealed).where(*row))
    if sealed is None:
        return None
    payload = cipher.decrypt(sealed)
    values = _values(payload, platform, workspace)
    if not cipher.is_current(sealed) or "values" not in payload:
        renewed = cipher.encrypt(_payload(platform, workspace, values))
        unchanged = installs.c.sealed == sealed  # a token that was just renewed stays
        connection.execute(update(installs).where(*row, unchanged).values(sealed=renewed))
    return values


def _payload(platform: str, workspace: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"platform": platform, "workspace": workspace, "values": dict(values)}


def _values(payload: Mapping[str, Any], platform: str, workspace: str) -> Mapping[str, Any]:
    """The values of a payload that belongs to this workspace. Raises DecryptionFailed."""
    if "values" in payload:
        if (payload.get("platform"), payload.get("workspace")) == (platform, workspace):
            return dict(payload["values"])
    elif payload.get("team_id") == workspace:  # stored before payloads named their workspace
        return payload
    raise DecryptionFailed(f"the stored token of {platform}:{workspace} is another workspace's")


def _of(platform: str, workspace: str) -> tuple[ColumnElement[bool], ...]:
    return installs.c.platform == platform, installs.c.workspace == workspace


def remove(connection: Connection, platform: str, workspace: str) -> bool:
    """Delete an install; whether there was one."""
    return connection.execute(delete(installs).where(*_of(platform, workspace))).rowcount == 1


def workspaces(connection: Connection, platform: str) -> list[str]:
    """Every workspace of a platform with an install."""
    return list(
        connection.scalars(select(installs.c.workspace).where(installs.c.platform == platform))
    )
