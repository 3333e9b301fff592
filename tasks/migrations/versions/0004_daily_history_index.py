"""Add an index for the history of the last day."""

from collections.abc import Sequence

from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("jobs_came", "jobs", ["created_at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("jobs_came")
