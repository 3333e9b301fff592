"""Pictures: finding them by message, thread and member, and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Select, select, update

from tasks.job import JobState, Picture
from tasks.members import Place
from tasks.store.jobs import picture_of
from tasks.store.schema import deliveries, jobs, pictures


def read(connection: Connection, picture: UUID) -> Picture | None:
    """One picture's row."""
    return _first(connection, select(pictures).where(pictures.c.id == picture))


def of_message(connection: Connection, place: Place, message: str) -> Picture | None:
    """The first picture that was delivered as this message of this place."""
    query = (
        _in_place(place)
        .join(deliveries, deliveries.c.job == jobs.c.id)
        .where(deliveries.c.message == message)
        .order_by(pictures.c.index)
    )
    return _first(connection, query)


def last_in(connection: Connection, place: Place) -> Picture | None:
    """The newest picture of a place and its thread.

    One that is being posted counts: a member may answer it before its delivery is written down.
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


def delete(connection: Connection, jobs_of_them: Sequence[UUID]) -> list[str]:
    """Mark the pictures of these jobs deleted; the blobs that can go."""
    mark = (
        update(pictures)
        .where(pictures.c.job.in_(jobs_of_them), ~pictures.c.deleted)
        .values(deleted=True)
        .returning(pictures.c.blob)
    )
    return list(connection.scalars(mark))


def known_blobs(connection: Connection, blobs: Sequence[str]) -> set[str]:
    """Those of the blobs that a picture which is not deleted stands for."""
    query = select(pictures.c.blob).where(pictures.c.blob.in_(blobs), ~pictures.c.deleted)
    return set(connection.scalars(query))


_DONE = JobState.DONE.value
_SEEN = (_DONE, JobState.DELIVERING.value)


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
