"""`atelier plan`: runs the capacity planner of `tasks.planner`."""

from __future__ import annotations

import asyncio
import json as json_text
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bots.operator.errors import CommandError
from bots.operator.output_files import check_writable
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings

CHECK = "--check"
DAY = timedelta(days=1)


def plan(json: Path | None, html: Path | None, arguments: Sequence[str]) -> None:
    """Plan a day and write the requested files. Raises CommandError if it cannot be planned."""
    from tasks.planner.command import PlanError, run

    check_writable(json, html)
    if CHECK in arguments:
        check(json, arguments)
        return
    try:
        run(json, html, arguments)
    except PlanError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}.") from None


def check(json: Path | None, arguments: Sequence[str]) -> None:
    """Print the estimates of a recorded day against its true waits, and those of a replay.

    Raises CommandError for a malformed day and where the database cannot be reached.
    """
    from tasks.client import Unavailable, connect
    from tasks.planner import check as checking
    from tasks.store.recorded_day import RecordedDay

    begin = day_of(arguments, datetime.now(UTC))

    async def read() -> RecordedDay:
        client = await connect(with_server_addresses(read_settings()))
        try:
            return await client.fleet.recorded_day(begin, begin + DAY)
        except Unavailable as error:
            raise CommandError(f"The database cannot be reached: {error}") from None
        finally:
            await client.close()

    found = checking.check(asyncio.run(read()))
    print("\n".join(checking.lines(found)))
    if json is not None:
        json.write_text(json_text.dumps([one.as_json() for one in found], indent=2) + "\n")


def day_of(arguments: Sequence[str], now: datetime) -> datetime:
    """The begin (UTC) of the day after `--check`: "yesterday", "today" or a date.

    Raises CommandError.
    """
    if len(arguments) != 2 or arguments[0] != CHECK:
        raise CommandError("--check takes one day and no other option of the planner.")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    word = arguments[1]
    if word in ("today", "yesterday"):
        return midnight if word == "today" else midnight - DAY
    try:
        return datetime.fromisoformat(word).replace(tzinfo=UTC)
    except ValueError:
        raise CommandError(
            f"“{word}” isn’t a day: expected yesterday, today, or a date such as 2026-11-29."
        ) from None
