"""One order from a terminal: submits it, shows progress on standard error, fetches the pictures."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from bots.core.cards import card
from bots.core.command_handler import CommandHandler
from bots.core.commands import BadCommand, Imagine, Invocation
from bots.core.locales import Localizer
from bots.core.refusals import sentence
from bots.operator.errors import CommandError
from imaging.request import Progress, Stage
from tasks.client import Client
from tasks.jobs.job import EventKind, Job
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier

PLATFORM = "terminal"
PLACE = Place(PLATFORM, "local", "terminal")
POLL_SECONDS = 0.2


def member(tier: Tier, locale: str) -> Member:
    """The user of this terminal, with the role of a tier: a terminal user may choose any."""
    return Member(
        PLATFORM, "local", getpass.getuser(), roles=frozenset({tier.value}), locale=locale
    )


@dataclass(slots=True)
class Order:
    """An order and the member who waits for it."""

    client: Client
    command_handler: CommandHandler
    member: Member
    localize: Localizer
    console: Console

    async def run(self, command: Imagine | BadCommand) -> Sequence[bytes]:
        """Return the pictures' files. Raises CommandError with the reason if there are none.

        Cancellation of this coroutine cancels the job.
        """
        reply = await self.command_handler.answer(
            Invocation(self.member, PLACE, str(uuid4())), command
        )
        if reply.job is None:
            raise CommandError(reply.text)
        try:
            job = await self._wait(reply.job)
        except asyncio.CancelledError:
            await self.client.jobs.cancel(reply.job.id, self.member)
            raise CommandError(self.localize("cancelled")) from None
        if job.state is not JobState.DONE:
            raise CommandError(sentence(job.reason, self.localize))
        return [await self.client.pictures.read_blob(picture.blob) for picture in job.pictures]

    async def _wait(self, job: Job) -> Job:
        """Show progress until the job has ended. Events speed the display up; the row decides."""
        with self._bar() as bar:
            row = bar.add_task("", total=None)
            listening = asyncio.create_task(self._listen(job, bar, row))
            try:
                while not job.state.ended:
                    if job.state is JobState.QUEUED:
                        bar.update(row, description=card(job, self.localize).text)
                    await asyncio.sleep(POLL_SECONDS)
                    job = await self.client.jobs.read(job.id) or job
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
        return job

    async def _listen(self, job: Job, bar: Bar, row: TaskID) -> None:
        running = replace(job, state=JobState.RUNNING)
        with contextlib.suppress(OSError):  # without events the bar moves less often
            async for event in self.client.jobs.events(PLATFORM):
                if event.job == job.id and event.kind is EventKind.PROGRESS:
                    progress = Progress(Stage(event.stage), event.step, event.steps)
                    text = card(running, self.localize, progress).text
                    bar.update(
                        row, description=text, completed=event.step, total=event.steps or None
                    )

    def _bar(self) -> Bar:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        return Bar(*columns, console=self.console, transient=True)
