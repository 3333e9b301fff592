"""Installs of a platform in a workspace: tokens, sealed with a key that is not in the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from tasks.seal import Seal
from tasks.store.schema import installs


def keep(
    connection: Connection, seal: Seal, platform: str, workspace: str, values: Mapping[str, Any]
) -> None:
    """Keep (or replace) an install."""
    sealed = seal.close(values)
    row = insert(installs).values(platform=platform, workspace=workspace, sealed=sealed)
    connection.execute(
        row.on_conflict_do_update(index_elements=["platform", "workspace"], set_={"sealed": sealed})
    )


def read(
    connection: Connection, seal: Seal, platform: str, workspace: str
) -> Mapping[str, Any] | None:
    """An install's values. Raises BrokenSeal where the key is another."""
    query = select(installs.c.sealed).where(
        installs.c.platform == platform, installs.c.workspace == workspace
    )
    sealed = connection.scalar(query)
    return None if sealed is None else seal.open(sealed)


def remove(connection: Connection, platform: str, workspace: str) -> bool:
    """Forget an install; whether there was one."""
    gone = delete(installs).where(
        installs.c.platform == platform, installs.c.workspace == workspace
    )
    return connection.execute(gone).rowcount == 1


def workspaces(connection: Connection, platform: str) -> list[str]:
    """Every workspace of a platform with an install."""
    return list(
        connection.scalars(select(installs.c.workspace).where(installs.c.platform == platform))
    )
