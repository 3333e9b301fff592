"""`atelier doctor`: checks the installation and says how to fix what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from bots.operator.doctor_checks.finding import Finding, Level, fail, ok, warn
from bots.operator.doctor_checks.licence import check_licence
from bots.operator.doctor_checks.machine import check_machine, profiles_to_load
from bots.operator.doctor_checks.memory import supposed_card
from bots.operator.doctor_checks.models import check_models
from bots.operator.doctor_checks.platforms import check_discord, check_slack
from bots.operator.doctor_checks.served_models import check_served_models
from bots.operator.doctor_checks.servers import check_servers
from bots.operator.errors import WrongSettings
from bots.operator.settings_errors import read_settings, unknown_variables
from imaging.memory_plan import Card
from tasks.policy import config
from tasks.runtime.settings import environment

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(card_gb: float | None = None) -> int:
    """Print a line for each check; 1 if something must be fixed, else 0.

    `card_gb` is the size of a GPU to suppose, in gigabytes.
    """
    console = Console(highlight=False, soft_wrap=True)
    worst = 0
    for finding in findings(supposed_card(card_gb) if card_gb else None):
        console.print(
            Text(f"{finding.level:<5}", STYLES[finding.level]),
            Text(f"{finding.subject:<12} {finding.text}"),
        )
        if finding.fix:
            console.print(Text(f"{'':<18} → {finding.fix}", "dim"))
        worst = max(worst, int(finding.level is Level.FAIL))
    return worst


def check_unknown_variables() -> Iterator[Finding]:
    """Warn about each variable that is probably a misspelt setting."""
    for name, nearest in unknown_variables():
        meant = f"; did you mean {nearest}?" if nearest else ""
        fix = f"rename it to {nearest}" if nearest else "remove it; docs/how-to/run.md lists them"
        yield warn("settings", f"{name} is no setting and has no effect{meant}", fix)


def findings(card: Card | None = None) -> Iterator[Finding]:
    """Run every check in turn; only those of the settings if they cannot be read.

    `card` is supposed instead of this machine's GPU.
    """
    yield from check_unknown_variables()
    try:
        settings = read_settings()
    except WrongSettings as wrong:
        for line in str(wrong).splitlines():
            yield fail(
                "settings",
                line,
                "correct it where it is set: the environment, .env or atelier.toml",
            )
        return
    yield ok("settings", "every variable that is set can be read")
    file = config.find(settings.config)
    yield ok("atelier.toml", str(file.absolute()) if file else "none; the default tiers apply")
    policy = config.load(file)
    yield from check_machine(settings, policy, card)
    for model in profiles_to_load(settings, policy):
        yield from check_licence(model, policy)
    yield from check_models(policy.models.values(), environment())
    yield from check_servers(settings)
    yield from check_served_models(settings)
    yield from check_discord(settings, policy.access)
    yield from check_slack(settings)
