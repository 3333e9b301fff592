"""Count what became of jobs, deliveries and refused orders, for `/metrics`.

Triggers write samples in the transaction of the change itself; the clock process folds them into
totals.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

EMPTY = sa.text("''")
ZERO = sa.text("0")

TRIGGERS = """
-- What became of jobs and deliveries is written into `metric_samples`, in the same transaction.
CREATE OR REPLACE FUNCTION atelier_job_sample() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF NEW.state = 'delivering' THEN
        INSERT INTO metric_samples (metric, subject, outcome, seconds)
        VALUES ('wait', NEW.tier, '', extract(epoch FROM NEW.rendered_at - NEW.created_at));
        INSERT INTO metric_samples (metric, subject, outcome, seconds)
        SELECT 'render', NEW.tier, '', extract(epoch FROM NEW.rendered_at - started_at)
        FROM attempts WHERE job = NEW.id AND attempt = NEW.attempt;
    ELSE
        INSERT INTO metric_samples (metric, subject, outcome) VALUES ('job', NEW.tier, NEW.state);
    END IF;
    RETURN NULL;
END
$body$;
CREATE OR REPLACE FUNCTION atelier_delivery_sample() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO metric_samples (metric, subject, outcome, seconds) VALUES ('delivery',
        NEW.platform, NEW.state, extract(epoch FROM clock_timestamp() - NEW.created_at));
    RETURN NULL;
END
$body$;
CREATE OR REPLACE TRIGGER jobs_sample AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.state <> NEW.state
        AND NEW.state IN ('delivering', 'done', 'failed', 'cancelled', 'refused'))
    EXECUTE FUNCTION atelier_job_sample();
CREATE OR REPLACE TRIGGER deliveries_sample AFTER UPDATE ON deliveries FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NEW.state IN ('sent', 'failed'))
    EXECUTE FUNCTION atelier_delivery_sample();
"""


def upgrade() -> None:
    op.create_table(
        "metric_samples",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("seconds", sa.Double),
    )
    op.create_table(
        "metric_totals",
        sa.Column("metric", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True),
        sa.Column("bucket", sa.Double, primary_key=True),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False, server_default=ZERO),
    )
    op.execute(TRIGGERS)


def downgrade() -> None:
    op.execute("DROP TRIGGER jobs_sample ON jobs")
    op.execute("DROP TRIGGER deliveries_sample ON deliveries")
    op.execute("DROP FUNCTION atelier_job_sample(), atelier_delivery_sample()")
    op.drop_table("metric_totals")
    op.drop_table("metric_samples")
