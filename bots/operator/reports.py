"""`atelier reports`: the open reports of all servers, and decisions about them."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bots.core.locales import localizer_for
from bots.operator.access import run
from bots.operator.errors import CommandError
from tasks.client import Client, OpenReport, Outcome
from tasks.jobs.members import Member


def list_reports() -> None:
    """Print every open report, oldest first. Raises CommandError."""
    found = run(lambda client: client.reports.every_open())
    console = Console(highlight=False)
    if not found:
        console.print("There are no open reports.")
        return
    console.print(table(list(found), datetime.now(UTC)))


def table(reports: list[OpenReport], now: datetime) -> Table:
    """A row for each reported job."""
    localize = localizer_for("en")
    rows = Table("job", "server", "member", "age", "prompt", "reasons")
    for report in reports:
        job, owner = report.job, report.job.order.member
        rows.add_row(
            job.short,
            f"{owner.platform}:{owner.workspace}",
            owner.name or owner.id,
            localize.duration(now - report.reported_at),
            job.order.request.prompt,
            "; ".join(reason for reason in report.reasons if reason) or "–",
        )
    return rows


def decide(job: str, outcome: Outcome) -> None:
    """Decide the reports of the job with this short name. Raises CommandError."""

    async def work(client: Client) -> None:
        found = [one for one in await client.reports.every_open() if one.job.short == job.lower()]
        if not found:
            raise CommandError(f"There is no open report of a job {job}.")
        owner = found[0].job.order.member
        operator = Member(owner.platform, owner.workspace, "operator", administrator=True)
        await client.reports.decide(found[0].job.id, outcome, operator)

    run(work)
    print(f"{job}: {outcome}.")
