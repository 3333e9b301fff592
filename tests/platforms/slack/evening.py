"""A member's whole evening in a thread, told once and lived over every way into the app."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import CHIEF, PLUS_GROUP, TEAM, Town
from tests.platforms.slack.faults import refused
from tests.platforms.slack.member import Person, labels, read
from tests.platforms.slack.world import Message

ROUND = 90.0  # seconds for one picture on a slow machine


def pictures_of(
    town: Town, person: Person, channel: str, root: str, nth: int, count: int
) -> Message:
    """Wait for the nth answer of a thread to show its pictures; the message."""

    def look() -> Message | None:
        answers = person.answers(channel, root)
        if len(answers) < nth:
            return None
        answer = answers[nth - 1]
        return answer if len(person.pictures(answer)) == count else None

    def told() -> str:
        answers = person.answers(channel, root)
        return f"{[read(m.text, m.blocks) for m in answers]} {person.whispered()}"

    try:
        return town.slack.until("pictures", look, ROUND)
    except AssertionError:
        raise AssertionError(f"{count} pictures never came: {told()}") from None


def whisper(town: Town, person: Person, words: str) -> str:
    """Wait until this member alone was told something with these words."""
    return town.slack.until(
        f"a whisper with {words!r}",
        lambda: next((read(w.text, w.blocks) for w in reversed(person.whispers())
                      if words in read(w.text, w.blocks)), None),
        20.0,
    )  # fmt: skip


def size(data: bytes) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(BytesIO(data)) as image:
        return image.size


def spend_an_evening(town: Town, name: str, team: str = TEAM) -> None:
    """First picture, four at once, two edits, undo, upscale, quota gone and back, waitlist."""
    channel = town.channel(name, team)
    anna = town.newcomer(name, groups=(PLUS_GROUP,), team=team)
    root = anna.mention(channel, "a red house by the sea --seed 7")
    first = pictures_of(town, anna, channel, root, 1, 1)
    assert "Cancel" not in labels(first)
    assert {"Vary", "Upscale", "Edit", "Again"} <= set(labels(first))
    assert any("Cancel" in str(blocks) for _, blocks in first.looks), "it could not be cancelled"

    other = anna.mention(channel, "a blue boat --count 4 --ar 3:2")
    four = pictures_of(town, anna, channel, other, 1, 4)
    assert len(set(anna.pictures(four))) == 4
    assert size(anna.pictures(four)[0])[0] > size(anna.pictures(four)[0])[1]

    anna.mention(channel, "make the house blue", thread=root)
    edited = pictures_of(town, anna, channel, root, 2, 1)
    assert anna.pictures(edited) != anna.pictures(first)
    anna.mention(channel, "add a moon", thread=root)
    twice = pictures_of(town, anna, channel, root, 3, 1)
    town.slack.faults.plan("chat.postMessage", refused("invalid_blocks"))  # for a moment
    anna.press(twice, "Undo")
    back = pictures_of(town, anna, channel, root, 4, 1)
    assert _same(anna.pictures(back)[0], anna.pictures(edited)[0])

    anna.press(first, "Upscale")
    larger = pictures_of(town, anna, channel, root, 5, 1)
    assert size(anna.pictures(larger)[0]) == _twice(size(anna.pictures(first)[0]))

    _quota_gone_and_back(town, anna, channel)
    _doors_close_and_open(town, town.newcomer(f"{name}G", team=team), channel)
    for message in town.slack.workspaces[anna.workspace.id].channels[channel].messages.values():
        if message.bot:
            assert all(not rules.pings(text, blocks) for text, blocks in message.looks)


def _quota_gone_and_back(town: Town, anna: Person, channel: str) -> None:
    chief = town.person(CHIEF, anna.workspace.id)
    refused = anna.mention(channel, "a cat --count 2")
    whisper(town, anna, "credits")
    assert anna.answers(channel, refused) == [], "a refusal is for one member's eyes"
    chief.command("/atelier", f"studio grant <@{anna.user}> 5 a good evening", channel)
    whisper(town, chief, "5")
    again = anna.mention(channel, "a cat --count 2")
    pictures_of(town, anna, channel, again, 1, 2)


def _doors_close_and_open(town: Town, guest: Person, channel: str) -> None:
    chief = town.person(CHIEF, guest.workspace.id)
    chief.command("/atelier", "studio doors free waitlist", channel)
    whisper(town, chief, "waitlist")
    guest.mention(channel, "a green tree")
    whisper(town, guest, "waitlist")
    guest.press_whisper(guest.whispers()[-1], "Join the waitlist")
    whisper(town, guest, "on the waitlist")
    chief.command("/atelier", "studio doors free open", channel)
    whisper(town, chief, "open")
    root = guest.mention(channel, "a green tree")
    pictures_of(town, guest, channel, root, 1, 1)


def _twice(wanted: tuple[int, int]) -> tuple[int, int]:
    return 2 * wanted[0], 2 * wanted[1]


def _same(one: bytes, other: bytes) -> bool:
    with Image.open(BytesIO(one)) as a, Image.open(BytesIO(other)) as b:
        return a.convert("RGB").tobytes() == b.convert("RGB").tobytes()
