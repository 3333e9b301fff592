"""What Discord and Slack send: payloads of the platforms' shape with hostile values.

Discord's are parsed by the real discord.py. A key that the platforms always send is always there; a
value that can be absent, null or empty is so at random.
"""

from __future__ import annotations

import contextlib
from functools import cache
from random import Random
from typing import Any

import discord

from bots.core.report_commands import command_of_action
from bots.discord import buttons, modals
from bots.discord.escaping import escape as escape_for_discord
from bots.discord.message_text import readable_text
from bots.discord.source_images import image_url, without_links
from bots.discord.translate import invocation_of, invocation_of_message, place_of
from bots.slack import mrkdwn, translate
from bots.slack.app_spec import Modal
from bots.slack.blocks import file_ids, parse_button
from bots.slack.files import SLACK_API, is_slack_file_url
from bots.slack.views import Origin
from tests.fuzz.case import Case, Target
from tests.fuzz.texts import text, value

BOT = 40
HEX = "0123456789abcdef"
FILE_NAMES = ("a.png", "a.PNG", "a", ".", "a.webp\0", "a.gif", "..%2f", "a.png\n")
MIMES = ("image/png", "image/", "IMAGE/PNG", "text/html", "", "image/svg+xml")
URLS = (
    "https://cdn.discordapp.com/a.png", "http://[", "https://files.slack.com/x", "//x", "",
    "https://@",
    "https://files.slack.com@evil.test/", "https://files.slack.com.evil.test/",
    "http://files.slack.com/",
    "https://files.slack.com:99999/", "https://xn--/", "ftp://files.slack.com/",
)  # fmt: skip
ACTION_IDS = (
    "atelier:cancel:0", "atelier:vary:12", "cancel", "vary:1", "report-keep", "confirm-forget",
    "x:y:z",
    "atelier-form:edit:", "atelier:delete:-:0",
)  # fmt: skip
SUBTYPES = (None, "file_share", "thread_broadcast", "message_changed", "bot_message", "")


@cache
def discord_state() -> Any:
    """The state of a client that never connects."""
    return discord.Client(intents=discord.Intents.none())._connection


def _target(random: Random) -> str:
    length = random.choice((32, 32, 31, 0))
    return "".join(random.choice(HEX) for _ in range(length))


def _user(random: Random) -> dict[str, Any]:
    return {
        "id": str(random.choice((1, BOT, 2**63))),
        "username": text(random)[:32],
        "global_name": random.choice((None, text(random)[:32])),
        "discriminator": "0",
        "avatar": None,
    }


def discord_message(random: Random) -> dict[str, Any]:
    """A message of a member, as Discord sends it."""
    files = [
        {
            "id": str(number), "filename": random.choice(FILE_NAMES), "size": 1,
            "url": random.choice(URLS), "proxy_url": random.choice(URLS),
            **random.choice(({}, {"content_type": None}, {"content_type": random.choice(MIMES)})),
        }
        for number in range(random.randrange(3))
    ]  # fmt: skip
    embed = {"type": random.choice(("rich", "image", "link"))}
    for name in ("image", "thumbnail"):
        if random.random() < 0.5:
            embed[name] = random.choice(({}, {"url": random.choice(URLS)}))  # type: ignore[assignment]
    action = random.choice(("vary", "cancel", "x"))
    custom_id = f"atelier:{action}:{_target(random)}:{random.randrange(200)}"
    row = {"type": 1, "components": [{"type": 2, "style": 1, "custom_id": custom_id}]}
    return {
        "id": "1", "channel_id": "5", "type": random.choice((0, 19, 7)), "content": text(random),
        "author": _user(random), "attachments": files, "embeds": [embed] * random.randrange(2),
        "mentions": [_user(random)] * random.randrange(3), "mention_roles": [],
        "mention_everyone": False, "pinned": False, "tts": False, "edited_timestamp": None,
        "timestamp": "2026-01-01T00:00:00+00:00", "components": [row] * random.randrange(2),
    }  # fmt: skip


def discord_modal(random: Random) -> dict[str, Any]:
    """A submitted modal, as Discord sends it."""
    purpose = random.choice(("edit", "reroll", "report", "edit-file", "x", ""))
    fields: list[dict[str, Any]] = [
        {"type": 18, "component": {"type": 4, "custom_id": name, "value": one}}
        for name in ("prompt", "instruction", "words")
        for one in (random.choice((None, "", text(random))),)
    ]
    fields.append({"type": 18, "component": {"type": 19, "custom_id": "mask", "values": ["9"]}})
    fields.append(
        random.choice(({"type": 18}, {"type": 10, "content": "x"}, {"type": 18, "component": None}))
    )
    resolved: dict[str, Any] = random.choice(
        ({}, {"resolved": {}}, {"resolved": {"attachments": {"9": {"url": random.choice(URLS)}}}})
    )
    data = {
        "custom_id": f"atelier-form:{purpose}:{_target(random)}",
        "components": random.sample(fields, random.randrange(len(fields))),
        **resolved,
    }
    return {
        "id": "1", "application_id": "2", "type": 5, "token": "t", "version": 1, "data": data,
        "channel": {"id": "5", "type": random.choice((0, 1, 11, 99)), "parent_id": "4"},
        "user": _user(random), "locale": random.choice(("fr", "en-GB", "xx")), "entitlements": [],
        "authorizing_integration_owners": {}, "attachment_size_limit": 10, "app_permissions": "0",
    }  # fmt: skip


def discord_case(random: Random) -> Case:
    """A message, a modal, a button or a text to echo on Discord."""
    kind = random.randrange(5)
    if kind == 0:
        modal = discord_modal(random)
        return Case(lambda: _read_modal(modal), len(repr(modal)), repr(modal), "modal")
    if kind == 1:
        action = random.choice(("vary", "report-keep", text(random)[:20]))
        pressed = f"atelier:{action}:{_target(random)}:1"
        return Case(lambda: _read_button(pressed), len(pressed), repr(pressed), "button")
    if kind == 2:
        typed = text(random)
        return Case(lambda: escape_for_discord(typed), len(typed), repr(typed), "text")
    message = discord_message(random)
    return Case(lambda: _read_message(message), len(repr(message)), repr(message), "message")


def _read_modal(payload: dict[str, Any]) -> None:
    interaction: Any = discord.Interaction(data=payload, state=discord_state())  # type: ignore[arg-type]
    invocation_of(interaction)
    modals.parse(interaction)


def _read_button(custom_id: str) -> None:
    parsed = buttons.parse(custom_id)
    if parsed is not None and parsed.target is not None:
        command_of_action(parsed.action, parsed.target)


def _read_message(payload: dict[str, Any]) -> None:
    state = discord_state()
    channel: Any = discord.PartialMessageable(state, 5)
    message = discord.Message(state=state, channel=channel, data=payload)  # type: ignore[arg-type]
    without_links(readable_text(message, BOT))
    image_url(message)
    invocation_of_message(message, channel)
    place_of(channel, 9)
    buttons.picture_in(message)
    buttons.job_in(message)


def slack_event(random: Random) -> dict[str, Any]:
    """A message event of Slack: who wrote it, where and when is always there."""
    event: dict[str, Any] = {"type": "message", "channel": random.choice(("C1", "D1")), "ts": "1.2"}
    optional = {
        "user": random.choice(("U1", "U0BOT", None, "")),
        "text": random.choice((None, text(random), text(random))),
        "subtype": random.choice(SUBTYPES),
        "thread_ts": random.choice((None, "1.1")),
        "bot_id": random.choice((None, "B1")),
        "channel_type": random.choice((None, "im", "channel")),
        "files": random.choice((None, [], [{"id": "F1", "name": None}], [{"url_private": ""}])),
        "blocks": random.choice((None, [value(random)])),
    }
    return event | {name: one for name, one in optional.items() if random.random() < 0.7}


def slack_values(random: Random) -> dict[str, dict[str, Any]]:
    """The state of a submitted modal."""
    states: dict[str, dict[str, Any]] = {
        "prompt": {
            "value": {"type": "plain_text_input", "value": random.choice((None, text(random)))}
        },
        "negative": {"value": {"value": random.choice((None, text(random)))}},
        "aspect": {"value": {"selected_option": random.choice((None, {"value": "16:9"}))}},
        "count": {"value": {"selected_option": random.choice((None, {"value": "4"}))}},
        "model": {"value": {"selected_option": random.choice((None, {"value": "postcard"}))}},
        "channel": {"value": {"selected_conversation": random.choice((None, "C1"))}},
        "file": {"value": {"files": random.choice((None, [], [{"id": "F1"}]))}},
    }
    return {name: state for name, state in states.items() if random.random() < 0.8}


def slack_case(random: Random) -> Case:
    """An event, a slash command, a modal, a button or a text on Slack."""
    kind = random.randrange(7)
    if kind == 0:
        event = slack_event(random)
        ignored = translate.parse_message(event, "T1", "U0BOT") is None
        kind_of_event = "ignored event" if ignored else "event"
        return Case(lambda: _read_event(event), len(repr(event)), repr(event), kind_of_event)
    if kind == 1:
        command, typed = random.choice(("/atelier", "/imagine", "/x")), text(random)
        return Case(
            lambda: translate.parse_slash_command(command, typed),
            len(typed),
            repr(typed),
            "command",
        )
    if kind == 2:
        values = slack_values(random)
        modal = random.choice(tuple(Modal))
        kind_of_modal = f"{modal} modal"
        return Case(
            lambda: _read_modal_values(modal, values),
            len(repr(values)),
            repr(values),
            kind_of_modal,
        )
    if kind == 3:
        name, target = random.choice(ACTION_IDS), random.choice((_target(random), text(random)))
        pressed = {"action_id": name, **random.choice(({}, {"value": target}))}
        return Case(lambda: _read_action(pressed), len(repr(pressed)), repr(pressed), "button")
    if kind == 4:
        url = random.choice((random.choice(URLS), text(random)))
        return Case(lambda: _check_url(url), len(url), repr(url), "url")
    typed = text(random)
    return Case(lambda: _read_markup(typed), len(typed), repr(typed), "text")


def _read_event(event: dict[str, Any]) -> None:
    message = translate.parse_message(event, "T1", "U0BOT")
    if message is not None:
        translate.parse_text(message.text, (), None)
    file_ids({"blocks": [one for one in event.get("blocks") or [] if isinstance(one, dict)]})


def _read_modal_values(modal: Modal, values: dict[str, dict[str, Any]]) -> None:
    translate.prompt_error(modal, values)
    translate.parse_composer(values, None)
    translate.file_values(values, "file")
    translate.selected_value(values, "channel")
    Origin.load(Origin("C1", None, "", translate.text_value(values, "prompt")).dump())


def _read_action(action: dict[str, Any]) -> None:
    with contextlib.suppress(ValueError):  # the listener ignores and logs it
        parse_button(action)


def _check_url(url: str) -> None:
    if is_slack_file_url(url, SLACK_API):
        assert url.startswith(("https://files.slack.com/", "https://files.slack-gov.com/")), url


def _read_markup(typed: str) -> None:
    mrkdwn.escape(typed)
    mrkdwn.mentioned_users(typed)
    mrkdwn.name_mentions(typed, {"U1": "ann"})
    mrkdwn.strip_mention(typed, "U0BOT")
    mrkdwn.to_plain_text(typed)
    mrkdwn.truncate(typed, 50)


TARGETS = (
    Target("Discord payloads", 0.11, discord_case),
    Target("Slack payloads", 0.15, slack_case),
)
