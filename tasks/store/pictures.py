"""Pictures: finding them by message, thread and member, and marking them deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, literal, select

from tasks.jobs.job import Picture
from tasks.jobs.members import Place
from tasks.jobs.states import JobState
from tasks.store.jobs import picture_of
from tasks.store.schema import deliveries, jobs, pictures


def read(connection: Connection, picture: UUID) -> Picture | None:
    """One picture."""
    return _first(connection, select(pictures).where(pictures.c.id == picture))


def of_message(connection: Connection, place: Place, message: str) -> Picture | None:
    """The first picture that was delivered as this message of this place.

    A picture in delivery counts, by its placeholder: a member may use it before its delivery is
    recorded.
    """
    delivered = (
        _in_place(place)
        .join(deliveries, deliveries.c.job == jobs.c.id)
        .where(deliveries.c.message == message)
        .order_by(pictures.c.index)
    )
    shown = (
        _in_place(place, (JobState.DELIVERING.value,))
        .join(deliveries, deliveries.c.job == jobs.c.id)
        .where(literal(message).in_(_placeholder_ids()))
        .order_by(pictures.c.index)
    )
    return _first(connection, delivered) or _first(connection, shown)


def last_in(connection: Connection, place: Place) -> Picture | None:
    """The newest picture of a place and its thread.

    A picture in delivery counts: a member may answer it before its delivery is recorded.
    """
    query = (
        _in_place(place, _SEEN)
        .where(jobs.c.thread.is_not_distinct_from(place.thread))
        .order_by(pictures.c.created_at.desc(), pictures.c.index)
    )
    return _first(connection, query)


def of_member(
    connection: Connection, member_key: str, limit: int, before: datetime | None
) -> list[Picture]:
    """A member's delivered pictures, newest first, without deleted ones."""
    query = (
        select(pictures)
        .join(jobs, jobs.c.id == pictures.c.job)
        .where(jobs.c.member_key == member_key, ~pictures.c.deleted, jobs.c.state == _DONE)
    )
    if before is not None:
        query = query.where(pictures.c.created_at < before)
    query = query.order_by(pictures.c.created_at.desc(), pictures.c.index).limit(limit)
    return [picture_of(row) for row in connection.execute(query).mappings()]


_DONE = JobState.DONE.value
_SEEN = (_DONE, JobState.DELIVERING.value)


def _placeholder_ids() -> list[ColumnElement[str]]:
    """Where a job in delivery keeps its message's id: Slack names it "ts", Discord "message"."""
    recorded = (jobs.c.placeholder, deliveries.c.memory, deliveries.c.memory["placeholder"])
    return [each[key].astext for each in recorded for key in ("ts", "message")]


def _in_place(place: Place, states: Sequence[str] = (_DONE,)) -> Select[tuple[object, ...]]:
    return (
        select(pictures)
        .join(jobs, jobs.c.id == pictures.c.job)
        .where(
            jobs.c.platform == place.platform,
            jobs.c.workspace == place.workspace,
            jobs.c.channel == place.channel,
            jobs.c.state.in_(states),
            ~pictures.c.deleted,
        )
    )


def _first(connection: Connection, query: Select[tuple[object, ...]]) -> Picture | None:
    row = connection.execute(query.limit(1)).mappings().first()
    return picture_of(row) if row else None
