"""Slash commands as members see them: one answer, to the right eyes, in the right language."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from PIL import Image

from tasks.members import Member
from tasks.store import waitlist
from tasks.store.database import Database
from tasks.tiers import Tier
from tests.platforms.discord.conftest import Room, Running, running_bot
from tests.platforms.discord.world import COMPONENTS_V2, EPHEMERAL, text_of
from tests.stack import Servers

pytestmark = pytest.mark.asyncio(loop_scope="session")


def picture_file(colour: str = "red", side: int = 64) -> bytes:
    """A small picture file."""
    data = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(data, "PNG")
    return data.getvalue()


async def test_imagine_shows_one_public_placeholder_with_a_cancel_button(room: Room) -> None:
    anna = room.person("anna", "pro")
    bela = room.person("bela")
    asked = await anna.slash("imagine", prompt="a red house", aspect="16:9", count=2, seed=7)
    shown = asked.shown
    assert bela.sees() == [shown]
    assert "a red house" in shown.text
    assert [b["label"] for b in shown.buttons] == ["Cancel"]
    assert shown.flags & COMPONENTS_V2
    jobs = await room.placed()
    assert [j.order.request.count for j in jobs] == [2]
    assert jobs[0].order.request.seed == 7
    assert jobs[0].placeholder["message"] == str(shown.id)


async def test_a_refusal_is_for_the_member_alone(room: Room) -> None:
    free, other = room.person("free"), room.person("other")
    asked = await free.slash("imagine", prompt="two houses", count=2)
    assert asked.shown.flags & EPHEMERAL
    assert asked.shown in free.sees()
    assert asked.shown not in other.sees()
    assert "one picture at a time" in asked.shown.text
    assert await room.waiting() == []


async def test_flags_in_a_prompt_work_and_options_win(room: Room) -> None:
    asked = await room.person("anna", "pro").slash(
        "imagine", prompt="a house --ar 3:2 --seed 5", seed=6
    )
    jobs = await room.waiting()
    request = jobs[0].order.request
    assert (request.prompt, request.seed) == ("a house", 6)
    assert request.width > request.height
    assert "--ar" not in asked.shown.text


async def test_a_french_member_is_answered_in_french(room: Room) -> None:
    member = room.person("amélie")
    member.user.locale = "fr"
    asked = await member.slash("queue")
    assert "Vous n’avez rien" in asked.shown.text
    assert asked.shown.flags & EPHEMERAL


async def test_commands_are_localised_and_sent_once_only(room: Room) -> None:
    commands = {c["name"]: c for c in room.discord.world.commands}
    assert {
        "imagine", "edit", "vary", "upscale", "blend", "queue", "cancel", "quota", "history",
        "settings", "privacy", "waitlist", "help", "studio",
        "Edit picture", "Vary picture", "Upscale picture",
    } == set(commands)  # fmt: skip
    assert commands["imagine"]["name_localizations"] == {"fr": "imaginer"}
    assert commands["studio"]["contexts"] == [0]
    assert int(commands["studio"]["default_member_permissions"]) == 1 << 5
    assert room.discord.rest.command_puts == 1
    await room.running.stop()
    await room.running.start()
    assert room.discord.rest.command_puts == 1
    await room.running.stop()
    room.discord.world.commands.pop()
    await room.running.start()
    assert room.discord.rest.command_puts == 2
    assert len(room.discord.world.commands) == len(commands)


async def test_every_account_command_answers_in_private(room: Room) -> None:
    anna = room.person("anna", "pro")
    for command in (
        "queue", "cancel", "quota", "history", "settings", "help", "privacy export",
        "privacy delete", "waitlist join", "waitlist leave", "waitlist status",
    ):  # fmt: skip
        asked = await anna.slash(command)
        assert asked.shown.flags & EPHEMERAL, command
        assert asked.shown.text, command


async def test_settings_become_defaults(room: Room) -> None:
    anna = room.person("anna", "pro")
    await anna.slash("settings", aspect="9:16", count=3)
    await anna.slash("imagine", prompt="a tall tree")
    request = (await room.waiting())[0].order.request
    assert request.height > request.width
    assert request.count == 3


async def test_cancel_by_button_ends_the_message_and_the_job(room: Room) -> None:
    anna, bela = room.person("anna", "pro"), room.person("bela")
    asked = await anna.slash("imagine", prompt="a red house")
    refused = await bela.click(asked.shown, "Cancel")
    assert refused.shown.flags & EPHEMERAL
    assert await room.waiting() != []
    pressed = await anna.click(asked.shown, "Cancel")
    assert pressed.answer in {6, 7}, "no new message"
    await room.discord.until(lambda: "Cancelled" in asked.shown.text)
    assert asked.shown.buttons == []
    assert await room.waiting() == []


async def test_a_moderator_may_cancel_and_the_queue_lists_with_autocomplete(room: Room) -> None:
    anna, mod = room.person("anna", "pro"), room.person("mod", "mod")
    asked = await anna.slash("imagine", prompt="a very red house")
    choices = await anna.complete("cancel", "job", "very")
    assert len(choices) == 1
    listed = await anna.slash("queue")
    assert choices[0]["value"] in listed.shown.text
    await mod.click(asked.shown, "Cancel")
    await room.discord.until(lambda: "Cancelled" in asked.shown.text)


async def test_cancel_by_name(room: Room) -> None:
    anna = room.person("anna", "pro")
    await anna.slash("imagine", prompt="one")
    second = await anna.slash("imagine", prompt="two")
    (choice,) = await anna.complete("cancel", "job", "one")
    await anna.slash("cancel", job=choice["value"])
    assert [j.order.request.prompt for j in await room.waiting()] == ["two"]
    assert second.shown.buttons


async def test_a_role_counts_at_once_and_premium_counts_too(room: Room) -> None:
    member = room.person("later")
    assert "one picture" in (await member.slash("imagine", prompt="x", count=2)).shown.text
    owner = Member("discord", str(room.guild.id), "1", administrator=True)
    await room.client.map_role(owner, "sku:7001", Tier.PLUS)
    member.skus = [7001]
    assert not (await member.slash("imagine", prompt="x", count=2)).shown.flags & EPHEMERAL
    member.skus = []
    room.guild.members[member.user.id].add(room.roles["plus"])
    assert not (await member.slash("imagine", prompt="x", count=2)).shown.flags & EPHEMERAL


async def test_administrators_map_roles_and_others_may_not(room: Room) -> None:
    admin = room.person("admin", "admin")
    role = room.discord.add_role(room.guild, "Patrons")
    set_ = await admin.slash("studio role", role=role, tier="team")
    assert set_.shown.flags & EPHEMERAL
    listed = await admin.slash("studio roles")
    assert str(role) in listed.shown.text
    patron = room.discord.add_person(room.guild, "patron", role)
    assert "Team" in (await patron.slash("quota")).shown.text
    await admin.slash("studio role", role=role, tier="none")
    assert "Free" in (await patron.slash("quota")).shown.text


async def test_administrators_run_the_studio(room: Room) -> None:
    admin, anna = room.person("admin", "admin"), room.person("anna", "pro")
    await admin.slash("studio doors", tier="pro", state="closed")
    assert "closed" in (await anna.slash("imagine", prompt="x")).shown.text
    await admin.slash("studio doors", tier="pro", state="open")
    await admin.slash("studio words", words="gore, war")
    assert "gore" in (await anna.slash("imagine", prompt="a gore")).shown.text
    assert "war" in (await admin.slash("studio words", trial="the war")).shown.text
    await admin.slash("studio block", member=anna.id)
    assert "blocked" in (await anna.slash("imagine", prompt="y")).shown.text
    await admin.slash("studio block", member=anna.id, blocked=False)
    await admin.slash("studio grant", member=anna.id, credits=5.0, why="thanks")
    await admin.slash("studio settings", largest_megapixels=0.2)
    capacity = (await admin.slash("studio capacity")).shown
    assert capacity.flags & EPHEMERAL
    assert capacity.pictures[0]["width"] > 500
    audit = (await admin.slash("studio audit")).shown.text
    assert "block" in audit
    assert room.person("nobody").permissions & (1 << 5) == 0


async def test_waitlist_offers_itself(room: Room) -> None:
    admin, free = room.person("admin", "admin"), room.person("free")
    await admin.slash("studio doors", tier="free", state="waitlist")
    refused = await free.slash("imagine", prompt="x")
    joined = await free.click(refused.shown, "Join")
    assert "1st" in joined.shown.text
    assert "1st" in (await free.slash("waitlist status")).shown.text
    await free.slash("waitlist leave")


async def test_an_interaction_sent_twice_is_one_job_and_one_message(room: Room) -> None:
    anna = room.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="once")
    await anna.again(asked)
    await anna.slash("queue")
    assert len(await room.waiting()) == 1
    assert len([r for r in room.discord.requests if asked.token in r.path]) == 1
    assert len([m for m in anna.sees() if "once" in text_of(m.payload) and not m.audience]) == 1


async def test_privacy_delete_asks_first(room: Room) -> None:
    anna = room.person("anna", "pro")
    asked = await anna.slash("privacy delete")
    done = await anna.click(asked.shown, "Delete everything")
    assert "deleted" in done.shown.text
    exported = await anna.slash("privacy export")
    assert exported.shown.payload["attachments"][0]["filename"].endswith(".zip")


async def test_files_come_from_discord_and_nowhere_else(room: Room) -> None:
    anna, discord = room.person("anna", "pro"), room.discord
    good = await anna.slash("edit", image=("a.png", picture_file()), instruction="make it blue")
    assert not good.shown.flags & EPHEMERAL
    path = next(iter(discord.world.files))
    for address in (
        "http://127.0.0.1:1/attachments/1/2/a.png",
        f"{discord.origin}@evil.example/a.png",
        "file:///etc/passwd",
        f"{discord.origin}/moved{path.removeprefix('/attachments')}?hm=1",
    ):
        stored = {"id": "5", "filename": "a.png", "size": 9, "url": address,
                  "proxy_url": address, "content_type": "image/png"}  # fmt: skip
        asked = await anna.slash("edit", image=stored, instruction="make it blue")
        assert asked.shown.flags & EPHEMERAL, address
        assert "sent here" in asked.shown.text, address
    broken = await anna.slash("edit", image=("a.png", b"no picture"), instruction="blue")
    assert "not a picture" in broken.shown.text


async def test_direct_messages_work_too(room: Room) -> None:
    alone = room.discord.add_person(None, "alone")
    asked = await alone.slash("imagine", prompt="a quiet lake")
    assert asked.shown.buttons
    assert "Free" in (await alone.slash("quota")).shown.text


async def test_the_room_outlives_a_lost_gateway(room: Room) -> None:
    anna, gateway = room.person("anna", "pro"), room.discord.gateway
    before = len(gateway.identifies)
    for trouble in (gateway.drop, gateway.ask_reconnect):
        resumes = gateway.resumes
        await trouble()
        asked = await anna.start("imagine", prompt="after trouble")
        await room.discord.until(lambda asked=asked: asked.answer is not None)
        assert gateway.resumes == resumes + 1
    assert len(gateway.identifies) == before


async def test_a_server_may_keep_to_some_channels_and_make_results_private(room: Room) -> None:
    admin, anna = room.person("admin", "admin"), room.person("anna", "pro")
    studio = await room.discord.add_channel(room.guild, "studio")
    first = next(iter(room.guild.channels))
    await admin.slash("studio settings", channel=first)
    await admin.slash("studio settings", channel=studio.id, visibility="private")
    both = await admin.slash("studio settings", channel=first)
    assert str(studio.id) in both.shown.text
    assert str(first) not in both.shown.text, "named again, it comes off the list"
    refused = await anna.slash("imagine", prompt="in the wrong room")
    assert str(studio.id) in refused.shown.text
    asked = await anna.slash("imagine", studio, prompt="in the right room")
    assert asked.shown.flags & EPHEMERAL
    assert [b["label"] for b in asked.shown.buttons] == ["Cancel"]
    (job,) = await room.placed()
    assert job.order.private
    assert job.placeholder["private"] is True


async def test_two_processes_share_the_shards(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    async with running_bot(servers, folder, discord_shards="0/2") as first:
        discord = first.discord
        second = Running(discord, first.settings.model_copy(update={"discord_shards": "1/2"}),
                         first.client)  # fmt: skip
        await second.start()
        assert sorted(tuple(i["shard"]) for i in discord.gateway.identifies) == [(0, 2), (1, 2)]
        for number in (4 << 22, 5 << 22):
            guild = await discord.add_guild(number=number)
            person = discord.add_person(guild, f"member of {number}")
            asked = await person.slash("quota")
            assert asked.shown.text
        alone = discord.add_person(None, "alone")
        assert (await alone.slash("quota")).shown.text
        answered = [r for r in discord.requests if r.path.endswith("/callback")]
        assert len(answered) == 3
        await second.stop()


@pytest.mark.parametrize("closed", [False, True])
async def test_an_invited_member_is_told_in_person_or_where_they_asked(
    room: Room, closed: bool
) -> None:
    admin, free = room.person("admin", "admin"), room.person("free")
    free.user.dms_closed = closed
    await admin.slash("studio doors", tier="free", state="waitlist")
    refused = await free.slash("imagine", prompt="x")
    await free.click(refused.shown, "Join")
    url = room.running.settings.database_url
    assert url is not None
    record = Database(url.get_secret_value())
    record.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(minutes=30)))
    record.close()
    direct = room.discord.world.direct(free.user)
    there = free.room if closed else direct

    def told() -> list[str]:
        return [m.text for m in free.sees(there) if "It is your turn" in m.text]

    await room.discord.until(lambda: bool(told()), 30)
    assert len(told()) == 1
    assert told()[0].startswith(f"<@{free.id}>") == closed
    if closed:
        (no,) = [call for call in room.discord.invalid_requests if str(direct.id) in call.path]
        room.discord.requests.remove(no)  # which was to be


async def test_who_installed_the_app_for_themselves_uses_it_anywhere(room: Room) -> None:
    elsewhere = await room.discord.add_guild("Elsewhere", bot=False)
    guest = room.discord.add_person(elsewhere, "guest")
    asked = await guest.slash("imagine", prompt="a guest's house")
    assert "a guest's house" in asked.shown.text
    pressed = await guest.click(asked.shown, "Cancel")
    assert pressed.answer in {6, 7}, "no new message"
    await room.discord.until(lambda: "Cancelled" in asked.shown.text)
