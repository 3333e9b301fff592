"""Record how many outliers of a learnt cost came in a row; the stretch is learnt by priority."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "costs", sa.Column("outliers", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.execute("DELETE FROM costs WHERE shape = 'stretch'")


def downgrade() -> None:
    op.execute("DELETE FROM costs WHERE shape LIKE 'stretch %'")
    op.drop_column("costs", "outliers")
