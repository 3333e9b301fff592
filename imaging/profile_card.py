"""A profile as a worker's card carries it: what bots and admission need. Pure; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imaging.parameters import Parameter
from imaging.profiles import Profile
from imaging.request import Operation

_DESCRIBED = (
    "sizes",
    "multiple",
    "largest_pixels",
    "steps",
    "guidance",
    "strength",
    "edit_steps",
    "edit_guidance",
    "operations",
    "parameters",
    "pausable",
    "licence",
)


def card_of(profile: Profile) -> dict[str, Any]:
    """The profile's facts as JSON values."""
    return {
        "sizes": {aspect: list(size) for aspect, size in profile.sizes.items()},
        "multiple": profile.multiple,
        "largest_pixels": profile.largest_pixels,
        "steps": profile.steps,
        "guidance": profile.guidance,
        "strength": profile.strength,
        "edit_steps": profile.edit_steps,
        "edit_guidance": profile.edit_guidance,
        "edits_natively": profile.edits_natively,
        "operations": sorted(profile.operations),
        "parameters": sorted(profile.parameters),
        "pausable": profile.pausable,
        "licence": profile.licence,
    }


def profile_of_card(name: str, card: Mapping[str, Any]) -> Profile | None:
    """The profile of a card, without its files; None for a card of an older version."""
    try:
        return Profile(
            name=name,
            source=name,
            family="",
            sizes={aspect: (size[0], size[1]) for aspect, size in card["sizes"].items()},
            multiple=card["multiple"],
            largest_pixels=card["largest_pixels"],
            steps=card["steps"],
            guidance=card["guidance"],
            strength=card["strength"],
            edit_steps=card["edit_steps"],
            edit_guidance=card["edit_guidance"],
            edit=name if card["edits_natively"] else None,
            operations=_known(Operation, card["operations"]),
            parameters=_known(Parameter, card["parameters"]),
            pausable=card["pausable"],
            licence=card.get("licence"),
        )
    except (KeyError, TypeError, IndexError, AttributeError):
        return None


def described(known: Profile, card: Profile | None) -> Profile:
    """A profile as this process knows it, with what a worker's card says about it instead."""
    if card is None:
        return known
    said = {name: getattr(card, name) for name in _DESCRIBED}
    return replace(known, **said)


def _known(kind: Any, values: list[str]) -> frozenset[Any]:
    """The values that this version knows."""
    return frozenset(one for one in kind if one.value in values)
