"""Whether the model's licence permits what the tiers offer."""

from __future__ import annotations

from collections.abc import Iterator

from bots.operator.doctor_checks.finding import Finding, ok, warn
from imaging.profiles import Profile
from imaging.public_models import PaidUse, PublicModel, public_model
from tasks.jobs.tiers import DoorState
from tasks.policy.config import Policy


def check_licence(profile: Profile, policy: Policy) -> Iterator[Finding]:
    """The licences of a local model and of its editing model, where they are known."""
    for known in known_models(profile):
        yield _finding(known, policy)


def known_models(profile: Profile) -> list[PublicModel]:
    """What is known of the profile's model and of its editing model."""
    sources = dict.fromkeys((profile.source, profile.edit or profile.source))
    return [known for source in sources if (known := public_model(source)) is not None]


def forbids_paid_use(known: PublicModel, policy: Policy) -> bool:
    """Whether a paid tier can enter, and the licence forbids to take money."""
    return known.licence.paid is PaidUse.NO and any(
        tier.paid and row.doors is not DoorState.CLOSED for tier, row in policy.tiers.items()
    )


def _finding(known: PublicModel, policy: Policy) -> Finding:
    text = f"{known.hub}: {known.licence.name}"
    if forbids_paid_use(known, policy):
        fix = f"close the paid tiers, or use another model; its text: {known.licence.url}"
        return warn("licence", f"{text} forbids paid use, and a paid tier is open", fix)
    if known.licence.paid in (PaidUse.LIMITED, PaidUse.CHECK):
        return ok("licence", f"{text}; read before you take money: {known.licence.url}")
    return ok("licence", text)
