"""Messages that mention the bot, and those that do not."""

from __future__ import annotations

import pytest

from tests.platforms.discord import Person
from tests.platforms.discord.conftest import Room
from tests.platforms.discord.parcels import picture_file
from tests.platforms.discord.world import Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def heard(room: Room) -> None:
    """All that was written before this has been heard: a command that came after it is answered."""
    await room.person("somebody").slash("help")


async def answered(room: Room, message: Message) -> Message:
    """The bot's answer beside a message."""
    person = room.person("reader")
    found: Message = await room.discord.until(lambda: person.answer_to(message))
    return found


def direct(room: Room, person: Person) -> str:
    """What stands in a member's direct messages."""
    return "\n".join(m.text for m in person.sees(room.discord.world.direct(person.user)))


async def test_a_mention_is_a_prompt_with_flags(room: Room) -> None:
    anna = room.person("anna", "pro")
    asked = await anna.say("a red boat --ar 16:9 --count 2")
    shown = await answered(room, asked)
    assert [b["label"] for b in shown.buttons] == ["Cancel"]
    (job,) = await room.placed()
    assert job.order.request.count == 2
    assert job.placeholder["message"] == str(shown.id)


async def test_what_is_not_meant_for_the_bot_stays_unread(room: Room) -> None:
    anna = room.person("anna", "pro")
    await anna.say("a red boat", mention=False)
    await anna.say("", mention=True)
    await heard(room)
    assert await room.waiting() == []


async def test_a_mention_with_a_file_edits_it(room: Room) -> None:
    anna = room.person("anna", "pro")
    await answered(room, await anna.say("make it blue", files=(("a.png", picture_file()),)))
    (job,) = await room.placed()
    assert job.order.command == "edit"


async def test_a_reply_to_what_is_no_picture_is_told_so_in_private(room: Room) -> None:
    anna = room.person("anna", "pro")
    shown = (await anna.slash("imagine", prompt="still in line")).shown
    await anna.say("make it blue", reply_to=shown)
    await room.discord.until(lambda: "Add a picture" in direct(room, anna))
    await room.discord.delete_message(shown)
    await anna.say("make it green", reply_to=shown)
    await room.discord.until(lambda: direct(room, anna).count("Add a picture") == 2)
    assert len(await room.waiting()) == 1


async def test_a_refused_mention_is_told_in_private(room: Room) -> None:
    free = room.person("free")
    await free.say("two boats --count 2")
    await room.discord.until(lambda: "one picture at a time" in direct(room, free))
    assert await room.waiting() == []


async def test_where_results_are_private_only_commands_order_them(room: Room) -> None:
    admin, anna = room.person("admin", "admin"), room.person("anna", "pro")
    await admin.slash("studio settings", visibility="private")
    await anna.say("a secret boat")
    await room.discord.until(lambda: "not possible here" in direct(room, anna))
    await room.discord.until_some(lambda: _nobody_waits(room))


async def _nobody_waits(room: Room) -> bool:
    return not await room.waiting()


async def test_direct_messages_need_no_mention(room: Room) -> None:
    alone = room.discord.add_person(None, "alone")
    asked = await alone.say("a quiet lake", mention=False)
    shown = await room.discord.until(lambda: alone.answer_to(asked))
    assert "a quiet lake" in shown.text


async def test_a_server_that_hides_pictures_has_that_noted(room: Room) -> None:
    admin, anna = room.person("admin", "admin"), room.person("anna", "pro")
    await admin.slash("studio settings", nsfw="spoiler")
    await anna.slash("imagine", prompt="a boat")
    (job,) = await room.placed()
    assert job.placeholder["spoiler"] is True


async def test_a_thread_that_was_asleep_is_asked_for(room: Room) -> None:
    anna = room.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a boat")
    thread = await room.discord.start_thread(asked.shown, "asleep", told=False)
    first = await answered(room, await anna.say("a blue boat", room=thread))
    assert first.channel is thread
    job = next(j for j in await room.placed() if j.order.request.prompt == "a blue boat")
    assert job.order.place.thread == str(thread.id)
    assert job.order.place.channel == str(anna.room.id)
