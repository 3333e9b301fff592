"""The recipe for a recorded day, as the how-to has it, run on a real record and read back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.planner.trace import LANES, read
from tests.integration.stack import Deployment, member, order

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "demand.md"


def test_exported_day_is_readable_by_the_planner(deployment: Deployment, tmp_path: Path) -> None:
    for name in ("ada", "bo", "ada"):
        deployment.submit(order(member(name)))
    recipe = re.search(r'-c "(COPY \(.+?CSV HEADER)"', HOW_TO.read_text(encoding="utf-8"), re.S)
    assert recipe is not None
    day = tmp_path / "day.csv"
    with deployment.database.begin() as connection:
        cursor = connection.connection.cursor()
        with cursor.copy(recipe[1]) as copied:
            day.write_bytes(b"".join(bytes(block) for block in copied))
    arrivals = list(read(day))
    assert [(LANES[lane], who) for _, lane, who, _ in arrivals] == [
        ("free", 0),
        ("free", 1),
        ("free", 0),
    ]
    assert arrivals[0][0] == 0
    assert arrivals[0][3] == pytest.approx(arrivals[1][3])
