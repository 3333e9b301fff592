"""Add fair queueing: tags, a lease in fair order, queue positions.

The rules are those of `tasks.queue.fairness`. `atelier_lease` is one function because each of its
statements must see what other workers have just taken.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LANES = {"root": 1, "free": 1, "plus": 4, "team": 6, "pro": 8, "relaxed": 1}
ZERO = sa.text("0")

LEASE = """
CREATE FUNCTION atelier_lease(
    wanted_lanes text[], wanted_profiles text[], owner text, token uuid, seconds double precision,
    ageing double precision
) RETURNS SETOF jobs LANGUAGE plpgsql AS $body$
DECLARE
    moment double precision := extract(epoch FROM clock_timestamp());
    skipped uuid[] := '{}';
    choice record;
    root double precision;
BEGIN
    -- A lease that a crash undoes is no loss: its job is queued again, and what the worker makes of
    -- it is refused by the token. So nobody waits for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtext('atelier_lease'));
    LOOP
        -- One probe of the index for each lane and profile. Without the order a plan may read all.
        SELECT lanes.lane, lanes.start, lanes.weight, head.id, head.start_tag, head.cost_seconds,
            array_agg(lanes.lane) OVER () AS busy
        INTO choice
        FROM lanes CROSS JOIN LATERAL (
            SELECT first.* FROM unnest(wanted_profiles) AS wanted(profile) CROSS JOIN LATERAL (
                SELECT id, start_tag, created_at, cost_seconds FROM jobs
                WHERE lane = lanes.lane AND profile = wanted.profile AND state = 'queued' AND ready
                    AND id <> ALL (skipped)
                ORDER BY start_tag, created_at LIMIT 1
            ) AS first ORDER BY first.start_tag, first.created_at LIMIT 1
        ) AS head
        ORDER BY lanes.lane <> ALL (wanted_lanes), lanes.start, lanes.weight DESC, lanes.lane
        LIMIT 1;
        IF NOT FOUND OR choice.lane <> ALL (wanted_lanes) THEN
            RETURN;
        END IF;
        PERFORM FROM jobs WHERE id = choice.id AND state = 'queued' AND ready
            FOR UPDATE SKIP LOCKED;
        EXIT WHEN FOUND;
        skipped := skipped || choice.id;  -- somebody is cancelling it at this moment
    END LOOP;
    -- A lane with nothing ready comes back at the root's virtual time.
    SELECT greatest(lanes.start, choice.start) INTO root FROM lanes WHERE lanes.lane = 'root';
    UPDATE lanes SET start = root
    WHERE lanes.start < root AND lanes.lane <> 'root' AND lanes.lane <> ALL (choice.busy);
    UPDATE lanes SET
        start = CASE lanes.lane WHEN 'root' THEN root
            ELSE lanes.start + choice.cost_seconds / lanes.weight END,
        virtual = CASE lanes.lane WHEN 'root' THEN 0 ELSE greatest(
            choice.start_tag, lanes.virtual + ageing * greatest(0, moment - lanes.virtual_at)) END,
        virtual_at = moment
    WHERE lanes.lane IN ('root', choice.lane);
    RETURN QUERY
        WITH moved AS (
            UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_owner = owner,
                lease_token = token, lease_until = now() + make_interval(secs => seconds),
                started_at = coalesce(started_at, clock_timestamp())
            WHERE id = choice.id RETURNING jobs.*
        ), begun AS (
            INSERT INTO attempts (job, attempt, worker) SELECT moved.id, moved.attempt, owner
            FROM moved
        )
        SELECT * FROM moved;
END
$body$
"""

LINE_CHANGE = """
CREATE FUNCTION atelier_line_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'queued' THEN
        INSERT INTO line_changes (lane, tag, jobs, seconds)
        VALUES (OLD.lane, OLD.start_tag, -1, -OLD.cost_seconds);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'queued' THEN
        INSERT INTO line_changes (lane, tag, jobs, seconds)
        VALUES (NEW.lane, NEW.start_tag, 1, NEW.cost_seconds);
    END IF;
    RETURN NULL;
END
$body$
"""

TRIGGERS = (
    """CREATE TRIGGER jobs_enter_line AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.state = 'queued') EXECUTE FUNCTION atelier_line_change()""",
    """CREATE TRIGGER jobs_move_in_line AFTER UPDATE ON jobs FOR EACH ROW
    WHEN ((OLD.state = 'queued') <> (NEW.state = 'queued')
        OR (NEW.state = 'queued' AND OLD.start_tag <> NEW.start_tag))
    EXECUTE FUNCTION atelier_line_change()""",
    """CREATE TRIGGER jobs_leave_line AFTER DELETE ON jobs FOR EACH ROW
    WHEN (OLD.state = 'queued') EXECUTE FUNCTION atelier_line_change()""",
)


def upgrade() -> None:
    for table in ("flows", "jobs"):
        op.add_column(table, sa.Column("shift", sa.Double(), server_default=ZERO, nullable=False))
    op.create_index(
        "jobs_in_line",
        "jobs",
        ["lane", "start_tag", "created_at"],
        postgresql_where=sa.text("state = 'queued'"),
        postgresql_include=["cost_seconds"],
    )
    _create_tables()
    op.add_column("attempts", sa.Column("gpu_seconds", sa.Double()))
    op.add_column("estimates", sa.Column("lane", sa.Text()))
    op.add_column("estimates", sa.Column("model", sa.Double()))
    op.add_column("estimates", sa.Column("settled_at", sa.DateTime(timezone=True)))
    op.create_index(
        "estimates_settled",
        "estimates",
        ["lane", "settled_at"],
        postgresql_where=sa.text("actual IS NOT NULL"),
    )
    op.add_column(
        "waitlist", sa.Column("lapses", sa.Integer(), server_default=ZERO, nullable=False)
    )
    lanes = ", ".join(f"('{lane}', {weight})" for lane, weight in LANES.items())
    op.execute(f"INSERT INTO lanes (lane, weight) VALUES {lanes} ON CONFLICT DO NOTHING")  # noqa: S608
    op.execute("INSERT INTO lines (lane) SELECT lane FROM lanes WHERE lane <> 'root'")
    op.execute(
        "UPDATE jobs SET start_tag = extract(epoch FROM created_at) / 360,"
        " entered = extract(epoch FROM created_at) / 360 WHERE state = 'queued'"
    )
    op.execute(
        "INSERT INTO line_changes (lane, tag, jobs, seconds)"
        " SELECT lane, start_tag, 1, cost_seconds FROM jobs WHERE state = 'queued'"
    )
    for statement in (LEASE, LINE_CHANGE, *TRIGGERS):
        op.execute(statement)


def _create_tables() -> None:
    op.create_table(
        "line_changes",
        sa.Column(
            "xid",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("tag", sa.Double(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
    )
    op.create_index("line_changes_xid", "line_changes", ["xid"])
    op.create_table(
        "lines",
        sa.Column("lane", sa.Text(), primary_key=True),
        sa.Column(
            "lows",
            postgresql.ARRAY(sa.Double()),
            server_default=sa.text("'{-Infinity}'"),
            nullable=False,
        ),
        sa.Column(
            "jobs_before",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{0}'"),
            nullable=False,
        ),
        sa.Column(
            "seconds_before",
            postgresql.ARRAY(sa.Double()),
            server_default=sa.text("'{0}'"),
            nullable=False,
        ),
        sa.Column("jobs", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("seconds", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("folded", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("inflow", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column(
            "meter", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "calibration", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.create_table(
        "lane_changes",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
    )
    op.create_table(
        "costs",
        sa.Column("profile", sa.Text(), primary_key=True),
        sa.Column("shape", sa.Text(), primary_key=True),
        sa.Column("log_seconds", sa.Double(), nullable=False),
        sa.Column("spread", sa.Double(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
    )
    op.create_table(
        "cost_samples",
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("job_seconds", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    for name in ("jobs_enter_line", "jobs_move_in_line", "jobs_leave_line"):
        op.execute(f"DROP TRIGGER {name} ON jobs")
    op.execute("DROP FUNCTION atelier_lease, atelier_line_change")
    op.drop_column("waitlist", "lapses")
    op.drop_index("estimates_settled")
    for column in ("lane", "model", "settled_at"):
        op.drop_column("estimates", column)
    op.drop_column("attempts", "gpu_seconds")
    for table in ("cost_samples", "costs", "lane_changes", "lines", "line_changes"):
        op.drop_table(table)
    op.drop_index("jobs_in_line")
    op.execute("DELETE FROM lanes")
    for table in ("flows", "jobs"):
        op.drop_column(table, "shift")
