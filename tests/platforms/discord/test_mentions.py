"""Messages that mention the bot, and messages that do not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platforms.discord import Person
from tests.platforms.discord.conftest import BotFixture
from tests.platforms.discord.job_builders import picture_file
from tests.platforms.discord.world import Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def flush_events(bot: BotFixture) -> None:
    """Wait until the bot has handled every earlier event, by answering a later command."""
    await bot.person("somebody").slash("help")


async def reply_to(bot: BotFixture, message: Message) -> Message:
    """The bot's reply to a message."""
    person = bot.person("reader")
    found: Message = await bot.discord.until(lambda: person.answer_to(message))
    return found


def direct_text(bot: BotFixture, person: Person) -> str:
    """The text of a member's direct messages."""
    return "\n".join(m.text for m in person.sees(bot.discord.world.direct(person.user)))


async def test_mention_is_a_prompt_with_flags(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.say("a red boat --ar 16:9 --count 2")
    shown = await reply_to(bot, asked)
    assert [b["label"] for b in shown.buttons] == ["Cancel"]
    (job,) = await bot.placed()
    assert job.order.request.count == 2
    assert job.placeholder["message"] == str(shown.id)


async def test_unaddressed_message_is_ignored(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    await anna.say("a red boat", mention=False)
    await anna.say("", mention=True)
    await flush_events(bot)
    assert await bot.waiting() == []


async def test_mention_with_file_edits_the_file(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    await reply_to(bot, await anna.say("make it blue", files=(("a.png", picture_file()),)))
    (job,) = await bot.placed()
    assert job.order.command == "edit"


async def test_mention_with_several_files_blends_all_of_them(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    files = (("a.png", picture_file()), ("b.png", picture_file()), ("c.png", picture_file()))
    await reply_to(bot, await anna.say("together --ar 1:1", files=files))
    (job,) = await bot.placed()
    assert (job.order.command, len(job.order.request.sources)) == ("blend", 3)


async def test_file_that_is_no_picture_is_refused_by_name(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    files = (("a.png", picture_file()), ("report.pdf", b"%PDF-1.7"))
    await anna.say("together", files=files)
    await bot.discord.until(lambda: "as a picture: report.pdf" in direct_text(bot, anna))
    await anna.say("all five", files=tuple((f"{n}.png", picture_file()) for n in range(5)))
    await bot.discord.until(lambda: "You sent 5 pictures" in direct_text(bot, anna))
    assert await bot.waiting() == []


async def test_one_of_several_pictures_must_be_chosen(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    files = (("a.png", picture_file()), ("b.png", picture_file()))
    posted = await anna.say("which one?", mention=False, files=files)
    await anna.say("make it blue", reply_to=posted)
    await bot.discord.until(lambda: "has 2 pictures" in direct_text(bot, anna))
    for command in ("Edit picture", "Vary picture", "Upscale picture"):
        refused = await anna.use_on(command, posted)
        assert "has 2 pictures" in refused.shown.text, command
    assert await bot.waiting() == []


async def test_reply_to_message_without_picture_is_refused_privately(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    shown = (await anna.slash("imagine", prompt="still in line")).shown
    await anna.say("make it blue", reply_to=shown)
    await bot.discord.until(lambda: "Attach a picture" in direct_text(bot, anna))
    await bot.discord.delete_message(shown)
    await anna.say("make it green", reply_to=shown)
    await bot.discord.until(lambda: direct_text(bot, anna).count("Attach a picture") == 2)
    assert len(await bot.waiting()) == 1


async def test_refused_mention_is_answered_privately(bot: BotFixture) -> None:
    free = bot.person("free")
    await free.say("two boats --count 2")
    await bot.discord.until(lambda: "one picture at a time" in direct_text(bot, free))
    assert await bot.waiting() == []


async def test_mention_is_refused_where_results_are_private(bot: BotFixture) -> None:
    admin, anna = bot.person("admin", "admin"), bot.person("anna", "pro")
    await admin.slash("studio settings", visibility="private")
    await anna.say("a secret boat")
    await bot.discord.until(lambda: "can’t be shown here" in direct_text(bot, anna))
    await bot.discord.until_async(lambda: _queue_is_empty(bot))


async def _queue_is_empty(bot: BotFixture) -> bool:
    return not await bot.waiting()


async def test_direct_message_needs_no_mention(bot: BotFixture) -> None:
    alone = bot.discord.add_person(None, "alone")
    asked = await alone.say("a quiet lake", mention=False)
    shown = await bot.discord.until(lambda: alone.answer_to(asked))
    assert "a quiet lake" in shown.text


async def test_spoiler_setting_is_recorded_with_the_placeholder(bot: BotFixture) -> None:
    admin, anna = bot.person("admin", "admin"), bot.person("anna", "pro")
    await admin.slash("studio settings", nsfw="spoiler")
    await anna.slash("imagine", prompt="a boat")
    (job,) = await bot.placed()
    assert job.placeholder["spoiler"] is True


async def test_uncached_thread_is_fetched(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a boat")
    thread = await bot.discord.start_thread(asked.shown, "asleep", notify=False)
    first = await reply_to(bot, await anna.say("a blue boat", channel=thread))
    assert first.channel is thread
    job = next(j for j in await bot.placed() if j.order.request.prompt == "a blue boat")
    assert job.order.place.thread == str(thread.id)
    assert job.order.place.channel == str(anna.channel.id)


LINK = "https://pictures.example/cat.png"
PREVIEW = {"type": "image", "url": LINK, "thumbnail": {"url": LINK, "width": 9, "height": 9}}


@pytest.mark.parametrize("embeds", [[], [PREVIEW]], ids=["no-preview", "preview"])
async def test_link_is_refused_with_or_without_cached_preview(
    bot: BotFixture, embeds: list[dict[str, Any]]
) -> None:
    anna = bot.person("anna", "pro")
    await anna.say(f"make it blue {LINK}", embeds=embeds)
    await bot.discord.until(lambda: "not links" in direct_text(bot, anna))
    assert await bot.waiting() == []


async def test_link_to_discords_own_file_is_edited(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    posted = await anna.say("", mention=False, files=(("a.png", picture_file()),))
    await reply_to(bot, await anna.say(f"make it blue {posted.pictures[0]['url']}"))
    (job,) = await bot.placed()
    assert (job.order.command, job.order.request.prompt) == ("edit", "make it blue")


async def test_typed_export_goes_to_direct_messages(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    await anna.say("privacy export")
    channel = bot.discord.world.direct(anna.user)
    await bot.discord.until(
        lambda: any(
            file["filename"] == "atelier-export.zip"
            for message in anna.sees(channel)
            for file in message.payload.get("attachments", [])
        )
    )
