"""The colours of the tiers, the same wherever a member or an operator sees them. Pure.

`bots/web/page/styles/tokens.css` has the same values for the page.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.jobs.tiers import Tier

ON_LIGHT: Mapping[Tier, str] = {
    Tier.FREE: "#67625a",
    Tier.PLUS: "#1f5f99",
    Tier.TEAM: "#2c6e49",
    Tier.PRO: "#8a5a00",
}
"""For light backgrounds, such as the planner's report."""

ON_DARK: Mapping[Tier, str] = {
    Tier.FREE: "#b5afa6",
    Tier.PLUS: "#86bdf2",
    Tier.TEAM: "#86d4a6",
    Tier.PRO: "#f0c66c",
}
"""For dark backgrounds, such as charts in Discord."""
