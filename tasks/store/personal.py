"""All that is kept about one person: gathered for them, or deleted at their wish."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

_PARTS = {
    "member": "SELECT * FROM members WHERE key = :key",
    "jobs": """
        SELECT id, command, platform, workspace, channel, thread, request, tier, cost, state,
            reason, private, created_at, started_at, ended_at
        FROM jobs WHERE member_key = :key ORDER BY created_at
    """,
    "pictures": """
        SELECT pictures.* FROM pictures JOIN jobs ON jobs.id = pictures.job
        WHERE jobs.member_key = :key ORDER BY pictures.created_at
    """,
    "ledger": "SELECT * FROM ledger WHERE member_key = :key ORDER BY id",
    "reports": "SELECT * FROM reports WHERE by_member = :key ORDER BY id",
    "waitlist": "SELECT * FROM waitlist WHERE member_key = :key",
}


def everything(connection: Connection, key: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about a member, by kind."""
    return {
        part: [dict(row) for row in connection.execute(text(query), {"key": key}).mappings()]
        for part, query in _PARTS.items()
    }


_SOURCES = """
    SELECT DISTINCT blob FROM (
        SELECT jsonb_array_elements_text(request -> 'sources') AS blob FROM jobs
            WHERE member_key = :key
        UNION ALL
        SELECT request ->> 'mask' FROM jobs WHERE member_key = :key
    ) AS used WHERE blob LIKE 'sources/%'
"""

_BLOBS = text(f"""
    SELECT blob FROM pictures JOIN jobs ON jobs.id = pictures.job
    WHERE jobs.member_key = :key AND NOT pictures.deleted
    UNION {_SOURCES}
""")


def blobs(connection: Connection, key: str) -> list[str]:
    """Names of a member's pictures and uploads."""
    return list(connection.scalars(_BLOBS, {"key": key}))


_ALONE = text("""
    SELECT blob FROM unnest(CAST(:blobs AS text[])) AS mine(blob) WHERE NOT EXISTS (
        SELECT FROM jobs WHERE member_key <> :key
            AND (request -> 'sources' ? mine.blob OR request ->> 'mask' = mine.blob)
    )
""")

_ERASE = [
    text(query)
    for query in (
        """
        DELETE FROM pictures USING jobs WHERE jobs.id = pictures.job AND jobs.member_key = :key
            AND jobs.state NOT IN ('running', 'delivering')
        """,
        """
        UPDATE jobs SET
            request = request || '{"prompt": "", "negative": "", "sources": [], "mask": null}',
            member = member || '{"name": ""}', reply_to = '{}', placeholder = '{}'
        WHERE member_key = :key AND state NOT IN ('running', 'delivering')
        """,
        "DELETE FROM reports WHERE by_member = :key",
        "DELETE FROM waitlist WHERE member_key = :key",
        "UPDATE members SET name = '', preferences = '{}' WHERE key = :key",
    )
]


def forget(connection: Connection, key: str) -> list[str]:
    """Delete a member's words and pictures; the blobs that can go. Blocks and sums stay."""
    names = blobs(connection, key)
    alone = list(connection.scalars(_ALONE, {"blobs": names, "key": key}))
    for query in _ERASE:
        connection.execute(query, {"key": key})
    return alone
