"""Record the age of the demand with each estimate."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("estimates", sa.Column("surge_age", sa.Double))


def downgrade() -> None:
    op.drop_column("estimates", "surge_age")
