"""Create the tables of jobs, the ledger, deliveries, members and workers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_of_workspace", "audit", ["platform", "workspace", "at"], unique=False)
    op.create_table(
        "doors",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("set_to", sa.Text(), nullable=False),
        sa.Column(
            "memory",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("platform", "workspace", "tier"),
    )
    op.create_table(
        "flows",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("tail", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("behind", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("lane", "flow"),
    )
    op.create_table(
        "installs",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("platform", "workspace"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("member_key", sa.Text(), nullable=False),
        sa.Column("member", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("private", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "reply_to",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "placeholder",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("start_tag", sa.Double(), nullable=False),
        sa.Column("entered", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("at_once", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("cost_seconds", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("relaxed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("degraded", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelling", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("reason", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "jobs_behind",
        "jobs",
        ["lane", "flow", "created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND NOT ready"),
    )
    op.create_index(
        "jobs_delivering",
        "jobs",
        ["rendered_at"],
        unique=False,
        postgresql_where=sa.text("state = 'delivering'"),
    )
    op.create_index("jobs_history", "jobs", ["member_key", "created_at"], unique=False)
    op.create_index(
        "jobs_in_place", "jobs", ["platform", "workspace", "channel", "created_at"], unique=False
    )
    op.create_index(
        "jobs_leased",
        "jobs",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "jobs_line",
        "jobs",
        ["lane", "profile", "start_tag", "created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND ready"),
    )
    op.create_index(
        "jobs_of_member",
        "jobs",
        ["member_key", "created_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running', 'delivering')"),
    )
    op.create_table(
        "lanes",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("start", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("virtual", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("virtual_at", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("lane"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_key", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=True),
        sa.Column("credits", sa.Double(), nullable=False),
        sa.Column("relaxed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job", "kind"),
    )
    op.create_index("ledger_of_member", "ledger", ["member_key", "at"], unique=False)
    op.create_index(
        "ledger_of_pool",
        "ledger",
        ["pool", "at"],
        unique=False,
        postgresql_where=sa.text("pool IS NOT NULL"),
    )
    op.create_index(
        "ledger_settled",
        "ledger",
        ["job"],
        unique=True,
        postgresql_where=sa.text("kind IN ('capture', 'void')"),
    )
    op.create_table(
        "members",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "preferences",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("blocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column(
            "first_seen",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sources",
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column(
            "stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("blob"),
    )
    op.create_table(
        "tier_map",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("platform", "workspace", "role"),
    )
    op.create_table(
        "waitlist",
        sa.Column("member_key", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("member", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("place", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "joined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("invited_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("member_key"),
    )
    op.create_index(
        "waitlist_order",
        "waitlist",
        ["number"],
        unique=False,
        postgresql_where=sa.text("invited_at IS NULL"),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("profiles", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "rates",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "workspaces",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "words", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.PrimaryKeyConstraint("platform", "workspace"),
    )
    op.create_table(
        "attempts",
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "attempt"),
    )
    op.create_table(
        "deliveries",
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "memory",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_try", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("owner", sa.Uuid(), nullable=True),
        sa.Column("owner_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["next_try"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "deliveries_message",
        "deliveries",
        ["message"],
        unique=False,
        postgresql_where=sa.text("message IS NOT NULL"),
    )
    op.create_table(
        "estimates",
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("p50", sa.Double(), nullable=False),
        sa.Column("p90", sa.Double(), nullable=False),
        sa.Column(
            "given_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("actual", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("estimates_given", "estimates", ["given_at"], unique=False)
    op.create_table(
        "pictures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("flagged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job", "index"),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job", sa.Uuid(), nullable=False),
        sa.Column("by_member", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("reports")
    op.drop_table("pictures")
    op.drop_index("estimates_given", table_name="estimates")
    op.drop_table("estimates")
    op.drop_index(
        "deliveries_message",
        table_name="deliveries",
        postgresql_where=sa.text("message IS NOT NULL"),
    )
    op.drop_index(
        "deliveries_due", table_name="deliveries", postgresql_where=sa.text("state = 'pending'")
    )
    op.drop_table("deliveries")
    op.drop_table("attempts")
    op.drop_table("workspaces")
    op.drop_table("workers")
    op.drop_index(
        "waitlist_order", table_name="waitlist", postgresql_where=sa.text("invited_at IS NULL")
    )
    op.drop_table("waitlist")
    op.drop_table("tier_map")
    op.drop_table("sources")
    op.drop_table("outbox")
    op.drop_table("members")
    op.drop_index(
        "ledger_settled",
        table_name="ledger",
        postgresql_where=sa.text("kind IN ('capture', 'void')"),
    )
    op.drop_index(
        "ledger_of_pool", table_name="ledger", postgresql_where=sa.text("pool IS NOT NULL")
    )
    op.drop_index("ledger_of_member", table_name="ledger")
    op.drop_table("ledger")
    op.drop_table("lanes")
    op.drop_index(
        "jobs_of_member",
        table_name="jobs",
        postgresql_where=sa.text("state IN ('queued', 'running', 'delivering')"),
    )
    op.drop_index(
        "jobs_line", table_name="jobs", postgresql_where=sa.text("state = 'queued' AND ready")
    )
    op.drop_index("jobs_leased", table_name="jobs", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("jobs_in_place", table_name="jobs")
    op.drop_index("jobs_history", table_name="jobs")
    op.drop_index(
        "jobs_delivering", table_name="jobs", postgresql_where=sa.text("state = 'delivering'")
    )
    op.drop_index(
        "jobs_behind", table_name="jobs", postgresql_where=sa.text("state = 'queued' AND NOT ready")
    )
    op.drop_table("jobs")
    op.drop_table("installs")
    op.drop_table("flows")
    op.drop_table("doors")
    op.drop_index("audit_of_workspace", table_name="audit")
    op.drop_table("audit")
