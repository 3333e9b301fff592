"""Personal data of one member, for an export. `tasks.store.erasure` deletes it."""

from __future__ import annotations

import codecs
import json
from typing import IO

from sqlalchemy import Connection, text

ROWS_AT_ONCE = 200

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
    "reports": """
        SELECT id, job, words, at, outcome, decided_at FROM reports
        WHERE by_member = :key ORDER BY id
    """,
    "waitlist": "SELECT * FROM waitlist WHERE member_key = :key",
    "messages_not_removed": """
        SELECT job, place, message, state, error, requested_at FROM removals
        WHERE member_key = :key AND state <> 'done' ORDER BY requested_at
    """,
}


def write_rows(connection: Connection, key: str, file: IO[bytes]) -> None:
    """Every row about a member, as a JSON object of lists by table; replaces what `file` has.

    Rows are read and written a few at a time.
    """
    file.seek(0)
    file.truncate()
    text_file = codecs.getwriter("utf-8")(file)
    before = "{"
    for part, query in _PARTS.items():
        text_file.write(f"{before}\n{json.dumps(part)}: [")
        rows = connection.execute(
            text(query), {"key": key}, execution_options={"yield_per": ROWS_AT_ONCE}
        )
        separator = "\n"
        for row in rows.mappings():
            text_file.write(separator + json.dumps(dict(row), default=str))
            separator = ",\n"
        text_file.write("]")
        before = ","
    text_file.write("\n}\n")


_BLOBS = text("""
    SELECT blob FROM pictures JOIN jobs ON jobs.id = pictures.job
    WHERE jobs.member_key = :key AND NOT pictures.deleted
    UNION SELECT blob FROM sources WHERE member_key = :key
""")


def blobs(connection: Connection, key: str) -> list[str]:
    """The blobs of a member's pictures and uploads; not of uploads that others sent."""
    return list(connection.scalars(_BLOBS, {"key": key}))
