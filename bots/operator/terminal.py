"""One order from a terminal: asked, watched and fetched, with a bar on standard error."""

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
from bots.core.command import Ask, BadCommand, Imagine
from bots.core.reasons import sentence
from bots.core.sentences import Sentences
from bots.core.studio import Studio
from bots.operator.refusal import Refusal
from imaging.request import Progress, Stage
from tasks.client import Client
from tasks.job import EventKind, Job, JobState
from tasks.members import Member, Place
from tasks.tiers import Tier

PLATFORM = "terminal"
PLACE = Place(PLATFORM, "local", "terminal")
LOOK_SECONDS = 0.2


def member(tier: Tier, locale: str) -> Member:
    """Whoever sits at this terminal, with the role of a tier: in the terminal one may choose."""
    return Member(
        PLATFORM, "local", getpass.getuser(), roles=frozenset({tier.value}), locale=locale
    )


@dataclass(slots=True)
class Order:
    """An order and the one who waits for it."""

    client: Client
    studio: Studio
    member: Member
    say: Sentences
    console: Console

    async def carry_out(self, command: Imagine | BadCommand) -> Sequence[bytes]:
        """The pictures as files' bytes. Raises Refusal with the reason where there are none.

        Where the wait is broken off, the job is cancelled.
        """
        reply = await self.studio.answer(Ask(self.member, PLACE, str(uuid4())), command)
        if reply.job is None:
            raise Refusal(reply.text)
        try:
            job = await self._wait(reply.job)
        except asyncio.CancelledError:
            await self.client.cancel(reply.job.id, self.member)
            raise Refusal(self.say("cancelled")) from None
        if job.state is not JobState.DONE:
            raise Refusal(sentence(job.reason, self.say))
        return [await self.client.read_blob(picture.blob) for picture in job.pictures]

    async def _wait(self, job: Job) -> Job:
        """Show how far it is until it has ended; the row is the truth, events are only quicker."""
        with self._bar() as bar:
            row = bar.add_task("", total=None)
            listening = asyncio.create_task(self._listen(job, bar, row))
            try:
                while not job.state.ended:
                    if job.state is JobState.QUEUED:
                        bar.update(row, description=card(job, self.say).text)
                    await asyncio.sleep(LOOK_SECONDS)
                    job = await self.client.job(job.id) or job
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
        return job

    async def _listen(self, job: Job, bar: Bar, row: TaskID) -> None:
        running = replace(job, state=JobState.RUNNING)
        with contextlib.suppress(OSError):  # without events the bar moves less, that is all
            async for event in self.client.events(PLATFORM):
                if event.job == job.id and event.kind is EventKind.PROGRESS:
                    progress = Progress(Stage(event.stage), event.step, event.steps)
                    text = card(running, self.say, progress).text
                    bar.update(
                        row, description=text, completed=event.step, total=event.steps or None
                    )

    def _bar(self) -> Bar:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        return Bar(*columns, console=self.console, transient=True)
