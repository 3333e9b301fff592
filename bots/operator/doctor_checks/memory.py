"""Whether the model fits the device, and in which way it will be loaded."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from bots.operator.doctor_checks.finding import Finding, fail, ok, warn
from imaging.memory_plan import GIGABYTE, Card, MemoryPlan, advice, choose, gigabytes
from imaging.model_needs import has_quantiser, needs_of
from imaging.model_tables import IN_USE
from imaging.profiles import Profile

SLOW = (MemoryPlan.OFFLOAD_GROUP,)


def supposed_card(gb: float) -> Card:
    """A card of that many gigabytes, with this machine's host memory and packages."""
    total = int(gb * GIGABYTE)
    return here(total - IN_USE, total)


def here(free: int, total: int) -> Card:
    """A card of this machine."""
    return Card(free, total, psutil.virtual_memory().available, quantises=has_quantiser())


def check_memory(profile: Profile, card: Card) -> Iterator[Finding]:
    """The memory plan of a local model and of its editing model."""
    for source in dict.fromkeys((profile.source, profile.edit or profile.source)):
        yield memory_finding(profile, source, card)


def memory_finding(profile: Profile, source: str, card: Card) -> Finding:
    """The plan for one source: what it is expected to take, and what would make it better."""
    needs = needs_of(profile, source)
    name = profile.name if source == profile.source else f"{profile.name}, edits ({source})"
    if needs is None:
        text = f"{name}: its size is not known until it is downloaded"
        return warn("memory", text, "start the worker once, or download it")
    fit = choose(needs, card)
    host = f", {gigabytes(fit.host)} of the host's" if fit.host else ""
    text = (
        f"{name}: plan {fit.plan}; {gigabytes(fit.peak)} expected of {gigabytes(card.free)} free "
        f"({gigabytes(card.total)} card){host}"
    )
    better = advice(needs, card)
    if not fit.fits(card):
        return fail("memory", f"{text}: too little memory", better)
    if better or fit.plan in SLOW:
        return warn("memory", text, better or "pictures take many times as long; use a larger card")
    return ok("memory", text)
