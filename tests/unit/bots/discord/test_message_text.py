"""A message's text with names in place of Discord's markup."""

from __future__ import annotations

from typing import Any
from unittest.mock import create_autospec

import discord
import pytest

from bots.core.reply import Field, Reply, ReplyKind
from bots.discord.mentions import _is_addressed
from bots.discord.message_text import readable_text
from bots.discord.message_view import answer_text, with_clickable_commands

BOT = 40


def a_role(id_: int, name: str, bot: int | None = None) -> Any:
    role = create_autospec(discord.Role, instance=True)
    role.id, role.name = id_, name
    role.tags = create_autospec(discord.RoleTags, instance=True) if bot else None
    if bot:
        role.tags.bot_id = bot
    return role


def a_user(id_: int, name: str) -> Any:
    user = create_autospec(discord.Member, instance=True)
    user.id, user.display_name = id_, name
    return user


def a_message(content: str, roles: tuple[Any, ...] = ()) -> Any:
    message = create_autospec(discord.Message, instance=True)
    message.content = content
    message.mentions = [a_user(BOT, "Atelier"), a_user(1, "Zoë")]
    message.role_mentions = list(roles)
    channel = create_autospec(discord.TextChannel, instance=True)
    channel.name = "gallery"
    message.guild.id = 9
    message.guild.get_channel_or_thread.side_effect = {5: channel}.get
    message.attachments, message.embeds = [], []
    return message


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<@40> a red house", "a red house"),
        ("<@!40> a portrait of <@1>", "a portrait of @Zoë"),
        ("<@40> post it like in <#5>", "post it like in #gallery"),
        ("<@40> a cat <:party:123> <a:dance:456>", "a cat :party: :dance:"),
        ("<@&7> <@&8> a banner", "@Patrons a banner"),
        ("<@40> hello <@999> <#999>", "hello"),
        ("a <3 b <@40>", "a <3 b"),
    ],
)
def test_mentions_links_and_emoji_become_names(content: str, text: str) -> None:
    message = a_message(content, (a_role(7, "Patrons"), a_role(8, "Atelier", BOT)))
    assert " ".join(readable_text(message, BOT).split()) == text


def test_mention_of_the_bots_own_role_addresses_it() -> None:
    message = a_message("<@&8> a cat", (a_role(8, "Atelier", BOT),))
    message.mentions = []
    assert _is_addressed(message, BOT)
    message.role_mentions = [a_role(7, "Patrons")]
    assert not _is_addressed(message, BOT)


def test_commands_in_help_are_clickable_where_their_ids_are_known() -> None:
    field = Field("Account", "/quota · /atelier_x · a/queue · /queue")
    reply = Reply(ReplyKind.ANSWER, "", code="help-title", fields=(field,))
    text = answer_text(with_clickable_commands(reply, {"quota": "12", "queue": "34"}))
    assert "</quota:12>" in text
    assert text.count("</queue:34>") == 1
    other = Reply(ReplyKind.ANSWER, "", code="queue-title", fields=(field,))
    assert "</" not in answer_text(with_clickable_commands(other, {"quota": "12"}))


def test_private_use_characters_of_a_member_make_no_link() -> None:
    reply = Reply(ReplyKind.ANSWER, "\ue000quota\ue00112\ue002")
    assert "</quota:12>" not in answer_text(reply)
