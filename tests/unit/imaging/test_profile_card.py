"""A profile through a worker's card and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from imaging.parameters import Parameter
from imaging.profile_card import card_of, profile_of_card
from imaging.profiles import NAMED, Profile, profile_for
from imaging.request import Operation


@pytest.mark.parametrize("name", ["postcard", *NAMED])
def test_card_carries_what_orders_depend_on(name: str) -> None:
    profile = profile_for(name)
    found = profile_of_card(name, json.loads(json.dumps(card_of(profile))))
    assert found is not None
    assert ordered(found) == ordered(profile)


def ordered(profile: Profile) -> list[Any]:
    """What bots ask a profile for."""
    return [
        *(profile.size(aspect) for aspect in ("1:1", "3:2", "9:16", "5:4")),
        profile.size_of_edit((640, 480)),
        [(profile.steps_of(one), profile.guidance_of(one)) for one in Operation],
        profile.operations,
        profile.parameters,
        profile.edits_natively,
        (profile.multiple, profile.largest_pixels, profile.strength, profile.pausable),
    ]


def test_card_of_an_older_or_newer_version_is_read_as_far_as_it_goes() -> None:
    assert profile_of_card("sdxl", {"steps": 30}) is None
    card = card_of(replace(profile_for("postcard"), parameters=frozenset({Parameter.SEED})))
    newer = {**card, "operations": [*card["operations"], "animate"], "extra": 1}
    found = profile_of_card("postcard", newer)
    assert found is not None
    assert found.operations == profile_for("postcard").operations
    assert found.parameters == {Parameter.SEED}
