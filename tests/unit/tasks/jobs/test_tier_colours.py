"""Tiers have the same colours in charts, on cards and on the page."""

from __future__ import annotations

import re
from pathlib import Path

import bots.web
from tasks.jobs.tier_colours import ON_DARK, ON_LIGHT
from tasks.jobs.tiers import Tier

TOKENS = Path(bots.web.__file__).parent / "page" / "styles" / "tokens.css"


def test_colours_are_those_of_the_page() -> None:
    css = TOKENS.read_text()
    for tier in Tier:
        given = re.findall(rf"--{tier.value}: (#[0-9a-f]{{6}});", css)
        # The dark theme stands twice: chosen by the system, and by the member.
        assert given == [ON_LIGHT[tier], ON_DARK[tier], ON_DARK[tier]]
