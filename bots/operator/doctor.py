"""`atelier doctor`: looks at everything, and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from bots.operator.checkup.finding import Finding, Level, fail, ok
from bots.operator.checkup.machine import check_machine
from bots.operator.checkup.platforms import check_discord, check_slack
from bots.operator.checkup.servers import check_servers
from bots.operator.complaints import read_settings
from bots.operator.refusal import WrongSettings
from tasks import policy

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor() -> int:
    """Print a line for each thing looked at; 1 where something must be mended, else 0."""
    console = Console(highlight=False, soft_wrap=True)
    worst = 0
    for finding in findings():
        console.print(
            Text(f"{finding.level:<5}", STYLES[finding.level]),
            Text(f"{finding.subject:<12} {finding.text}"),
        )
        if finding.mend:
            console.print(Text(f"{'':<18} → {finding.mend}", "dim"))
        worst = max(worst, int(finding.level is Level.FAIL))
    return worst


def findings() -> Iterator[Finding]:
    """Everything looked at, as it is found; nothing more where the settings cannot be read."""
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
    file = policy.find(settings.config)
    yield ok("atelier.toml", str(file.absolute()) if file else "none; the default tiers hold")
    yield from check_machine(settings)
    yield from check_servers(settings)
    yield from check_discord(settings)
    yield from check_slack(settings)
