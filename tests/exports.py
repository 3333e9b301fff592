"""Reads a member's export."""

from __future__ import annotations

import io
import zipfile

from tasks.client import Client
from tasks.jobs.members import Member


async def exported(
    client: Client, member: Member, most: int = 10 * 1024 * 1024
) -> dict[str, bytes]:
    """The files of a member's export by name."""
    found: dict[str, bytes] = {}
    async for archive in client.exports.archives(member, most):
        with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
            found |= {name: opened.read(name) for name in opened.namelist()}
    return found
