"""Builds jobs with a placeholder on the loopback Discord, without a database."""

from __future__ import annotations

import io
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from PIL import Image

from imaging.request import ImageRequest, Operation
from tasks.delivery.publisher import Delivery, PictureAttachment
from tasks.jobs.job import Job, Order, Picture, Reason
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.platforms.discord.members import Person
from tests.platforms.discord.rest import Call
from tests.platforms.discord.server import LoopbackDiscord
from tests.platforms.discord.world import APPLICATION, EPHEMERAL, Interaction, Message


def picture_file(side: int = 64, *, noisy: bool = False) -> bytes:
    """A PNG; a noisy one hardly compresses."""
    data = io.BytesIO()
    pixels = secrets.token_bytes(side * side * 3) if noisy else bytes(side * side * 3)
    Image.frombytes("RGB", (side, side), pixels).save(data, "PNG")
    return data.getvalue()


@dataclass
class PlaceholderJob:
    """A member's interaction, answered with a placeholder, and its job."""

    discord: LoopbackDiscord
    person: Person
    interaction: Interaction
    job: Job
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> Message:
        """The placeholder, or the result that replaced it."""
        assert self.interaction.original is not None
        return self.interaction.original

    def delivery(
        self, *files: bytes, reason: Reason | None = None, flagged: Collection[int] = ()
    ) -> Delivery:
        """The finished job, with these pictures (some of them `flagged`) or this reason."""
        state = JobState.FAILED if reason else JobState.DELIVERING
        job = replace(self.job, state=state, reason=reason)
        pictures = [_picture(job, n, flagged=n in flagged) for n in range(len(files))]
        attachments = [PictureAttachment(p, d) for p, d in zip(pictures, files, strict=True)]

        async def remember(memory: Mapping[str, Any]) -> None:
            self.memory |= memory

        return Delivery(replace(job, pictures=tuple(pictures)), attachments, self.memory, remember)


async def place_order(
    discord: LoopbackDiscord, person: Person, *, private: bool = False, recorded: bool = True,
    answered: bool = True, prompt: str = "a red house",
) -> PlaceholderJob:  # fmt: skip
    """A member's /imagine as the bot's process would have answered it."""
    interaction = Interaction(
        discord.clock.snowflake(), secrets.token_urlsafe(32), 2, person.user, person.channel,
        discord.clock.now(), {}, person.guild.size_limit if person.guild else 10 << 20,
    )  # fmt: skip
    discord.world.interactions[interaction.token] = interaction
    if answered:
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        text = [{"type": 10, "content": "In line"}]
        data = {"components": text, "flags": 1 << 15 | (EPHEMERAL if private else 0)}
        await discord.rest.answer(Call("POST", path, {}, {"type": 4, "data": data}))
    placeholder: dict[str, Any] = {}
    if interaction.original and recorded:
        message = interaction.original
        placeholder = {"message": str(message.id), "channel": str(message.channel.id)}
        placeholder |= {"private": private, "original": True}
    return PlaceholderJob(
        discord, person, interaction, _job(person, interaction, placeholder, prompt, private)
    )


def _job(
    person: Person, interaction: Interaction, placeholder: Mapping[str, Any], prompt: str,
    private: bool,
) -> Job:  # fmt: skip
    workspace = str(person.guild.id) if person.guild else "@me"
    order = Order(
        key=f"discord:{interaction.id}",
        command="imagine",
        member=Member("discord", workspace, person.id),
        place=Place("discord", workspace, str(interaction.channel.id)),
        request=ImageRequest(Operation.IMAGINE, prompt, "postcard", 64, 64, 7),
        private=private,
        reply_to={
            "application": str(APPLICATION),
            "token": interaction.token,
            "at": interaction.at,
            "channel": str(interaction.channel.id),
            "size_limit": interaction.size_limit,
        },
    )
    return Job(
        uuid4(), order, Tier.PRO, JobState.RUNNING, 1, 1.0, datetime.now(UTC),
        placeholder=placeholder,
    )  # fmt: skip


def _picture(job: Job, index: int, flagged: bool) -> Picture:
    return Picture(
        uuid4(), job.id, index, f"blob-{index}", "image/png", 64, 64, 7 + index, None, "a house",
        job.order.request, datetime.now(UTC), flagged=flagged,
    )  # fmt: skip
