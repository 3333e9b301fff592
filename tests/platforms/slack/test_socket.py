"""The real bolt app over Socket Mode with the real worker behind it: what members do and see."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest

from tasks.store import waitlist
from tasks.store.database import Database
from tasks.tiers import Tier
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import CHIEF, PLUS_GROUP, PRO_GROUP, TEAM, Town
from tests.platforms.slack.evening import pictures_of, size, spend_an_evening, whisper
from tests.platforms.slack.faults import slow
from tests.platforms.slack.member import Attached, Person, labels, read
from tests.platforms.slack.parcels import png
from tests.platforms.slack.world import Message

FLAGS = "a red house --ar 16:9 --count 2 --seed 7 --no trees"


@pytest.fixture(autouse=True)
def lawful(town: Town) -> Iterator[None]:
    """Every call was one that Slack allows, and everything was acknowledged in time."""
    late, overruns = town.slack.sockets.late, len(town.slack.overruns)
    yield
    town.slack.faults.clear()
    assert town.slack.violations == []
    assert town.slack.overruns[overruns:] == []
    assert town.slack.sockets.late == late
    town.slack.reset_rates()


def in_person(town: Town, person: Person, count: int) -> list[Message]:
    """The app's direct messages to this member, once there are so many."""
    channel = town.slack.workspaces[TEAM].dm(person.user)

    def look() -> list[Message] | None:
        found = [m for m in channel.messages.values() if m.bot]
        return found if len(found) >= count else None

    return town.slack.until(f"{count} direct messages", look, 40)


def test_a_whole_evening(town: Town) -> None:
    spend_an_evening(town, "evening")


def test_flags_mean_what_they_say(town: Town) -> None:
    person, channel = town.newcomer("flags", groups=(PLUS_GROUP,)), town.channel("flags")
    message = pictures_of(town, person, channel, person.mention(channel, FLAGS), 1, 2)
    width, height = size(person.pictures(message)[0])
    assert abs(width / height - 16 / 9) < 0.15
    person.press(message, "Details")
    told = whisper(town, person, "Seed")
    assert "7, 8" in told
    assert "trees" in told
    refused = person.mention(channel, "a house --ar 5:1")
    assert "5:1" in whisper(town, person, "no aspect ratio")
    assert person.answers(channel, refused) == []


def test_nobody_is_ever_pinged_by_an_echo(town: Town) -> None:
    person, channel = town.newcomer("loud", groups=(PRO_GROUP,)), town.channel("loud")
    shout = (
        "a sign: &lt;!channel&gt; <!everyone> <!here> <@U0BORIS000> <!subteam^S0PLUS0000> &amp; *b*"
    )
    root = person.mention(channel, shout)
    message = pictures_of(town, person, channel, root, 1, 1)
    assert "<!channel> <!everyone>" in read(message.text, message.blocks)
    person.press(message, "Details")
    person.command("/atelier", "queue", channel)
    person.command("/atelier", "history", channel)
    person.command("/atelier", f"cancel {shout}", channel)
    person.press(message, "Again")
    view = town.slack.until("a modal", lambda: modal(person, "Again"))
    person.submit(view, {"prompt": "no <!channel> <@U0BORIS000>"})
    again = pictures_of(town, person, channel, root, 2, 1)
    person.open_home()
    town.slack.until("the Home tab", lambda: person.user in person.workspace.homes)
    for shown in (message, again):
        assert all(rules.pings(text, []) == [] for text, _ in shown.looks)
        assert all(rules.pings("", blocks) == [] for _, blocks in shown.looks)
    for told in person.whispers():
        assert rules.pings(told.text, []) == rules.pings("", told.blocks) == []
    assert rules.pings("", person.workspace.homes[person.user].body["blocks"]) == []


def modal(person: Person, title: str):  # type: ignore[no-untyped-def]
    """The open modal with this title, or None."""
    try:
        return person.modal(title)
    except AssertionError:
        return None


def test_a_picture_that_a_member_sends_is_edited(town: Town) -> None:
    person, channel = town.newcomer("sender", groups=(PLUS_GROUP,)), town.channel("sender")
    sent = Attached("mine.png", png("red"))
    root = person.mention(channel, "make it blue", files=[sent])
    pictures_of(town, person, channel, root, 1, 1)
    wrong = person.mention(channel, "make it blue", files=[Attached("notes.png", b"no picture")])
    whisper(town, person, "not a picture")
    assert person.answers(channel, wrong) == []
    event = person.write(channel, "<@U0BOT00000> make it blue", None, [sent])
    elsewhere = "http://169.254.169.254/latest/meta-data"
    event["files"][0] |= {"url_private": elsewhere, "url_private_download": elsewhere}
    person.tell(event | {"type": "app_mention"})
    whisper(town, person, "links to other places")


def test_shortcuts_on_a_picture(town: Town) -> None:
    person, channel = town.newcomer("shorty", groups=(PLUS_GROUP,)), town.channel("shorty")
    root = person.mention(channel, "a yellow cat --seed 3")
    message = pictures_of(town, person, channel, root, 1, 1)
    person.message_shortcut(message, "atelier_vary")
    pictures_of(town, person, channel, root, 2, 1)
    person.message_shortcut(message, "atelier_edit")
    view = town.slack.until("a modal", lambda: modal(person, "Edit"))
    person.submit(view, {"prompt": "make the cat blue"})
    pictures_of(town, person, channel, root, 3, 1)
    plain = person.write(channel, "no picture here", None)
    person.message_shortcut(
        person.workspace.channels[channel].messages[plain["ts"]], "atelier_edit"
    )
    whisper(town, person, "Add a picture")


def test_the_composer(town: Town) -> None:
    person, channel = town.newcomer("composer"), town.channel("composer")
    person.shortcut("atelier_compose")
    view = town.slack.until("a modal", lambda: modal(person, "New picture"))
    wrong = person.submit(view, {"prompt": "a boat --ar 9:1", "where": channel})
    assert "9:1" in json.dumps(wrong.answer)
    right = {"prompt": "a blue boat", "aspect": "3:2", "where": channel}
    person.submit(view, right)
    person.submit(view, right)  # pressed twice
    message = town.slack.until(
        "the picture",
        lambda: next((m for m in person.workspace.channels[channel].messages.values()
                      if person.pictures(m)), None),
    )  # fmt: skip
    assert size(person.pictures(message)[0])[0] > size(person.pictures(message)[0])[1]
    bots = [m for m in person.workspace.channels[channel].messages.values() if m.bot]
    assert len(bots) == 1


def test_a_slash_command_heads_a_thread(town: Town) -> None:
    person, channel = town.newcomer("slash", groups=(PLUS_GROUP,)), town.channel("slash")
    person.command("/imagine", "a red boat", channel)
    first = town.slack.until(
        "the picture",
        lambda: next((m for m in person.workspace.channels[channel].messages.values()
                      if person.pictures(m)), None),
    )  # fmt: skip
    person.mention(channel, "make the boat green", thread=first.ts)
    pictures_of(town, person, channel, first.ts, 1, 1)


def test_direct_messages_and_assistant_threads(town: Town) -> None:
    person = town.newcomer("direct")
    workspace = person.workspace
    dm = workspace.dm(person.user)
    root = person.direct("a green tree at night")
    pictures_of(town, person, dm.id, root, 1, 1)
    opener = person.write(dm.id, "New chat", None)
    person.tell(
        {
            "type": "assistant_thread_started",
            "event_ts": opener["ts"],
            "assistant_thread": {
                "user_id": person.user,
                "channel_id": dm.id,
                "thread_ts": opener["ts"],
                "context": {},
            },
        }
    )
    town.slack.until("suggestions", lambda: len(workspace.prompts) == 3)
    person.direct("a red moon", thread=opener["ts"])
    pictures_of(town, person, dm.id, opener["ts"], 1, 1)
    town.slack.until(
        "the status ends",
        lambda: [s for _, t, s in workspace.statuses if t == opener["ts"]][-1:] == [""],
    )
    assert any(s for _, t, s in workspace.statuses if t == opener["ts"])


def test_the_home_tab(town: Town) -> None:
    person, channel = town.newcomer("homely", groups=(PLUS_GROUP,)), town.channel("homely")
    root = person.mention(channel, "a red balloon")
    pictures_of(town, person, channel, root, 1, 1)
    person.open_home()

    def seen() -> str | None:
        home = person.workspace.homes.get(person.user)
        return rules.words(home.body["blocks"]) if home else None

    text = town.slack.until("the Home tab", seen)
    assert "a red balloon" in text
    assert "Plus" in text
    assert "▰" in text
    assert "administrators" not in text
    blocks = person.workspace.homes[person.user].body["blocks"]
    assert len(rules.shown_files(blocks)) == 1
    person.press_home("Vary")
    (message,) = in_person(town, person, 1)
    town.slack.until("its picture", lambda: person.pictures(message), 40)
    chief = town.person(CHIEF)
    chief.open_home()
    town.slack.until("the chief's", lambda: CHIEF in person.workspace.homes)
    assert "administrators" in rules.words(person.workspace.homes[CHIEF].body["blocks"])


def test_answers_about_an_account_are_for_one_member_alone(town: Town) -> None:
    person, channel = town.newcomer("private"), town.channel("private")
    for words, told in (
        ("queue", "nothing in line"),
        ("quota", "3 of 3 credits"),
        ("history", "no pictures yet"),
        ("settings aspect=3:2", "Saved"),
        ("waitlist status", "not on the waitlist"),
        ("help", "What you can ask"),
        ("dance", "no “dance” here"),
        ("studio capacity", "Only administrators"),
        ("privacy delete", "Are you sure"),
    ):
        person.command("/atelier", words, channel)
        whisper(town, person, told)
    assert [m for m in person.workspace.channels[channel].messages.values() if m.bot] == []
    person.press_whisper(person.whispers()[-1], "Delete everything")
    whisper(town, person, "are deleted")


def test_a_member_gets_their_data(town: Town) -> None:
    person, channel = town.newcomer("export"), town.channel("export")
    person.command("/atelier", "privacy export", channel)
    _, message = in_person(town, person, 2)
    file = person.workspace.files[message.files[0]]
    assert zipfile.ZipFile(BytesIO(file.data)).namelist()


def test_an_administrator_gets_the_last_day_as_a_picture(town: Town) -> None:
    chief, channel = town.person(CHIEF, TEAM), town.channel("capacity")
    messages = town.slack.workspaces[TEAM].dm(CHIEF).messages.values()
    before = sum(message.bot for message in messages)
    chief.command("/atelier", "studio capacity", channel)
    whisper(town, chief, "The studio now")
    message = in_person(town, chief, before + 2)[-1]
    file = chief.workspace.files[message.files[0]]
    assert size(file.data) == (960, 540)


def test_cancelling_and_deleting(town: Town) -> None:
    person, channel = town.newcomer("fickle"), town.channel("fickle")
    message = pictures_of(town, person, channel, person.mention(channel, "a red fish"), 1, 1)
    stranger = town.newcomer("stranger")
    stranger.press(message, "Delete")
    whisper(town, stranger, "Only the one who asked")
    assert person.pictures(message)
    (file,) = rules.shown_files(message.blocks)
    person.press(message, "Delete")
    town.slack.until("the message says so", lambda: "deleted" in read("", message.blocks))
    town.slack.until("the file is gone", lambda: person.workspace.files[file].deleted)
    assert labels(message) == []


def test_a_group_change_counts_soon_where_slack_tells_of_it(town: Town) -> None:
    person, channel = town.newcomer("upgraded"), town.channel("upgraded")
    person.command("/atelier", "quota", channel)
    whisper(town, person, "3 of 3")
    town.change_groups(person, PLUS_GROUP)
    person.command("/atelier", "quota", channel)
    whisper(town, person, "9 of 9")


def test_french_is_spoken_to_who_speaks_it(town: Town) -> None:
    person, channel = town.newcomer("marie"), town.channel("marie")
    person.workspace.users[person.user].locale = "fr-FR"
    message = pictures_of(town, person, channel, person.mention(channel, "une maison rouge"), 1, 1)
    assert "Détails" in labels(message)


def test_everything_is_acknowledged_while_slack_and_the_workers_are_slow(town: Town) -> None:
    """The fixture asserts it: nothing may come later than Slack's three seconds."""
    slack = town.slack
    people = [town.newcomer(f"crowd{n}") for n in range(4)]
    channel = town.channel("crowd")
    slack.faults.plan("users.info", slow(3.2))
    slack.faults.plan("chat.postMessage", *[slow(1.0)] * 4)
    roots = [person.mention(channel, "a red circle") for person in people]
    for person, root in zip(people, roots, strict=True):
        pictures_of(town, person, channel, root, 1, 1)


def test_who_waited_is_told_when_it_is_their_turn(town: Town) -> None:
    guest, channel = town.newcomer("patient"), town.channel("patient")
    chief = town.person(CHIEF)
    chief.command("/atelier", "studio doors free waitlist", channel)
    whisper(town, chief, "waitlist")
    guest.command("/atelier", "waitlist join", channel)
    whisper(town, guest, "on the waitlist")
    chief.command("/atelier", "studio doors free open", channel)
    database = Database(_database(town))
    try:
        database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(minutes=30)))
    finally:
        database.close()
    (told,) = in_person(town, guest, 1)
    assert "your turn" in told.text


def _database(town: Town) -> str:
    url = town.studio.settings.database_url
    assert url is not None
    return url.get_secret_value()
