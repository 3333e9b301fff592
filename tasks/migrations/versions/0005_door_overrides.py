"""Add doors of features, servers and new members."""

from collections.abc import Sequence

from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.alter_column("doors", "tier", new_column_name="subject")
    op.alter_column("doors", "set_to", nullable=True)
    # What the clock remembered of automatic doors was nobody's setting.
    op.execute("UPDATE doors SET set_to = NULL WHERE platform = '*'")


def downgrade() -> None:
    op.execute(
        "DELETE FROM doors WHERE subject NOT IN ('free', 'plus', 'team', 'pro')"
        " OR (set_to IS NULL AND platform <> '*')"
    )
    op.execute("UPDATE doors SET set_to = 'auto' WHERE platform = '*'")
    op.alter_column("doors", "set_to", nullable=False)
    op.alter_column("doors", "subject", new_column_name="tier")
