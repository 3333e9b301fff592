"""An end-to-end scenario in one thread, run over each transport."""

from __future__ import annotations

from io import BytesIO

import psycopg
from PIL import Image

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import ADMIN, PLUS_GROUP, TEAM, SlackStack
from tests.platforms.slack.faults import refused
from tests.platforms.slack.member import Person, labels, read
from tests.platforms.slack.world import Message

PICTURE_TIMEOUT = 90.0  # seconds for one picture on a slow machine


def pictures_of(
    slack_stack: SlackStack, person: Person, channel: str, root: str, nth: int, count: int
) -> Message:
    """Wait until the nth reply of a thread shows its pictures and that is recorded; the message."""

    def look() -> Message | None:
        answers = person.answers(channel, root)
        if len(answers) < nth:
            return None
        answer = answers[nth - 1]
        return answer if len(person.pictures(answer)) == count else None

    def timeline() -> str:
        answers = person.answers(channel, root)
        return f"{[read(m.text, m.blocks) for m in answers]} {person.ephemeral_text()}"

    try:
        shown = slack_stack.slack.until("pictures", look, PICTURE_TIMEOUT)
    except AssertionError:
        raise AssertionError(f"{count} pictures were not posted: {timeline()}") from None
    wait_until_recorded(slack_stack, person)
    return shown


def wait_until_recorded(slack_stack: SlackStack, person: Person) -> None:
    """Wait until no delivery to a member is in progress: it is in the history from then on."""
    url = slack_stack.atelier.settings.database_url
    assert url is not None
    with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
        select = "SELECT FROM jobs WHERE state = 'delivering' AND member_key LIKE %s"
        key = [f"%:{person.user}"]
        slack_stack.slack.until("recorded", lambda: not connection.execute(select, key).fetchall())


def wait_for_ephemeral(slack_stack: SlackStack, person: Person, words: str) -> str:
    """Wait for an ephemeral message to this member with these words; its text."""
    return slack_stack.slack.until(
        f"an ephemeral message with {words!r}",
        lambda: next((read(w.text, w.blocks) for w in reversed(person.ephemeral_messages())
                      if words in read(w.text, w.blocks)), None),
    )  # fmt: skip


def size(data: bytes) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(BytesIO(data)) as image:
        return image.size


def run_scenario(slack_stack: SlackStack, name: str, team: str = TEAM) -> None:
    """One picture, four at once, two edits, undo, upscale, exhausted quota, waitlist."""
    channel = slack_stack.channel(name, team)
    anna = slack_stack.new_member(name, groups=(PLUS_GROUP,), team=team)
    root = anna.mention(channel, "a red house by the sea --seed 7")
    first = pictures_of(slack_stack, anna, channel, root, 1, 1)
    assert "Cancel" not in labels(first)
    assert {"Vary", "Upscale", "Edit", "Again"} <= set(labels(first))
    assert any("Cancel" in str(blocks) for _, blocks in first.revisions), (
        "the placeholder had no cancel button"
    )

    other = anna.mention(channel, "a blue boat --count 4 --ar 3:2")
    four = pictures_of(slack_stack, anna, channel, other, 1, 4)
    assert len(set(anna.pictures(four))) == 4
    assert size(anna.pictures(four)[0])[0] > size(anna.pictures(four)[0])[1]

    anna.mention(channel, "make the house blue", thread=root)
    edited = pictures_of(slack_stack, anna, channel, root, 2, 1)
    assert anna.pictures(edited) != anna.pictures(first)
    anna.mention(channel, "add a moon", thread=root)
    twice = pictures_of(slack_stack, anna, channel, root, 3, 1)
    slack_stack.slack.faults.plan("chat.postMessage", refused("invalid_blocks"))  # once
    anna.press(twice, "Undo")
    back = pictures_of(slack_stack, anna, channel, root, 4, 1)
    assert _same(anna.pictures(back)[0], anna.pictures(edited)[0])

    anna.press(first, "Upscale")
    larger = pictures_of(slack_stack, anna, channel, root, 5, 1)
    assert size(anna.pictures(larger)[0]) == _twice(size(anna.pictures(first)[0]))

    _exhaust_and_grant_quota(slack_stack, anna, channel)
    _close_and_open_doors(slack_stack, slack_stack.new_member(f"{name}G", team=team), channel)
    for message in (
        slack_stack.slack.workspaces[anna.workspace.id].channels[channel].messages.values()
    ):
        if message.bot:
            assert all(not rules.pings(text, blocks) for text, blocks in message.revisions)


def _exhaust_and_grant_quota(slack_stack: SlackStack, anna: Person, channel: str) -> None:
    admin = slack_stack.person(ADMIN, anna.workspace.id)
    refused = anna.mention(channel, "a cat --count 2")
    wait_for_ephemeral(slack_stack, anna, "credits")
    assert anna.answers(channel, refused) == [], "a refusal was posted in the channel"
    admin.command("/atelier", f"studio grant <@{anna.user}> 5 for the test", channel)
    wait_for_ephemeral(slack_stack, admin, "5")
    again = anna.mention(channel, "a cat --count 2")
    pictures_of(slack_stack, anna, channel, again, 1, 2)


def _close_and_open_doors(slack_stack: SlackStack, guest: Person, channel: str) -> None:
    admin = slack_stack.person(ADMIN, guest.workspace.id)
    admin.command("/atelier", "studio doors free waitlist", channel)
    wait_for_ephemeral(slack_stack, admin, "waitlist")
    guest.mention(channel, "a green tree")
    wait_for_ephemeral(slack_stack, guest, "waitlist")
    guest.press_ephemeral(guest.ephemeral_messages()[-1], "Join the waitlist")
    wait_for_ephemeral(slack_stack, guest, "on the waitlist")
    admin.command("/atelier", "studio doors free open", channel)
    wait_for_ephemeral(slack_stack, admin, "open")
    root = guest.mention(channel, "a green tree")
    pictures_of(slack_stack, guest, channel, root, 1, 1)


def _twice(wanted: tuple[int, int]) -> tuple[int, int]:
    return 2 * wanted[0], 2 * wanted[1]


def _same(one: bytes, other: bytes) -> bool:
    with Image.open(BytesIO(one)) as a, Image.open(BytesIO(other)) as b:
        return a.convert("RGB").tobytes() == b.convert("RGB").tobytes()
