"""The real bolt app over Socket Mode with a real worker."""

from __future__ import annotations

import asyncio
import json
import random
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest

from tasks.client import connect
from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.store import waitlist
from tasks.store.database import Database
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import ADMIN, PLUS_GROUP, PRO_GROUP, TEAM, SlackStack
from tests.platforms.slack.delivery_builders import png
from tests.platforms.slack.faults import refused, slow
from tests.platforms.slack.member import Attached, Person, labels, read
from tests.platforms.slack.scenario import pictures_of, run_scenario, size, wait_for_ephemeral
from tests.platforms.slack.world import Message
from tests.unit.test_how_tos import blocks

FLAGS = "a red house --ar 16:9 --count 2 --seed 7 --no trees"


@pytest.fixture(autouse=True)
def no_violations(slack_stack: SlackStack) -> Iterator[None]:
    """Fail where a call violated the published methods or an acknowledgement was late."""
    late, overruns = slack_stack.slack.sockets.late, len(slack_stack.slack.overruns)
    yield
    slack_stack.slack.faults.clear()
    assert slack_stack.slack.violations == []
    assert slack_stack.slack.overruns[overruns:] == []
    assert slack_stack.slack.sockets.late == late
    slack_stack.slack.reset_rates()


def direct_messages(slack_stack: SlackStack, person: Person, count: int) -> list[Message]:
    """Wait for this many direct messages to the member; the messages."""
    channel = slack_stack.slack.workspaces[TEAM].dm(person.user)

    def look() -> list[Message] | None:
        found = [m for m in channel.messages.values() if m.bot]
        return found if len(found) >= count else None

    return slack_stack.slack.until(f"{count} direct messages", look, 40)


def test_scenario_over_socket_mode(slack_stack: SlackStack) -> None:
    run_scenario(slack_stack, "scenario")


def test_flags_are_applied(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("flags", groups=(PLUS_GROUP,)),
        slack_stack.channel("flags"),
    )
    message = pictures_of(slack_stack, person, channel, person.mention(channel, FLAGS), 1, 2)
    width, height = size(person.pictures(message)[0])
    assert abs(width / height - 16 / 9) < 0.15
    person.press(message, "Details")
    text = wait_for_ephemeral(slack_stack, person, "Seed")
    assert "7, 8" in text
    assert "trees" in text
    refused = person.mention(channel, "a house --ar 5:1")
    assert "5:1" in wait_for_ephemeral(slack_stack, person, "isn’t a valid aspect ratio")
    assert person.answers(channel, refused) == []


def test_echoed_text_pings_nobody(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("loud", groups=(PRO_GROUP,)),
        slack_stack.channel("loud"),
    )
    mentions = (
        "a sign: &lt;!channel&gt; <!everyone> <!here> <@U0BORIS000> <!subteam^S0PLUS0000> &amp; *b*"
    )
    root = person.mention(channel, mentions)
    message = pictures_of(slack_stack, person, channel, root, 1, 1)
    assert "<!channel> @everyone @here" in read(message.text, message.blocks)
    person.press(message, "Details")
    person.command("/atelier", "queue", channel)
    person.command("/atelier", "history", channel)
    person.command("/atelier", f"cancel {mentions}", channel)
    person.press(message, "Again")
    view = slack_stack.slack.until("a modal", lambda: modal(person, "Again"))
    person.submit(view, {"prompt": "no <!channel> <@U0BORIS000>"})
    again = pictures_of(slack_stack, person, channel, root, 2, 1)
    person.open_home()
    slack_stack.slack.until("the Home tab", lambda: person.user in person.workspace.homes)
    for shown in (message, again):
        assert all(rules.pings(text, []) == [] for text, _ in shown.revisions)
        assert all(rules.pings("", blocks) == [] for _, blocks in shown.revisions)
    for text in person.ephemeral_messages():
        assert rules.pings(text.text, []) == rules.pings("", text.blocks) == []
    assert rules.pings("", person.workspace.homes[person.user].body["blocks"]) == []


def modal(person: Person, title: str):  # type: ignore[no-untyped-def]
    """The open modal with this title, or None."""
    try:
        return person.modal(title)
    except AssertionError:
        return None


def test_guides_first_prompt_is_answered_in_a_thread(slack_stack: SlackStack) -> None:
    (line,) = (
        line
        for block in blocks("")
        if block.guide.endswith("slack.md")
        for line in block.lines
        if line.startswith("@Atelier")
    )
    person, channel = slack_stack.new_member("reader"), slack_stack.channel("reader")
    root = person.mention(channel, line.removeprefix("@Atelier "))
    message = pictures_of(slack_stack, person, channel, root, 1, 1)
    width, height = size(person.pictures(message)[0])
    assert width > height
    changed = slack_stack.new_member("designer", groups=(PLUS_GROUP,))
    first = changed.mention(channel, line.removeprefix("@Atelier "))
    pictures_of(slack_stack, changed, channel, first, 1, 1)
    changed.mention(channel, "make the house blue", thread=first)
    pictures_of(slack_stack, changed, channel, first, 2, 1)


def test_sent_picture_is_edited(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("sender", groups=(PLUS_GROUP,)),
        slack_stack.channel("sender"),
    )
    sent = Attached("mine.png", png("red"))
    root = person.mention(channel, "make it blue", files=[sent])
    pictures_of(slack_stack, person, channel, root, 1, 1)
    wrong = person.mention(channel, "make it blue", files=[Attached("notes.png", b"no picture")])
    wait_for_ephemeral(slack_stack, person, "can’t read that file as a picture: notes.png")
    assert person.answers(channel, wrong) == []
    four = [Attached(f"{number}.png", png("red")) for number in range(4)]
    person.mention(channel, "together", files=[*four, Attached("report.pdf", b"%PDF-1.7")])
    wait_for_ephemeral(slack_stack, person, "as a picture: report.pdf")
    person.mention(channel, "together", files=[*four, sent])
    wait_for_ephemeral(slack_stack, person, "You sent 5 pictures")
    event = person.write(channel, "<@U0BOT00000> make it blue", None, [sent])
    elsewhere = "http://169.254.169.254/latest/meta-data"
    event["files"][0] |= {"url_private": elsewhere, "url_private_download": elsewhere}
    person.send_event(event | {"type": "app_mention"})
    wait_for_ephemeral(slack_stack, person, "links to other sites")


def test_instruction_in_the_channel_asks_which_picture_is_meant(slack_stack: SlackStack) -> None:
    person = slack_stack.new_member("asked", groups=(PLUS_GROUP,))
    channel = slack_stack.channel("asked")
    root = person.mention(channel, "a red house --seed 7")
    first = pictures_of(slack_stack, person, channel, root, 1, 1)
    person.mention(channel, "make the house blue")
    wait_for_ephemeral(slack_stack, person, "a red house")
    person.press_ephemeral(person.ephemeral_messages()[-1], "Edit that picture")
    messages = person.workspace.channels[channel].messages
    edited = slack_stack.slack.until(
        "the edited picture",
        lambda: next(
            (m for m in messages.values() if m.ts != first.ts and person.pictures(m)), None
        ),
        60.0,
    )
    assert person.pictures(edited) != person.pictures(first)


def test_forms_understand_flags_and_show_what_is_wrong(slack_stack: SlackStack) -> None:
    person = slack_stack.new_member("forms", groups=(PLUS_GROUP,))
    channel = slack_stack.channel("forms")
    root = person.mention(channel, "a yellow cat")
    message = pictures_of(slack_stack, person, channel, root, 1, 1)
    person.press(message, "Edit")
    view = slack_stack.slack.until("a modal", lambda: modal(person, "Edit"))
    wrong = person.submit(view, {"prompt": "make the cat blue --ar 99:1"})
    assert "99:1" in json.dumps(wrong.answer)
    person.submit(view, {"prompt": "make the cat blue --count 2"})
    pictures_of(slack_stack, person, channel, root, 2, 2)


def test_message_shortcuts(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("shorty", groups=(PLUS_GROUP,)),
        slack_stack.channel("shorty"),
    )
    root = person.mention(channel, "a yellow cat --seed 3")
    message = pictures_of(slack_stack, person, channel, root, 1, 1)
    person.message_shortcut(message, "atelier_vary")
    pictures_of(slack_stack, person, channel, root, 2, 1)
    person.message_shortcut(message, "atelier_edit")
    view = slack_stack.slack.until("a modal", lambda: modal(person, "Edit"))
    person.submit(view, {"prompt": "make the cat blue"})
    pictures_of(slack_stack, person, channel, root, 3, 1)
    to_plain_text = person.write(channel, "no picture here", None)
    person.message_shortcut(
        person.workspace.channels[channel].messages[to_plain_text["ts"]], "atelier_edit"
    )
    wait_for_ephemeral(slack_stack, person, "Attach a picture")
    two = [Attached(f"{number}.png", png("red")) for number in range(2)]
    several = person.write(channel, "which one?", None, files=two)
    person.message_shortcut(
        person.workspace.channels[channel].messages[several["ts"]], "atelier_vary"
    )
    wait_for_ephemeral(slack_stack, person, "has 2 pictures")


def test_composer(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("composer"), slack_stack.channel("composer")
    person.shortcut("atelier_compose")
    view = slack_stack.slack.until("a modal", lambda: modal(person, "New picture"))
    wrong = person.submit(view, {"prompt": "a boat --ar 9:1", "where": channel})
    assert "9:1" in json.dumps(wrong.answer)
    right = {"prompt": "a blue boat", "aspect": "3:2", "where": channel}
    person.submit(view, right)
    person.submit(view, right)  # pressed twice
    message = slack_stack.slack.until(
        "the picture",
        lambda: next((m for m in person.workspace.channels[channel].messages.values()
                      if person.pictures(m)), None),
    )  # fmt: skip
    assert size(person.pictures(message)[0])[0] > size(person.pictures(message)[0])[1]
    bots = [m for m in person.workspace.channels[channel].messages.values() if m.bot]
    assert len(bots) == 1


def test_slash_command_starts_a_thread(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("slash", groups=(PLUS_GROUP,)),
        slack_stack.channel("slash"),
    )
    person.command("/imagine", "a red boat", channel)
    first = slack_stack.slack.until(
        "the picture",
        lambda: next((m for m in person.workspace.channels[channel].messages.values()
                      if person.pictures(m)), None),
    )  # fmt: skip
    person.mention(channel, "make the boat green", thread=first.ts)
    pictures_of(slack_stack, person, channel, first.ts, 1, 1)


def test_direct_messages_have_suggested_prompts_and_a_status(slack_stack: SlackStack) -> None:
    person = slack_stack.new_member("direct")
    workspace = person.workspace
    dm = workspace.dm(person.user)
    root = person.direct("a green tree at night")
    pictures_of(slack_stack, person, dm.id, root, 1, 1)
    opened = {"type": "app_home_opened", "user": person.user, "channel": dm.id, "tab": "messages"}
    workspace.prompts.clear()
    person.send_event(opened | {"event_ts": slack_stack.slack.clock.ts()})
    slack_stack.slack.until("suggested prompts", lambda: len(workspace.prompts) == 3)
    second = person.direct("a red moon")
    pictures_of(slack_stack, person, dm.id, second, 1, 1)
    slack_stack.slack.until(
        "the status is cleared",
        lambda: [s for _, t, s in workspace.statuses if t == second][-1:] == [""],
    )
    assert any(s for _, t, s in workspace.statuses if t == second)


def test_home_tab(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("homely", groups=(PLUS_GROUP,)),
        slack_stack.channel("homely"),
    )
    root = person.mention(channel, "a red balloon")
    pictures_of(slack_stack, person, channel, root, 1, 1)
    person.open_home()

    def home_text() -> str | None:
        home = person.workspace.homes.get(person.user)
        return rules.words(home.body["blocks"]) if home else None

    text = slack_stack.slack.until("the Home tab", home_text)
    assert "a red balloon" in text
    assert "Plus" in text
    assert "▰" in text
    assert "administrators" not in text
    blocks = person.workspace.homes[person.user].body["blocks"]
    assert len(rules.shown_files(blocks)) == 1
    person.press_home("Vary")
    (message,) = direct_messages(slack_stack, person, 1)
    slack_stack.slack.until("its picture", lambda: person.pictures(message))
    admin = slack_stack.person(ADMIN)
    admin.open_home()
    slack_stack.slack.until("the administrator's Home tab", lambda: ADMIN in person.workspace.homes)
    assert "administrators" in rules.words(person.workspace.homes[ADMIN].body["blocks"])


def test_account_replies_are_ephemeral(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("private"), slack_stack.channel("private")
    for words, text in (
        ("queue", "nothing in line"),
        ("quota", "3 of 3 credits"),
        ("history", "haven’t made any pictures yet"),
        ("settings aspect=3:2", "Saved"),
        ("waitlist status", "not on the waitlist"),
        ("help", "What you can do"),
        ("dance", "don’t know the command “dance”"),
        ("studio capacity", "Only administrators"),
        ("privacy delete", "Are you sure"),
    ):
        person.command("/atelier", words, channel)
        wait_for_ephemeral(slack_stack, person, text)
    assert [m for m in person.workspace.channels[channel].messages.values() if m.bot] == []
    person.press_ephemeral(person.ephemeral_messages()[-1], "Delete everything")
    wait_for_ephemeral(slack_stack, person, "have been deleted")


def test_file_over_the_operators_limit_is_refused(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("large", groups=(PLUS_GROUP,)),
        slack_stack.channel("large"),
    )
    person.mention(channel, "make it blue", files=[Attached("a.png", png("red") + bytes(2**21))])
    wait_for_ephemeral(slack_stack, person, "2 MiB")


def test_privacy_export_sends_a_file(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("export"), slack_stack.channel("export")
    person.command("/atelier", "privacy export", channel)
    _, message = direct_messages(slack_stack, person, 2)
    file = person.workspace.files[message.files[0]]
    assert zipfile.ZipFile(BytesIO(file.data)).namelist()


def test_large_export_is_sent_as_numbered_files(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("hoarder"), slack_stack.channel("hoarder")

    async def store_uploads() -> None:
        client, made = await connect(slack_stack.atelier.settings), random.Random(11)
        for _ in range(2):
            member = Member("slack", TEAM, person.user)
            await client.pictures.store_source(made.randbytes(20_000_000), member)
        await client.close()

    asyncio.run(store_uploads())
    person.command("/atelier", "privacy export", channel)
    shared = [m for m in direct_messages(slack_stack, person, 3) if m.files]
    assert [person.workspace.files[message.files[0]].name for message in shared] == [
        "atelier-export-1.zip",
        "atelier-export-2.zip",
    ]
    assert "the last one" in shared[-1].text


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_member_is_told_of_an_export_that_fails(slack_stack: SlackStack, step: str) -> None:
    name = f"failed{step[6:9].lower()}"
    person, channel = slack_stack.new_member(name), slack_stack.channel(name)
    slack_stack.slack.faults.plan(step, refused("internal_error"))
    person.command("/atelier", "privacy export", channel)
    wait_for_ephemeral(slack_stack, person, "couldn’t send you the file")


def test_capacity_sends_a_chart_of_the_last_day(slack_stack: SlackStack) -> None:
    admin, channel = slack_stack.person(ADMIN, TEAM), slack_stack.channel("capacity")
    messages = slack_stack.slack.workspaces[TEAM].dm(ADMIN).messages.values()
    before = sum(message.bot for message in messages)
    admin.command("/atelier", "studio capacity", channel)
    wait_for_ephemeral(slack_stack, admin, "Studio capacity")
    message = direct_messages(slack_stack, admin, before + 2)[-1]
    file = admin.workspace.files[message.files[0]]
    assert size(file.data) == (960, 540)


def test_only_the_owner_can_delete(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("fickle"), slack_stack.channel("fickle")
    message = pictures_of(slack_stack, person, channel, person.mention(channel, "a red fish"), 1, 1)
    stranger = slack_stack.new_member("stranger")
    stranger.press(message, "Delete")
    wait_for_ephemeral(slack_stack, stranger, "Only the member who ordered it")
    assert person.pictures(message)
    (file,) = rules.shown_files(message.blocks)
    person.press(message, "Delete")
    slack_stack.slack.until(
        "the message shows the deletion or is gone",
        lambda: message.deleted or "deleted" in read("", message.blocks),
    )
    slack_stack.slack.until("the file is deleted", lambda: person.workspace.files[file].deleted)
    assert message.deleted or labels(message) == []


def test_group_change_event_takes_effect_soon(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("upgraded"), slack_stack.channel("upgraded")
    person.command("/atelier", "quota", channel)
    wait_for_ephemeral(slack_stack, person, "3 of 3")
    slack_stack.change_groups(person, PLUS_GROUP)
    person.command("/atelier", "quota", channel)
    wait_for_ephemeral(slack_stack, person, "9 of 9")


def test_replies_use_the_members_language(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("marie"), slack_stack.channel("marie")
    person.workspace.users[person.user].locale = "fr-FR"
    message = pictures_of(
        slack_stack, person, channel, person.mention(channel, "une maison rouge"), 1, 1
    )
    assert "Détails" in labels(message)


def test_every_event_is_acknowledged_while_slack_and_the_workers_are_slow(
    slack_stack: SlackStack,
) -> None:
    """The fixture asserts that no acknowledgement takes longer than three seconds."""
    slack = slack_stack.slack
    people = [slack_stack.new_member(f"crowd{n}") for n in range(4)]
    channel = slack_stack.channel("crowd")
    slack.faults.plan("users.info", slow(3.2))
    slack.faults.plan("chat.postMessage", *[slow(1.0)] * 4)
    roots = [person.mention(channel, "a red circle") for person in people]
    for person, root in zip(people, roots, strict=True):
        pictures_of(slack_stack, person, channel, root, 1, 1)


def test_invited_member_is_notified(slack_stack: SlackStack) -> None:
    guest, channel = slack_stack.new_member("patient"), slack_stack.channel("patient")
    admin = slack_stack.person(ADMIN)
    admin.command("/atelier", "studio doors free waitlist", channel)
    wait_for_ephemeral(slack_stack, admin, "waitlist")
    guest.command("/atelier", "waitlist join", channel)
    wait_for_ephemeral(slack_stack, guest, "on the waitlist")
    admin.command("/atelier", "studio doors free open", channel)
    database = Database(_database(slack_stack))
    try:
        database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(minutes=30)))
    finally:
        database.close()
    (text,) = direct_messages(slack_stack, guest, 1)
    assert "your turn" in text.text


def _database(slack_stack: SlackStack) -> str:
    url = slack_stack.atelier.settings.database_url
    assert url is not None
    return url.get_secret_value()
