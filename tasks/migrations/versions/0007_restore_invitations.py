"""Restore the invitation of a job that makes no picture."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("invitation", JSONB))
    op.drop_column("waitlist", "entered_at")


def downgrade() -> None:
    op.add_column("waitlist", sa.Column("entered_at", sa.DateTime(timezone=True)))
    op.drop_column("jobs", "invitation")
