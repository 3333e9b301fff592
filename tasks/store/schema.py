"""The tables, as SQLAlchemy Core sees them. The migrations make them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

_NOW = text("now()")
_EMPTY = text("'{}'::jsonb")
_ZERO = text("0")
_ACTIVE = text("state IN ('queued', 'running', 'delivering')")


def _time(name: str, *, default: bool = False) -> Column[object]:
    """A moment; with `default`, the moment of the insert."""
    if default:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=_NOW)
    return Column(name, DateTime(timezone=True))


jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("command", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text),
    Column("member_key", Text, nullable=False),
    Column("member", JSONB, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("profile", Text, nullable=False),
    Column("parent", Uuid),
    Column("private", Boolean, nullable=False, server_default=text("false")),
    Column("reply_to", JSONB, nullable=False, server_default=_EMPTY),
    Column("placeholder", JSONB, nullable=False, server_default=_EMPTY),
    Column("tier", Text, nullable=False),
    # -- the order: a lane is a tier, or "relaxed"; a flow is a member inside it -----------------
    Column("lane", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("start_tag", Double, nullable=False),
    Column("entered", Double, nullable=False, server_default=text("0")),  # least tag it can have
    Column("ready", Boolean, nullable=False),  # False: above what its member may run at once
    Column("at_once", Integer, nullable=False, server_default=text("1")),
    Column("shift", Double, nullable=False, server_default=_ZERO),  # the flow's, at entry
    Column("cost_seconds", Double, nullable=False, server_default=text("0")),  # expected, on a GPU
    # -- the price --------------------------------------------------------------------------------
    Column("cost", Double, nullable=False),
    Column("relaxed", Boolean, nullable=False, server_default=text("false")),
    Column("degraded", JSONB),  # what was made less to keep the doors open, told to the member
    Column("invitation", JSONB),  # the waitlist's row that let the member in; it stands again
    # -- the life ---------------------------------------------------------------------------------
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("lease_owner", Text),
    Column("lease_token", Uuid),
    _time("lease_until"),
    Column("cancelling", JSONB),  # the Reason of a running job that is asked to stop
    Column("reason", JSONB),
    _time("created_at", default=True),
    _time("started_at"),
    _time("rendered_at"),
    _time("ended_at"),
    _time("erased_at"),  # the tombstone: its member has had it erased
    Index("jobs_erased", "erased_at", postgresql_where=text("erased_at IS NOT NULL")),
    Index(
        "jobs_line",
        "lane",
        "profile",
        "start_tag",
        "created_at",
        postgresql_where=text("state = 'queued' AND ready"),
    ),
    Index(
        "jobs_behind",
        "lane",
        "flow",
        "created_at",
        postgresql_where=text("state = 'queued' AND NOT ready"),
    ),
    Index(
        "jobs_in_line",
        "lane",
        "start_tag",
        "created_at",
        postgresql_where=text("state = 'queued'"),
        postgresql_include=["cost_seconds"],
    ),
    Index("jobs_of_member", "member_key", "created_at", postgresql_where=_ACTIVE),
    Index("jobs_history", "member_key", "created_at"),
    Index("jobs_in_place", "platform", "workspace", "channel", "created_at"),
    Index("jobs_leased", "lease_until", postgresql_where=text("state = 'running'")),
    Index("jobs_came", "created_at", postgresql_using="brin"),
    Index("jobs_delivering", "rendered_at", postgresql_where=text("state = 'delivering'")),
)

# The lane `root` keeps, as its start, the virtual time between the lanes.
lanes = Table(
    "lanes",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("weight", Double, nullable=False),
    Column("start", Double, nullable=False, server_default=text("0")),
    Column("virtual", Double, nullable=False, server_default=text("0")),
    Column("virtual_at", Double, nullable=False, server_default=text("0")),
)

flows = Table(
    "flows",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("tail", Double, nullable=False, server_default=text("0")),
    Column("shift", Double, nullable=False, server_default=_ZERO),  # the sum of all corrections
    Column("opened", Integer, nullable=False, server_default=text("0")),  # ready or running
    Column("behind", Integer, nullable=False, server_default=text("0")),  # queued and not ready
)

# Every job that enters or leaves the line, until it is folded into `lines`; written by triggers.
line_changes = Table(
    "line_changes",
    metadata,
    Column(
        "xid", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")
    ),
    Column("lane", Text, nullable=False),
    Column("tag", Double, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("seconds", Double, nullable=False),
    Index("line_changes_xid", "xid"),
)

# A lane's queued jobs in pages by tag, as they stood before the transaction `folded`: for each page
# its lowest tag, and the jobs and expected GPU seconds in all pages before it.
lines = Table(
    "lines",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("lows", ARRAY(Double), nullable=False, server_default=text("'{-Infinity}'")),
    Column("jobs_before", ARRAY(BigInteger), nullable=False, server_default=text("'{0}'")),
    Column("seconds_before", ARRAY(Double), nullable=False, server_default=text("'{0}'")),
    Column("jobs", BigInteger, nullable=False, server_default=_ZERO),
    Column("seconds", Double, nullable=False, server_default=_ZERO),
    Column("folded", BigInteger, nullable=False, server_default=_ZERO),
    Column("inflow", Double, nullable=False, server_default=_ZERO),  # GPU seconds a second
    Column("meter", JSONB, nullable=False, server_default=_EMPTY),
    Column("calibration", JSONB, nullable=False, server_default=_EMPTY),
)

# True minus expected GPU seconds, until they are put on the lane's start.
lane_changes = Table(
    "lane_changes",
    metadata,
    Column("lane", Text, nullable=False),
    Column("seconds", Double, nullable=False),
)

# What one picture takes; the shape "" is the cost of one unit of the profile's work.
costs = Table(
    "costs",
    metadata,
    Column("profile", Text, primary_key=True),
    Column("shape", Text, primary_key=True),
    Column("log_seconds", Double, nullable=False),
    Column("spread", Double, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("outliers", Integer, nullable=False, server_default=text("0")),
)

# What renders took, until it is learnt: GPU seconds, and seconds from lease to result.
cost_samples = Table(
    "cost_samples",
    metadata,
    Column("request", JSONB, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("job_seconds", Double, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("worker", Text, nullable=False),
    _time("started_at", default=True),
    _time("ended_at"),
    Column("outcome", Text),  # rendered | failed | cancelled | requeued | lost
    Column("details", JSONB),
    Column("gpu_seconds", Double),
)

pictures = Table(
    "pictures",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("job", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("index", Integer, nullable=False),
    Column("blob", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("parent", Uuid),
    Column("instruction", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("flagged", Boolean, nullable=False, server_default=text("false")),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    _time("created_at", default=True),
    UniqueConstraint("job", "index"),
    Index("pictures_blob", "blob"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("job", Uuid),
    Column("kind", Text, nullable=False),  # hold | capture | void | grant | correction
    Column("member_key", Text, nullable=False),
    Column("pool", Text),  # platform:workspace, where the tier shares a pool
    Column("credits", Double, nullable=False),
    Column("relaxed", Boolean, nullable=False, server_default=text("false")),
    Column("why", Text),
    Column("actor", Text),
    _time("at", default=True),
    UniqueConstraint("job", "kind"),
    Index(  # what was reserved is taken or given back, once
        "ledger_settled", "job", unique=True, postgresql_where=text("kind IN ('capture', 'void')")
    ),
    Index("ledger_of_member", "member_key", "at"),
    Index("ledger_of_pool", "pool", "at", postgresql_where=text("pool IS NOT NULL")),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _time("created_at", default=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("job", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending | sent | failed
    Column("memory", JSONB, nullable=False, server_default=_EMPTY),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    _time("next_try", default=True),
    Column("owner", Uuid),  # who is posting it now, until `owner_until`
    _time("owner_until"),
    Column("message", Text),
    Column("error", Text),
    _time("created_at", default=True),
    _time("sent_at"),
    Index("deliveries_due", "next_try", postgresql_where=text("state = 'pending'")),
    Index("deliveries_message", "message", postgresql_where=text("message IS NOT NULL")),
)

members = Table(
    "members",
    metadata,
    Column("key", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("preferences", JSONB, nullable=False, server_default=_EMPTY),
    Column("blocked", Boolean, nullable=False, server_default=text("false")),
    Column("tier", Text),  # as it was when last seen
    _time("first_seen", default=True),
    Index("members_of_person", "platform", "id"),
)

tier_map = Table(
    "tier_map",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("tier", Text),  # NULL: an administrator took away what the file gives
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("settings", JSONB, nullable=False, server_default=_EMPTY),
    Column("words", ARRAY(Text), nullable=False, server_default=text("'{}'")),
)

doors = Table(
    "doors",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("subject", Text, primary_key=True),  # a tier, a feature, "everything" or "sign-ups"
    Column("set_to", Text),  # by hand; unset where there is only a memory
    Column("memory", JSONB, nullable=False, server_default=_EMPTY),  # of the automatic doors
    _time("changed_at", default=True),
)

waitlist = Table(
    "waitlist",
    metadata,
    Column("member_key", Text, primary_key=True),
    Column("tier", Text, nullable=False),
    Column("member", JSONB, nullable=False),
    Column("place", JSONB, nullable=False),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    _time("joined_at", default=True),
    _time("invited_at"),
    _time("invited_until"),
    _time("claimed_at"),  # by whoever is telling them
    _time("told_at"),
    Column("lapses", Integer, nullable=False, server_default=_ZERO),
    Index("waitlist_order", "number", postgresql_where=text("invited_at IS NULL")),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Uuid, nullable=False),  # of the process that bears the name now
    Column("device", Text, nullable=False),
    Column("profiles", JSONB, nullable=False),  # name → {"steps": usual steps}
    Column("slots", Integer, nullable=False),
    Column("running", Integer, nullable=False, server_default=text("0")),
    Column("rates", JSONB, nullable=False, server_default=_EMPTY),  # profile → seconds a picture
    Column("device_use", JSONB, nullable=False, server_default=_EMPTY),  # as DeviceUse.to_json
    Column("model_faults", JSONB, nullable=False, server_default=_EMPTY),  # model → ModelFault
    Column("pending_models", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    _time("started_at", default=True),
    _time("seen_at", default=True),
)

estimates = Table(
    "estimates",
    metadata,
    Column("job", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("tier", Text, nullable=False),
    Column("lane", Text),
    Column("model", Double),  # what the replay said, before calibration
    Column("p50", Double, nullable=False),  # seconds from `given_at`
    Column("p90", Double, nullable=False),
    _time("given_at", default=True),
    Column("actual", Double),  # seconds, once it is known
    _time("settled_at"),
    Column("surge_age", Double),  # seconds since the demand last changed, at `given_at`
    Index("estimates_given", "given_at"),
    Index("estimates_settled", "lane", "settled_at", postgresql_where=text("actual IS NOT NULL")),
)

# Samples that the clock process has not folded into `metric_totals` yet.
metric_samples = Table(
    "metric_samples",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("metric", Text, nullable=False),
    Column("subject", Text, nullable=False),  # a tier, or the platform of a delivery
    Column("outcome", Text, nullable=False, server_default=text("''")),
    Column("seconds", Double),
)

metric_totals = Table(
    "metric_totals",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("bucket", Double, primary_key=True),  # upper bound in seconds
    Column("samples", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False, server_default=_ZERO),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("details", JSONB, nullable=False, server_default=_EMPTY),
    _time("at", default=True),
    Index("audit_of_workspace", "platform", "workspace", "at"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("job", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("by_member", Text, nullable=False),
    Column("words", Text, nullable=False),
    _time("at", default=True),
    Column("outcome", Text),  # kept | removed | blocked
    Column("decided_by", Text),
    _time("decided_at"),
    _time("posted_at"),  # in the channel that moderators chose
    _time("owner_notified_at"),  # of the removal
    Index("reports_open", "job", postgresql_where=text("outcome IS NULL")),
)

servers = Table(
    "servers",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("approved", Boolean, nullable=False, server_default=text("false")),
    Column("banned", Boolean, nullable=False, server_default=text("false")),
    Column("highest_tier", Text, nullable=False, server_default=text("'pro'")),
    Column("highest_grant", Double),  # credits in 30 days; NULL: no limit
    _time("first_seen", default=True),
)

bans = Table(
    "bans",
    metadata,
    Column("account", Text, primary_key=True),  # a person, in every server
    Column("why", Text, nullable=False, server_default=text("''")),
    _time("at", default=True),
)

installs = Table(
    "installs",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # encrypted JSON
    _time("changed_at", default=True),
)

# Uploads. Equal uploads of several members have one blob, and a row for each of its owners.
sources = Table(
    "sources",
    metadata,
    Column("blob", Text, primary_key=True),
    Column("member_key", Text, primary_key=True),
    _time("stored_at", default=True),
    Index("sources_of_member", "member_key"),
)

# One row. The blob store's marker has the same id, and a generation that is not ahead of this one.
# The id is chosen at the first start, so that databases copied from one template differ.
installation = Table(
    "installation",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Uuid),
    Column("generation", BigInteger, nullable=False, server_default=_ZERO),
    Column(
        "checked_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("'-infinity'"),
    ),
    CheckConstraint("singleton", name="installation_has_one_row"),
)

# Blobs that no row refers to: listed, later marked, deleted days after that.
orphans = Table(
    "orphans",
    metadata,
    Column("blob", Text, primary_key=True),
    _time("listed_at", default=True),
    _time("marked_at"),
)

# Messages of erased jobs, to be deleted on their platform.
removals = Table(
    "removals",
    metadata,
    Column("job", Uuid, primary_key=True),
    Column("member_key", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("place", JSONB, nullable=False),
    Column("message", Text),
    Column("placeholder", JSONB, nullable=False),
    Column("memory", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),  # | done | failed
    Column("tries", Integer, nullable=False, server_default=_ZERO),
    _time("next_try", default=True),
    Column("owner", Uuid),
    _time("owner_until"),
    Column("error", Text),
    _time("requested_at", default=True),
    Index("removals_due", "next_try", postgresql_where=text("state = 'pending'")),
    Index("removals_of_member", "member_key"),
)

# Servers that removed the bot; their data is erased after a grace period.
departures = Table(
    "departures",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    _time("left_at", default=True),
)
