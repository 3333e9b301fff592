"""`atelier plan`: the capacity planner of `tasks.planner`, with this program's way of refusing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bots.operator.outputs import check_writable
from bots.operator.refusal import Refusal


def plan(json: Path | None, html: Path | None, arguments: Sequence[str]) -> None:
    """Plan a day and write the files asked for. Raises Refusal where it cannot be planned."""
    from tasks.planner.run import PlanError, run

    check_writable(json, html)
    try:
        run(json, html, arguments)
    except PlanError as error:
        raise Refusal(str(error)) from None
    except OSError as error:
        raise Refusal(f"{error.filename} cannot be written: {error.strerror}.") from None
