"""Add a function by which a job leaves the queue.

It is a function because its second step must see what others have just done: each statement of it
has a snapshot of its own, which the parts of a single statement do not have.
"""

from collections.abc import Sequence

from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LEAVE = """
CREATE FUNCTION atelier_leave(
    of_lane text, of_flow text, difference double precision, shift_by double precision
) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    counts record;
BEGIN
    UPDATE flows SET opened = opened - 1, tail = tail + difference, shift = shift + shift_by
    WHERE lane = of_lane AND flow = of_flow RETURNING opened, behind, shift INTO counts;
    IF NOT FOUND OR counts.behind = 0 THEN
        RETURN;
    END IF;
    UPDATE jobs SET ready = true, shift = counts.shift,
        start_tag = greatest(entered, start_tag + counts.shift - jobs.shift)
    WHERE id = (
        SELECT id FROM jobs
        WHERE lane = of_lane AND flow = of_flow AND state = 'queued' AND NOT ready
        ORDER BY created_at LIMIT 1
    ) AND at_once > counts.opened;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE flows SET opened = opened + 1, behind = behind - 1
    WHERE lane = of_lane AND flow = of_flow;
    INSERT INTO outbox DEFAULT VALUES;
    PERFORM pg_notify('atelier_outbox', '');
END
$body$
"""


def upgrade() -> None:
    op.execute(LEAVE)


def downgrade() -> None:
    op.execute("DROP FUNCTION atelier_leave")
