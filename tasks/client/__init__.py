"""What bots may call: the client of the job system. Async; imports no torch and no Celery."""

from tasks.client.access import ServerView
from tasks.client.administration import BeyondLimit
from tasks.client.async_database import Unavailable
from tasks.client.client import Client, connect
from tasks.client.export import Archive, ExportRunning
from tasks.client.views import (
    Allowance,
    AnyDoors,
    AuditEntry,
    Capacity,
    Doors,
    TierLoad,
    WorkerLoad,
    WorkspaceSettings,
)
from tasks.policy.door_overrides import (
    EVERYWHERE,
    GlobalDoor,
    Subject,
    read_server,
    read_subject,
    states_of,
)
from tasks.runtime.addresses import MissingServer
from tasks.store.daily_history import TimeBucket
from tasks.store.estimates import EstimateAccuracy, SurgeAge
from tasks.store.metrics import Measure, Total, cumulative
from tasks.store.reports import OpenReport, Outcome, PostedReport
from tasks.store.waitlist import Invitation, WaitlistPlace

__all__ = [
    "EVERYWHERE",
    "Allowance",
    "AnyDoors",
    "Archive",
    "AuditEntry",
    "BeyondLimit",
    "Capacity",
    "Client",
    "Doors",
    "EstimateAccuracy",
    "ExportRunning",
    "GlobalDoor",
    "Invitation",
    "Measure",
    "MissingServer",
    "OpenReport",
    "Outcome",
    "PostedReport",
    "ServerView",
    "Subject",
    "SurgeAge",
    "TierLoad",
    "TimeBucket",
    "Total",
    "Unavailable",
    "WaitlistPlace",
    "WorkerLoad",
    "WorkspaceSettings",
    "connect",
    "cumulative",
    "read_server",
    "read_subject",
    "states_of",
]
