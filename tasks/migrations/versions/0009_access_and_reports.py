"""Add limits of servers, bans of people, and decisions about reports.

Servers that have settings, tiers or members already keep what they have: they are approved without
limits. `atelier servers` lists them.
"""

from collections.abc import Sequence

from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SERVERS = """
CREATE TABLE servers (
    platform text NOT NULL,
    workspace text NOT NULL,
    approved boolean NOT NULL DEFAULT false,
    banned boolean NOT NULL DEFAULT false,
    highest_tier text NOT NULL DEFAULT 'pro',
    highest_grant double precision,
    first_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform, workspace)
)
"""

BANS = """
CREATE TABLE bans (
    account text PRIMARY KEY,
    why text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now()
)
"""

REPORTS = """
ALTER TABLE reports
    ADD outcome text,
    ADD decided_by text,
    ADD decided_at timestamptz,
    ADD posted_at timestamptz,
    ADD owner_notified_at timestamptz
"""

KNOWN = """
INSERT INTO servers (platform, workspace, approved)
SELECT platform, workspace, workspace <> '@me' FROM (
    SELECT platform, workspace FROM members
    UNION SELECT platform, workspace FROM tier_map
    UNION SELECT platform, workspace FROM workspaces
) AS used WHERE platform IN ('discord', 'slack')
"""


def upgrade() -> None:
    """Create the tables, record the servers in use, index members, and extend reports."""
    op.execute(SERVERS)
    op.execute(BANS)
    op.execute(KNOWN)
    op.execute("CREATE INDEX members_of_person ON members (platform, id)")
    op.execute(REPORTS)
    op.execute("CREATE INDEX reports_open ON reports (job) WHERE outcome IS NULL")


def downgrade() -> None:
    """Remove them again."""
    op.execute("DROP INDEX reports_open")
    op.execute(
        "ALTER TABLE reports DROP outcome, DROP decided_by, DROP decided_at, DROP posted_at,"
        " DROP owner_notified_at"
    )
    op.execute("DROP INDEX members_of_person")
    op.execute("DROP TABLE bans, servers")
