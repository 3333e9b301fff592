"""Whether this container's worker still presents itself in the record: exit status 0 or 1."""

from __future__ import annotations

import os
import socket
import sys

import psycopg

ALIVE = """
    SELECT 1 FROM workers
    WHERE starts_with(name, %s) AND seen_at > now() - interval '30 seconds'
"""


def main() -> int:
    """Ask the record for a recent heartbeat of this host's worker."""
    url = os.environ["ATELIER_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(ALIVE, [f"{socket.gethostname()}-"]).fetchone()
    return 0 if row else 1


if __name__ == "__main__":
    sys.exit(main())
