"""A member's whole evening, with bot, worker and all the rest as `atelier up` runs them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.platforms.conftest import House
from tests.platforms.discord import LoopbackDiscord, Person
from tests.platforms.discord.conftest import EVENING, PLUS
from tests.platforms.discord.people import ADMINISTRATOR
from tests.platforms.discord.world import EPHEMERAL, Message, text_of
from tests.platforms.kills import assert_posted_again, is_sent, kill_worker, newest_job
from tests.stack import Studio

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADMIN = 9_000_000_000_000_000_002


@dataclass
class Town:
    """A Discord with a whole studio behind its bot."""

    discord: LoopbackDiscord
    studio: Studio
    anna: Person
    admin: Person

    async def drawn(self, message: Message, pictures: int = 1) -> Message:
        """The message once it is a result, with so many pictures and no trace of the wait."""
        await self.discord.until(lambda: self._finished(message), 120)
        assert len(message.pictures) == pictures, message.text
        labels = [b["label"] for b in message.buttons]
        assert "Cancel" not in labels
        assert "Again" in labels
        assert "▱" not in message.text
        self.unspoilt(message)
        return message

    def unspoilt(self, message: Message) -> None:
        """Once a result, always a result: nothing was written over it."""
        states = [bool(p.get("attachments")) for _, p in message.versions]
        final = [i for i, p in enumerate(message.versions) if "Again" in _labels(p[1])]
        assert all(states[final[0] :]), message.versions

    def _finished(self, message: Message) -> bool:
        return "Again" in _labels(message.payload) or "did not work" in message.text


def _labels(payload: dict[str, object]) -> str:
    return repr(payload.get("components"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(house: House) -> Town:
    """Everything running, with one member on Plus and one administrator."""
    discord = house.discord
    guild = await discord.add_guild(number=EVENING)
    discord.add_role(guild, "Plus", number=PLUS)
    discord.add_role(guild, "Admin", ADMINISTRATOR, ADMIN)
    anna, admin = discord.add_person(guild, "anna", PLUS), discord.add_person(guild, "admin", ADMIN)
    return Town(discord, house.studio, anna, admin)


async def test_a_members_whole_evening(town: Town) -> None:
    anna, admin, discord = town.anna, town.admin, town.discord

    first = await anna.slash("imagine", prompt="a red house left of a green tree", seed=7)
    assert "Cancel" in _labels(first.shown.versions[0][1])
    house = await town.drawn(first.shown)

    file = discord.world.files[house.pictures[0]["url"].split("?")[0].removeprefix(discord.origin)]
    variants = await anna.slash("vary", image=("house.png", file), strength=0.6, count=4)
    await town.drawn(variants.shown, 4)

    asked = await anna.say("make the house blue", reply_to=house)
    blue = await town.drawn(await discord.until(lambda: anna.answer_to(asked)))
    asked = await anna.say("make it night", reply_to=blue)
    night = await town.drawn(await discord.until(lambda: anna.answer_to(asked)))
    assert "make it night" in night.text

    asked = await anna.say("undo", reply_to=night)
    spoken = await discord.until(lambda: anna.answer_to(asked))
    assert "Undo" in [b["label"] for b in spoken.buttons], "the blue one can be undone as well"

    undone = await anna.click(night, "Undo")
    assert len(undone.shown.pictures) == 1
    assert not undone.shown.flags & EPHEMERAL
    assert "Undo" in [b["label"] for b in undone.shown.buttons]

    larger = await anna.click(house, "Upscale")
    big = await town.drawn(larger.shown)
    assert big.pictures[0]["width"] == 2 * house.pictures[0]["width"]

    form = await anna.click(house, "Edit")
    edited = await anna.submit(form, instruction="make the tree yellow")
    assert "tree yellow" in (await town.drawn(edited.shown)).text

    details = await anna.click(house, "Details")
    assert details.shown.flags & EPHEMERAL
    assert "7" in details.shown.text

    refused = await anna.slash("imagine", prompt="one more")
    assert refused.shown.flags & EPHEMERAL
    assert "quota" in refused.shown.text.lower()

    await admin.slash("studio doors", tier="plus", state="waitlist")
    await admin.slash("studio grant", member=anna.id, credits=3.0, why="a long evening")
    refused = await anna.slash("imagine", prompt="one more")
    joined = await anna.click(refused.shown, "Join")
    assert "1st" in joined.shown.text
    await admin.slash("studio doors", tier="plus", state="open")

    form = await anna.click(house, "Again")
    again = await anna.submit(form, prompt="a red house left of a yellow tree")
    await town.drawn(again.shown)
    listed = await anna.slash("history")
    assert len(listed.shown.pictures) >= 8

    deleted = await anna.click(again.shown, "Delete")
    assert deleted.answer in {6, 7}, "no new message"
    await discord.until(lambda: again.shown.pictures == [])


async def test_everything_works_after_a_restart_of_the_bot(town: Town) -> None:
    anna, admin = town.anna, town.admin
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="again")
    before = await town.drawn((await anna.slash("imagine", prompt="a white cat")).shown)
    old = await asyncio.to_thread(town.studio.signal_child, "discord")
    sessions = len(town.discord.gateway.identifies)
    await asyncio.to_thread(town.studio.wait_restarted, "discord", old)
    await town.discord.until(lambda: len(town.discord.gateway.identifies) > sessions)
    pressed = await anna.click(before, "Vary")
    await town.drawn(pressed.shown)
    assert town.discord.rest.command_puts == 1


async def test_a_thread_goes_on_with_its_picture(town: Town) -> None:
    anna, admin, discord = town.anna, town.admin, town.discord
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="again")
    start = await town.drawn((await anna.slash("imagine", prompt="a green boat")).shown)
    thread = await discord.start_thread(start, "boat")
    asked = await anna.say("make the boat red", room=thread)
    first = await town.drawn(await discord.until(lambda: anna.answer_to(asked)))
    assert "make the boat red" in first.text
    assert first.channel is thread


async def test_message_commands_take_any_picture(town: Town) -> None:
    anna, admin, discord = town.anna, town.admin, town.discord
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="again")
    data = next(iter(discord.world.files.values()))
    posted = await anna.say("look", mention=False, files=(("a.png", data),))
    varied = await anna.use_on("Vary picture", posted)
    await town.drawn(varied.shown)
    form = await anna.use_on("Edit picture", posted)
    edited = await anna.submit(form, instruction="make it snow")
    await town.drawn(edited.shown)
    words = await anna.say("no picture here", mention=False)
    refused = await anna.use_on("Upscale picture", words)
    assert "Add a picture" in refused.shown.text
    assert [m for m in anna.sees() if "did not work" in text_of(m.payload)] == []


async def test_a_worker_killed_while_it_posts_shows_the_picture_once(town: Town) -> None:
    """Discord takes the result, but the worker dies before it hears of that."""
    anna, admin, discord = town.anna, town.admin, town.discord
    await admin.slash("studio grant", member=anna.id, credits=9.0, why="again")
    held_up = discord.faults.add("PATCH", "", "slow", seconds=1.0, words="atelier:reroll")
    asked = await anna.slash("imagine", prompt="a blue kite")
    await discord.until(lambda: held_up not in discord.faults.pending, 120)
    await asyncio.to_thread(kill_worker, town.studio)
    shown = await town.drawn(asked.shown)
    job = newest_job(town.studio, f"discord:{EVENING}:{anna.id}")
    await discord.until(lambda: is_sent(town.studio, job))
    assert [m for m in anna.sees() if "a blue kite" in m.text] == [shown]
    assert len(shown.pictures) == 1
    assert_posted_again(town.studio, job)
