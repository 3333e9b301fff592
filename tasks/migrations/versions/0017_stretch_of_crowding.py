"""The stretch is learnt in proportion to the jobs that run beside; earlier ones are forgotten."""

from collections.abc import Sequence

from alembic import op

revision = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("DELETE FROM costs WHERE shape LIKE 'stretch %'")


def downgrade() -> None:
    op.execute("DELETE FROM costs WHERE shape LIKE 'stretch %'")
