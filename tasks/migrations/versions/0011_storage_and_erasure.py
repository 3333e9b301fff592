"""Pair the database with its blob store; add orphans, owners of uploads and erasure."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NOW = sa.text("now()")


def upgrade() -> None:
    _create_storage_tables()
    _give_sources_owners()
    _create_erasure_tables()


def _create_storage_tables() -> None:
    op.create_table(
        "installation",
        sa.Column("singleton", sa.Boolean(), primary_key=True, server_default=sa.text("true")),
        sa.Column("id", sa.Uuid()),
        sa.Column("generation", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column(
            "checked_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("'-infinity'"),
        ),
        sa.CheckConstraint("singleton", name="installation_has_one_row"),
    )
    op.execute("INSERT INTO installation DEFAULT VALUES")
    op.create_table(
        "orphans",
        sa.Column("blob", sa.Text(), primary_key=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("marked_at", sa.DateTime(timezone=True)),
    )
    op.create_index("pictures_blob", "pictures", ["blob"])


def _give_sources_owners() -> None:
    """An upload belongs to the member of the first job that used it."""
    op.add_column("sources", sa.Column("member_key", sa.Text(), nullable=False, server_default=""))
    op.execute(
        """
        UPDATE sources SET member_key = first.member_key FROM (
            SELECT DISTINCT ON (blob) blob, member_key FROM (
                SELECT jsonb_array_elements_text(request -> 'sources') AS blob, member_key,
                    created_at FROM jobs
                UNION ALL SELECT request ->> 'mask', member_key, created_at FROM jobs
            ) AS used ORDER BY blob, created_at
        ) AS first WHERE first.blob = sources.blob
        """
    )
    op.alter_column("sources", "member_key", server_default=None)
    op.drop_constraint("sources_pkey", "sources")
    op.create_primary_key("sources_pkey", "sources", ["blob", "member_key"])
    op.create_index("sources_of_member", "sources", ["member_key"])


def _create_erasure_tables() -> None:
    op.add_column("jobs", sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.create_index(
        "jobs_erased", "jobs", ["erased_at"], postgresql_where=sa.text("erased_at IS NOT NULL")
    )
    op.create_table(
        "removals",
        sa.Column("job", sa.Uuid(), primary_key=True),
        sa.Column("member_key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("place", JSONB(), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("placeholder", JSONB(), nullable=False),
        sa.Column("memory", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'pending'")),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("owner", sa.Uuid()),
        sa.Column("owner_until", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_index(
        "removals_due", "removals", ["next_try"], postgresql_where=sa.text("state = 'pending'")
    )
    op.create_index("removals_of_member", "removals", ["member_key"])
    op.create_table(
        "departures",
        sa.Column("platform", sa.Text(), primary_key=True),
        sa.Column("workspace", sa.Text(), primary_key=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )


def downgrade() -> None:
    for table in ("departures", "removals", "orphans", "installation"):
        op.drop_table(table)
    op.drop_index("jobs_erased", "jobs")
    op.drop_column("jobs", "erased_at")
    op.drop_index("pictures_blob", "pictures")
    op.execute(
        "DELETE FROM sources AS one USING sources AS other"
        " WHERE one.blob = other.blob AND one.member_key > other.member_key"
    )
    op.drop_index("sources_of_member", "sources")
    op.drop_constraint("sources_pkey", "sources")
    op.create_primary_key("sources_pkey", "sources", ["blob"])
    op.drop_column("sources", "member_key")
