"""Slash commands: one answer, visible to the right members, in the right language."""

from __future__ import annotations

import asyncio
import io
import random
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from PIL import Image

from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.policy.config import load
from tasks.runtime.blobs import Blobs, default_url, picture_name
from tasks.store import leases, transitions, waitlist
from tasks.store.database import Database
from tasks.store.transitions import Finished, NewPicture, Posted
from tasks.worker.process import lanes_of
from tests.platforms.discord import Person
from tests.platforms.discord.conftest import BotFixture, Running, running_bot
from tests.platforms.discord.world import COMPONENTS_V2, EPHEMERAL, components_of, text_of
from tests.stack import Servers

pytestmark = pytest.mark.asyncio(loop_scope="session")


def picture_file(colour: str = "red", side: int = 64) -> bytes:
    """A small picture file."""
    data = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(data, "PNG")
    return data.getvalue()


async def test_imagine_posts_one_public_placeholder_with_cancel_button(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    bela = bot.person("bela")
    asked = await anna.slash("imagine", prompt="a red house", aspect="16:9", count=2, seed=7)
    shown = asked.shown
    assert bela.sees() == [shown]
    assert "a red house" in shown.text
    assert [b["label"] for b in shown.buttons] == ["Cancel"]
    assert shown.flags & COMPONENTS_V2
    jobs = await bot.placed()
    assert [j.order.request.count for j in jobs] == [2]
    assert jobs[0].order.request.seed == 7
    assert jobs[0].placeholder["message"] == str(shown.id)


async def test_refusal_is_ephemeral(bot: BotFixture) -> None:
    free, other = bot.person("free"), bot.person("other")
    asked = await free.slash("imagine", prompt="two houses", count=2)
    assert asked.shown.flags & EPHEMERAL
    assert asked.shown in free.sees()
    assert asked.shown not in other.sees()
    assert "one picture at a time" in asked.shown.text
    assert await bot.waiting() == []


async def test_options_override_flags_in_the_prompt(bot: BotFixture) -> None:
    asked = await bot.person("anna", "pro").slash(
        "imagine", prompt="a house --ar 3:2 --seed 5", seed=6
    )
    jobs = await bot.waiting()
    request = jobs[0].order.request
    assert (request.prompt, request.seed) == ("a house", 6)
    assert request.width > request.height
    assert "--ar" not in asked.shown.text


async def test_french_locale_is_answered_in_french(bot: BotFixture) -> None:
    member = bot.person("amélie")
    member.user.locale = "fr"
    asked = await member.slash("queue")
    assert "Vous n’avez rien" in asked.shown.text
    assert asked.shown.flags & EPHEMERAL


async def test_commands_are_localised_and_registered_once(bot: BotFixture) -> None:
    commands = {c["name"]: c for c in bot.discord.world.commands}
    assert {
        "imagine", "edit", "vary", "upscale", "blend", "queue", "cancel", "quota", "history",
        "settings", "privacy", "waitlist", "help", "studio",
        "Edit picture", "Vary picture", "Upscale picture",
    } == set(commands)  # fmt: skip
    assert commands["imagine"]["name_localizations"] == {"fr": "imaginer"}
    assert commands["studio"]["contexts"] == [0]
    assert int(commands["studio"]["default_member_permissions"]) == 1 << 5
    assert bot.discord.rest.command_puts == 1
    await bot.running.stop()
    await bot.running.start()
    assert bot.discord.rest.command_puts == 1
    await bot.running.stop()
    bot.discord.world.commands.pop()
    await bot.running.start()
    assert bot.discord.rest.command_puts == 2
    assert len(bot.discord.world.commands) == len(commands)


async def test_account_commands_answer_ephemerally(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    for command in (
        "queue", "cancel", "quota", "history", "settings", "help", "privacy export",
        "privacy delete", "waitlist join", "waitlist leave", "waitlist status",
    ):  # fmt: skip
        asked = await anna.slash(command)
        assert asked.shown.flags & EPHEMERAL, command
        assert asked.shown.text, command


async def test_settings_become_defaults(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    await anna.slash("settings", aspect="9:16", count=3)
    await anna.slash("imagine", prompt="a tall tree")
    request = (await bot.waiting())[0].order.request
    assert request.height > request.width
    assert request.count == 3


async def test_cancel_button_cancels_job_and_updates_message(bot: BotFixture) -> None:
    anna, bela = bot.person("anna", "pro"), bot.person("bela")
    asked = await anna.slash("imagine", prompt="a red house")
    refused = await bela.click(asked.shown, "Cancel")
    assert refused.shown.flags & EPHEMERAL
    assert await bot.waiting() != []
    pressed = await anna.click(asked.shown, "Cancel")
    assert pressed.answer in {6, 7}, "no new message"
    await bot.discord.until(lambda: "Cancelled" in asked.shown.text)
    assert asked.shown.buttons == []
    assert await bot.waiting() == []


async def test_moderator_may_cancel_and_autocomplete_lists_jobs(bot: BotFixture) -> None:
    anna, mod = bot.person("anna", "pro"), bot.person("mod", "mod")
    asked = await anna.slash("imagine", prompt="a very red house")
    choices = await anna.complete("cancel", "job", "very")
    assert len(choices) == 1
    listed = await anna.slash("queue")
    assert choices[0]["value"] in listed.shown.text
    await mod.click(asked.shown, "Cancel")
    await bot.discord.until(lambda: "Cancelled" in asked.shown.text)


async def test_cancel_by_short_name(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    first = await anna.slash("imagine", prompt="one")
    second = await anna.slash("imagine", prompt="two")
    (choice,) = await anna.complete("cancel", "job", "one")
    await anna.slash("cancel", job=choice["value"])
    assert [j.order.request.prompt for j in await bot.waiting()] == ["two"]
    await bot.discord.until(lambda: "Cancelled" in first.shown.text)
    assert first.shown.buttons == []
    assert second.shown.buttons


async def test_new_role_and_subscription_take_effect_at_once(bot: BotFixture) -> None:
    member = bot.person("later")
    assert "one picture" in (await member.slash("imagine", prompt="x", count=2)).shown.text
    owner = Member("discord", str(bot.guild.id), "1", administrator=True)
    await bot.client.admin.map_role(owner, "sku:7001", Tier.PLUS)
    member.skus = [7001]
    assert not (await member.slash("imagine", prompt="x", count=2)).shown.flags & EPHEMERAL
    member.skus = []
    bot.guild.members[member.user.id].add(bot.roles["plus"])
    assert not (await member.slash("imagine", prompt="x", count=2)).shown.flags & EPHEMERAL


async def test_administrators_map_roles_to_tiers(bot: BotFixture) -> None:
    admin = bot.person("admin", "admin")
    role = bot.discord.add_role(bot.guild, "Patrons")
    set_ = await admin.slash("studio role", role=role, tier="team")
    assert set_.shown.flags & EPHEMERAL
    listed = await admin.slash("studio roles")
    assert str(role) in listed.shown.text
    patron = bot.discord.add_person(bot.guild, "patron", role)
    assert "Team" in (await patron.slash("quota")).shown.text
    await admin.slash("studio role", role=role, tier="none")
    assert "Free" in (await patron.slash("quota")).shown.text


async def test_administrators_configure_doors_words_blocks_and_grants(bot: BotFixture) -> None:
    admin, anna = bot.person("admin", "admin"), bot.person("anna", "pro")
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
    assert bot.person("nobody").permissions & (1 << 5) == 0


async def test_waitlist_refusal_has_join_button(bot: BotFixture) -> None:
    admin, free = bot.person("admin", "admin"), bot.person("free")
    await admin.slash("studio doors", tier="free", state="waitlist")
    refused = await free.slash("imagine", prompt="x")
    joined = await free.click(refused.shown, "Join")
    assert "1st" in joined.shown.text
    assert "1st" in (await free.slash("waitlist status")).shown.text
    await free.slash("waitlist leave")


async def test_repeated_interaction_creates_one_job_and_one_message(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="once")
    await anna.again(asked)
    await anna.slash("queue")
    assert len(await bot.waiting()) == 1
    assert len([r for r in bot.discord.requests if asked.token in r.path]) == 1
    assert len([m for m in anna.sees() if "once" in text_of(m.payload) and not m.audience]) == 1


async def test_privacy_delete_requires_confirmation(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("privacy delete")
    done = await anna.click(asked.shown, "Delete everything")
    assert "deleted" in done.shown.text
    exported = await anna.slash("privacy export")
    assert exported.shown.payload["attachments"][0]["filename"].endswith(".zip")


async def store_uploads(bot: BotFixture, person: Person, count: int) -> None:
    """Store uploads of 4 MB each."""
    member, made = Member("discord", str(bot.guild.id), person.id), random.Random(person.id)
    for _ in range(count):
        await bot.client.pictures.store_source(made.randbytes(4_000_000), member)


def archive_names(person: Person) -> list[str]:
    """The names of the export files that a member sees."""
    return [
        file["filename"]
        for message in person.sees()
        for file in message.payload.get("attachments", [])
        if file["filename"].startswith("atelier-export")
    ]


async def test_large_export_follows_in_numbered_private_files(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    await store_uploads(bot, anna, count=5)
    exported = await anna.slash("privacy export", accept_deferred=True)
    await bot.discord.until(lambda: len(archive_names(anna)) == 3)
    assert archive_names(anna) == [f"atelier-export-{number}.zip" for number in (1, 2, 3)]
    assert exported.shown.audience is anna.user
    followups = [m for m in anna.sees() if "of your data" in text_of(m.payload)]
    assert all(message.audience is anna.user for message in followups)
    assert "the last one" in text_of(followups[-1].payload)


async def test_files_are_downloaded_from_discord_only(bot: BotFixture) -> None:
    anna, discord = bot.person("anna", "pro"), bot.discord
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
        assert "uploaded here" in asked.shown.text, address
    broken = await anna.slash("edit", image=("a.png", b"no picture"), instruction="blue")
    assert "as a picture" in broken.shown.text


async def test_commands_work_in_direct_messages(bot: BotFixture) -> None:
    alone = bot.discord.add_person(None, "alone")
    asked = await alone.slash("imagine", prompt="a quiet lake")
    assert asked.shown.buttons
    assert "Free" in (await alone.slash("quota")).shown.text


async def test_bot_resumes_after_lost_gateway_connection(bot: BotFixture) -> None:
    anna, gateway = bot.person("anna", "pro"), bot.discord.gateway
    before = len(gateway.identifies)
    for disconnect in (gateway.drop, gateway.ask_reconnect):
        resumes = gateway.resumes
        await disconnect()
        asked = await anna.start("imagine", prompt="after a reconnect")
        await bot.discord.until(lambda asked=asked: asked.answer is not None)
        assert gateway.resumes == resumes + 1
    assert len(gateway.identifies) == before


async def test_file_over_the_operators_limit_is_refused(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("edit", image=("a.png", b"\0" * (2**21 + 1)), instruction="blue")
    assert "2 MiB" in asked.shown.text


async def test_server_limits_channels_and_makes_results_private(bot: BotFixture) -> None:
    admin, anna = bot.person("admin", "admin"), bot.person("anna", "pro")
    studio = await bot.discord.add_channel(bot.guild, "studio")
    first = next(iter(bot.guild.channels))
    await admin.slash("studio settings", channel=first)
    await admin.slash("studio settings", channel=studio.id, visibility="private")
    listed = await admin.slash("studio settings", channel=first)
    assert str(studio.id) in listed.shown.text
    assert str(first) not in listed.shown.text, "a listed channel is removed when it is named again"
    refused = await anna.slash("imagine", prompt="in the wrong channel")
    assert str(studio.id) in refused.shown.text
    asked = await anna.slash("imagine", studio, prompt="in the right channel")
    assert asked.shown.flags & EPHEMERAL
    assert [b["label"] for b in asked.shown.buttons] == ["Cancel"]
    (job,) = await bot.placed()
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
async def test_invited_member_is_notified_directly_or_in_channel(
    bot: BotFixture, closed: bool
) -> None:
    admin, free = bot.person("admin", "admin"), bot.person("free")
    free.user.dms_closed = closed
    await admin.slash("studio doors", tier="free", state="waitlist")
    refused = await free.slash("imagine", prompt="x")
    await free.click(refused.shown, "Join")
    url = bot.running.settings.database_url
    assert url is not None
    database = Database(url.get_secret_value())
    invite = partial(waitlist.invite, tier=Tier.FREE, batch=1, lasts=timedelta(minutes=30))
    await asyncio.to_thread(database.run, invite)
    database.close()
    direct = bot.discord.world.direct(free.user)
    there = free.channel if closed else direct

    def invitations() -> list[str]:
        return [m.text for m in free.sees(there) if "It’s your turn" in m.text]

    await bot.discord.until(lambda: bool(invitations()), 30)
    assert len(invitations()) == 1
    assert invitations()[0].startswith(f"<@{free.id}>") == closed
    if closed:
        (refused_direct,) = [
            call for call in bot.discord.invalid_requests if str(direct.id) in call.path
        ]
        bot.discord.requests.remove(refused_direct)  # expected


async def test_user_installed_app_works_in_any_server(bot: BotFixture) -> None:
    elsewhere = await bot.discord.add_guild("Elsewhere", bot=False)
    guest = bot.discord.add_person(elsewhere, "guest")
    asked = await guest.slash("imagine", prompt="a guest's house")
    assert "a guest's house" in asked.shown.text
    pressed = await guest.click(asked.shown, "Cancel")
    assert pressed.answer in {6, 7}, "no new message"
    await bot.discord.until(lambda: "Cancelled" in asked.shown.text)


def finish(bot: BotFixture, job: Job) -> None:
    """Deliver a job's picture as a worker would."""
    url = bot.running.settings.database_url
    assert url is not None
    blobs = Blobs(default_url(bot.running.settings.home))
    name = picture_name(job.id, job.id, 0, "image/png")
    blobs.put(name, picture_file())
    made = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, job.order.request.to_json())
    database, poster = Database(url.get_secret_value()), uuid4()
    with database.begin() as connection:
        lanes = lanes_of(load(bot.running.settings.config)).every
        lease = leases.lease(connection, "worker", lanes, [job.order.request.profile], 100)
        assert lease is not None
        assert lease.job.id == job.id
        transitions.mark_rendered(connection, [Finished(lease, [made], poster, 100)])
        posted = Posted(job.id, poster, str(job.placeholder["message"]))
        transitions.mark_delivered(connection, [posted])
    database.close()


async def reported_job(bot: BotFixture, owner: Person, reporter: Person) -> Job:
    """A delivered picture of the owner's that somebody has reported."""
    await owner.slash("imagine", prompt="a rude house")
    (job,) = await bot.placed()
    await asyncio.to_thread(finish, bot, job)
    member = Member("discord", str(bot.guild.id), reporter.id)
    await bot.client.reports.submit(job.id, member, "it is *rude*")
    return job


def direct_text(bot: BotFixture, person: Person) -> str:
    """The text of a member's direct messages."""
    return "\n".join(m.text for m in person.sees(bot.discord.world.direct(person.user)))


async def test_reports_are_listed_with_covered_picture_reason_and_buttons(bot: BotFixture) -> None:
    admin, anna = bot.person("admin", "admin"), bot.person("anna", "pro")
    assert "no open reports" in (await admin.slash("studio reports")).shown.text
    await reported_job(bot, anna, bot.person("bela"))
    listed = (await admin.slash("studio reports")).shown
    assert listed.flags & EPHEMERAL
    assert "a rude house" in listed.text
    assert r"it is \*rude\*" in listed.text
    assert [b["label"] for b in listed.buttons] == ["Keep", "Remove", "Remove and block"]
    assert [p["filename"].startswith("SPOILER_") for p in listed.pictures] == [True]


async def test_report_in_the_moderators_channel_is_decided_by_button(bot: BotFixture) -> None:
    admin, mod = bot.person("admin", "admin"), bot.person("mod", "mod")
    anna, bela = bot.person("anna", "pro"), bot.person("bela")
    channel = await bot.discord.add_channel(bot.guild, "moderators")
    await admin.slash("studio settings", reports_channel=channel.id)
    job = await reported_job(bot, anna, bela)
    (posted,) = await bot.discord.until(lambda: mod.sees(channel))
    gallery = [c for c in components_of(posted.payload["components"]) if c["type"] == 12]
    assert [item["spoiler"] for item in gallery[0]["items"]] == [True]
    refused = await bot.person("other", "pro").click(posted, "Keep")
    await bot.discord.until(lambda: refused.followups)
    assert "Only moderators" in refused.shown.text
    await mod.click(posted, "Remove and block")
    await bot.discord.until(lambda: posted.buttons == [])
    assert "is removed" in posted.text
    assert posted.pictures == []
    await bot.discord.until(lambda: "removed your picture" in direct_text(bot, anna), 60)
    original = bot.discord.world.message(int(job.placeholder["message"]))
    assert original is not None
    assert original.pictures == []
    assert "blocked" in (await anna.slash("imagine", prompt="again")).shown.text
    audit = (await admin.slash("studio audit")).shown.text
    assert r"report\-blocked" in audit or "report-blocked" in audit
