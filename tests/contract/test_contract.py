"""The promises of DESIGN section 6 that hold on every platform."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from PIL import Image

from bots.core.reply import Action
from tasks.delivery.publisher import Delivery, PictureAttachment
from tasks.jobs.job import Job, Picture, Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.contract.harness import Actor, Shown, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
T = TypeVar("T")


async def until(read: Callable[[], Awaitable[T]], seconds: float = 30.0) -> T:
    """Poll until the result is true; `seconds` bounds a broken test."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := await read()):
        assert asyncio.get_running_loop().time() < deadline, "the condition was never met"
        await asyncio.sleep(0.05)
    return found


async def message(actor: Actor, words: str) -> Shown:
    """The one message that contains these words."""
    found = await until(lambda: _with(actor, words))
    assert len(found) == 1, found
    return found[0]


async def _with(actor: Actor, words: str) -> list[Shown]:
    return [shown for shown in await actor.sees() if words in shown.text]


async def _new(actor: Actor, before: list[Shown]) -> list[Shown]:
    old = {shown.id for shown in before}
    return [shown for shown in await actor.sees() if shown.id not in old]


async def job_of(stage: Stage, prompt: str) -> Job:
    """The queued job with this prompt, once its message is recorded."""

    async def read() -> Job | None:
        for job in await stage.client.jobs.waiting(stage.platform):
            placed = job.placeholder or not stage.posts
            if job.order.request.prompt == prompt and placed:
                return job
        return None

    found = await until(read)
    assert found is not None
    return found


def delivery(job: Job, pictures: int = 0, reason: Reason | None = None) -> Delivery:
    """A delivery of the ended job: with pictures, or with the reason for none."""
    data = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(data, "PNG")
    rows = tuple(
        Picture(
            uuid4(), job.id, n, f"blob-{n}", "image/png", 32, 32, n, None,
            job.order.request.prompt, job.order.request, datetime.now(UTC),
        )
        for n in range(pictures)
    )  # fmt: skip
    state = JobState.FAILED if reason else JobState.DELIVERING
    memory: dict[str, Any] = {}

    async def remember(more: Mapping[str, Any]) -> None:
        memory.update(more)

    ended = replace(job, state=state, reason=reason, pictures=rows, line=None)
    attachments = [PictureAttachment(row, data.getvalue()) for row in rows]
    return Delivery(ended, attachments, memory, remember)


async def test_order_is_one_public_message_with_a_cancel_button(stage: Stage) -> None:
    anna, boris = await stage.actor("anna", Tier.PRO), await stage.actor("boris")
    await anna.imagine("a small red house")
    shown = await message(anna, "a small red house")
    assert not shown.private
    assert Action.CANCEL in shown.actions
    assert shown.pictures == 0
    assert (await message(boris, "a small red house")).id == shown.id


async def test_refusal_is_private_and_creates_no_job(stage: Stage) -> None:
    free, boris = await stage.actor("free"), await stage.actor("boris")
    before, seen = list(await free.sees()), list(await boris.sees())
    await free.imagine("three refused houses", count=3)
    (refusal,) = await until(lambda: _new(free, before))
    assert refusal.private
    assert "one picture at a time" in refusal.text
    assert [m for m in await _new(boris, seen) if refusal.text in m.text] == []
    prompts = [j.order.request.prompt for j in await stage.client.jobs.waiting(stage.platform)]
    assert "three refused houses" not in prompts


async def test_repeated_request_is_one_job_and_one_message(stage: Stage) -> None:
    anna = await stage.actor("anna", Tier.PRO)
    await anna.imagine("a house asked for twice")
    first = await message(anna, "a house asked for twice")
    await anna.repeat_request()
    await anna.send_command("help")
    assert (await message(anna, "a house asked for twice")).id == first.id
    jobs = await stage.client.jobs.waiting(stage.platform)
    assert len([j for j in jobs if j.order.request.prompt == "a house asked for twice"]) == 1


async def test_only_the_owner_can_cancel_an_order(stage: Stage) -> None:
    anna, boris = await stage.actor("anna", Tier.PRO), await stage.actor("boris")
    await anna.imagine("a house to be cancelled")
    job = await job_of(stage, "a house to be cancelled")
    await boris.press(await message(boris, "a house to be cancelled"), Action.CANCEL)
    assert (await stage.client.jobs.read(job.id) or job).state is JobState.QUEUED
    await anna.press(await message(anna, "a house to be cancelled"), Action.CANCEL)

    async def ended() -> bool:
        now = await stage.client.jobs.read(job.id)
        return now is not None and now.state is JobState.CANCELLED

    await until(ended)


@pytest.mark.parametrize("count", [1, 4])
async def test_result_replaces_the_placeholder_once(stage: Stage, count: int) -> None:
    anna = await stage.actor("anna", Tier.PRO)
    prompt = f"a finished house number {count}"
    await anna.imagine(prompt, count)
    before = await message(anna, prompt)
    finished = delivery(await job_of(stage, prompt), count)
    for _ in range(2):
        await stage.deliver(finished)
    shown = await message(anna, prompt)
    assert shown.id == before.id
    assert shown.pictures == count
    assert all(prompt in alt for alt in shown.alts)
    assert Action.CANCEL not in shown.actions
    assert not shown.bar
    assert {Action.VARY, Action.UPSCALE, Action.EDIT, Action.REROLL} <= shown.actions


async def test_failure_shows_the_reason_and_no_charge(stage: Stage) -> None:
    anna = await stage.actor("anna", Tier.PRO)
    await anna.imagine("a house that fails")
    job = await job_of(stage, "a house that fails")
    await stage.deliver(delivery(job, reason=Reason("out-of-memory")))
    shown = await message(anna, "a house that fails")
    assert "Nothing was charged" in shown.text
    assert Action.CANCEL not in shown.actions
    assert not shown.bar
    assert shown.pictures == 0


@pytest.mark.parametrize("word", ["queue", "quota", "history", "help", "cancel", "settings"])
async def test_account_replies_are_private(stage: Stage, word: str) -> None:
    carl = await stage.actor("carl")
    before = list(await carl.sees())
    await carl.send_command(word)
    refusal = await until(lambda: _new(carl, before))
    assert all(one.private and one.text for one in refusal)


async def test_french_member_gets_french_replies(stage: Stage) -> None:
    amelie = await stage.actor("amelie", locale="fr")
    before = list(await amelie.sees())
    await amelie.send_command("queue")
    (refusal,) = await until(lambda: _new(amelie, before))
    assert "Vous n’avez rien dans la file" in refusal.text
