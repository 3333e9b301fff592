"""A member's session with all processes of `atelier up`."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.platforms.conftest import Platforms
from tests.platforms.discord import LoopbackDiscord, Person
from tests.platforms.discord.conftest import EVENING, PLUS
from tests.platforms.discord.members import ADMINISTRATOR
from tests.platforms.discord.world import EPHEMERAL, Message, text_of
from tests.platforms.kills import assert_posted_again, is_sent, kill_worker, newest_job
from tests.stack import AtelierProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADMIN = 9_000_000_000_000_000_002


@dataclass
class Deployment:
    """A loopback Discord with a complete Atelier behind its bot."""

    discord: LoopbackDiscord
    processes: AtelierProcess
    house: Platforms
    anna: Person
    admin: Person

    async def drawn(self, message: Message, pictures: int = 1) -> Message:
        """The message once it is a finished result with so many pictures."""
        await self.discord.until(lambda: self._finished(message), 120)
        assert len(message.pictures) == pictures, message.text
        labels = [b["label"] for b in message.buttons]
        assert "Cancel" not in labels
        assert "Again" in labels
        assert "▱" not in message.text
        self.assert_not_overwritten(message)
        return message

    def assert_not_overwritten(self, message: Message) -> None:
        """Assert that no later edit replaced the result."""
        states = [bool(p.get("attachments")) for _, p in message.versions]
        final = [i for i, p in enumerate(message.versions) if "Again" in _labels(p[1])]
        assert all(states[final[0] :]), message.versions

    def _finished(self, message: Message) -> bool:
        return "Again" in _labels(message.payload) or "didn’t work" in message.text


def _labels(payload: dict[str, object]) -> str:
    return repr(payload.get("components"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployment(house: Platforms) -> Deployment:
    """All processes, with one member on Plus and one administrator."""
    discord = house.discord
    guild = await discord.add_guild(number=EVENING)
    discord.add_role(guild, "Plus", number=PLUS)
    discord.add_role(guild, "Admin", ADMINISTRATOR, ADMIN)
    anna, admin = discord.add_person(guild, "anna", PLUS), discord.add_person(guild, "admin", ADMIN)
    return Deployment(discord, house.atelier, house, anna, admin)


async def test_member_uses_every_picture_command(deployment: Deployment) -> None:
    anna, admin, discord = deployment.anna, deployment.admin, deployment.discord

    first = await anna.slash("imagine", prompt="a red house left of a green tree", seed=7)
    assert "Cancel" in _labels(first.shown.versions[0][1])
    house = await deployment.drawn(first.shown)

    file = discord.world.files[house.pictures[0]["url"].split("?")[0].removeprefix(discord.origin)]
    variants = await anna.slash("vary", image=("house.png", file), strength=0.6, count=4)
    await deployment.drawn(variants.shown, 4)

    asked = await anna.say("make the house blue", reply_to=house)
    blue = await deployment.drawn(await discord.until(lambda: anna.answer_to(asked)))
    asked = await anna.say("make it night", reply_to=blue)
    night = await deployment.drawn(await discord.until(lambda: anna.answer_to(asked)))
    assert "make it night" in night.text

    asked = await anna.say("undo", reply_to=night)
    restored = await discord.until(lambda: anna.answer_to(asked))
    assert "Undo" in [b["label"] for b in restored.buttons], (
        "the blue picture can be undone as well"
    )

    undone = await anna.click(night, "Undo")
    assert len(undone.shown.pictures) == 1
    assert not undone.shown.flags & EPHEMERAL
    assert "Undo" in [b["label"] for b in undone.shown.buttons]

    larger = await anna.click(house, "Upscale")
    big = await deployment.drawn(larger.shown)
    assert big.pictures[0]["width"] == 2 * house.pictures[0]["width"]

    form = await anna.click(house, "Edit")
    edited = await anna.submit(form, instruction="make the tree yellow")
    assert "tree yellow" in (await deployment.drawn(edited.shown)).text

    details = await anna.click(house, "Details")
    assert details.shown.flags & EPHEMERAL
    assert "7" in details.shown.text

    refused = await anna.slash("imagine", prompt="one more")
    assert refused.shown.flags & EPHEMERAL
    assert "used up your credits" in refused.shown.text.lower()

    await admin.slash("studio doors", tier="plus", state="waitlist")
    await admin.slash("studio grant", member=anna.id, credits=3.0, why="test")
    refused = await anna.slash("imagine", prompt="one more")
    joined = await anna.click(refused.shown, "Join")
    assert "1st" in joined.shown.text
    await admin.slash("studio doors", tier="plus", state="open")

    form = await anna.click(house, "Again")
    again = await anna.submit(form, prompt="a red house left of a yellow tree")
    await deployment.drawn(again.shown)
    listed = await anna.slash("history")
    assert len(listed.shown.pictures) >= 8

    deleted = await anna.click(again.shown, "Delete")
    assert deleted.answer in {6, 7}, "no new message"
    await discord.until(lambda: again.shown.deleted or again.shown.pictures == [])


async def test_member_picks_models_of_other_servers_beside_postcard(
    deployment: Deployment,
) -> None:
    """Alike: order, cancelling and quota, for the three ways to draw."""
    anna, admin, discord = deployment.anna, deployment.admin, deployment.discord
    comfyui, openai = deployment.house.comfyui, deployment.house.openai
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="test")
    left = await credits_left(anna)

    for model in ("postcard", "comfy", "big"):
        ordered = await anna.slash("imagine", prompt="a red house", model=model, seed=7)
        drawn = await deployment.drawn(ordered.shown)
        assert (await anna.click(drawn, "Details")).shown.text.count(model)
        left -= 1
        assert await credits_left(anna) == left

    comfyui.pause()
    ordered = await anna.slash("imagine", prompt="a blue house", model="comfy")
    await discord.until(lambda: comfyui.running is not None)
    await anna.click(ordered.shown, "Cancel")
    await discord.until(lambda: "Nothing was charged" in ordered.shown.text)
    await discord.until(lambda: comfyui.running is None)
    assert len(comfyui.interrupts) == 1
    comfyui.release()

    openai.pause()
    ordered = await anna.slash("imagine", prompt="a blue house", model="big")
    await discord.until(lambda: openai.in_flight == 1)
    assert "step" not in ordered.shown.text  # that server tells none
    await anna.click(ordered.shown, "Cancel")
    await discord.until(lambda: "Nothing was charged" in ordered.shown.text)
    await discord.until(lambda: openai.asked[-1].disconnected)
    openai.release()

    assert await credits_left(anna) == left
    assert [asked.fields["size"] for asked in openai.asked] == ["64x64", "64x64"]
    refused = await anna.slash("imagine", prompt="a house", model="big", negative="trees")
    assert "takes no negative prompt" in refused.shown.text


async def credits_left(person: Person) -> float:
    """What `/quota` tells the member."""
    shown = (await person.slash("quota")).shown
    found = re.search(r"([\d.]+) of [\d.]+ credits", shown.text)
    assert found is not None, shown.text
    return float(found[1])


async def test_buttons_work_after_restart_of_the_bot(deployment: Deployment) -> None:
    anna, admin = deployment.anna, deployment.admin
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="test")
    before = await deployment.drawn((await anna.slash("imagine", prompt="a white cat")).shown)
    old = await asyncio.to_thread(deployment.processes.signal_child, "discord")
    sessions = len(deployment.discord.gateway.identifies)
    await asyncio.to_thread(deployment.processes.wait_restarted, "discord", old)
    await deployment.discord.until(lambda: len(deployment.discord.gateway.identifies) > sessions)
    pressed = await anna.click(before, "Vary")
    await deployment.drawn(pressed.shown)
    assert deployment.discord.rest.command_puts == 1


async def test_message_in_thread_edits_its_picture(deployment: Deployment) -> None:
    anna, admin, discord = deployment.anna, deployment.admin, deployment.discord
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="test")
    start = await deployment.drawn((await anna.slash("imagine", prompt="a green boat")).shown)
    thread = await discord.start_thread(start, "boat")
    asked = await anna.say("make the boat red", channel=thread)
    first = await deployment.drawn(await discord.until(lambda: anna.answer_to(asked)))
    assert "make the boat red" in first.text
    assert first.channel is thread


async def test_message_commands_accept_any_picture(deployment: Deployment) -> None:
    anna, admin, discord = deployment.anna, deployment.admin, deployment.discord
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="test")
    data = next(iter(discord.world.files.values()))
    posted = await anna.say("look", mention=False, files=(("a.png", data),))
    varied = await anna.use_on("Vary picture", posted)
    await deployment.drawn(varied.shown)
    form = await anna.use_on("Edit picture", posted)
    edited = await anna.submit(form, instruction="make it snow")
    await deployment.drawn(edited.shown)
    words = await anna.say("no picture here", mention=False)
    refused = await anna.use_on("Upscale picture", words)
    assert "Attach a picture" in refused.shown.text
    assert [m for m in anna.sees() if "didn’t work" in text_of(m.payload)] == []


async def test_worker_killed_while_posting_shows_the_picture_once(deployment: Deployment) -> None:
    """Discord accepts the result, but the worker is killed before it receives the response."""
    anna, admin, discord = deployment.anna, deployment.admin, deployment.discord
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="test")
    slow_edit = discord.faults.add("PATCH", "", "slow", seconds=5.0, words="atelier:reroll")
    asked = await anna.slash("imagine", prompt="a blue kite")
    await discord.until(lambda: slow_edit not in discord.faults.pending, 120)
    killed_at = await asyncio.to_thread(kill_worker, deployment.processes)
    shown = await deployment.drawn(asked.shown)
    job = newest_job(deployment.processes, f"discord:{EVENING}:{anna.id}")
    await discord.until(lambda: is_sent(deployment.processes, job))
    assert [m for m in anna.sees() if "a blue kite" in m.text] == [shown]
    assert len(shown.pictures) == 1
    assert_posted_again(deployment.processes, job, killed_at)
