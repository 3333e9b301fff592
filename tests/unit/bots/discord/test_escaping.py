"""Nothing that a member writes becomes a link, a mention, an emoji or formatting in Discord."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.core.cards import card
from bots.core.locales import localizer_for
from bots.core.reply import Field, Reply, ReplyKind
from bots.discord import message_view
from bots.discord.escaping import escape
from imaging.request import ImageRequest, Operation
from tasks.jobs.job import Job, Order
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier

ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")  # what Discord's client shows as the character alone
MARKUP = {
    "url": r"(?:https?|steam|discord)://",
    "masked link": r"\[[^\]]*\]\(",
    "autolink": r"<[a-z]+:",
    "mention": r"<(?:@|#|/|id:|t:)|@everyone|@here",
    "custom emoji": r"<a?:\w+:\d+>",
    "emoji": r":[^\s:\uffff]+:",
    "invitation": r"discord(?:app)?\.(?:gg|com)/",
    "emphasis": r"[*_~`|]",
    "block": r"(?m)^\s*(?:#{1,3}\s|-#\s|[-*+]\s|\d+\.\s|>)",
}
MARKED_UP = st.sampled_from(
    [
        "[free](https://one.example)", "https://two.example/a_b", "<https://three.example>",
        "<@123>", "<@&123>", "<#123>", "</imagine:1>", "<t:1:R>", "<id:home>",
        "@everyone", "@here", "<:wave:123>", "<a:wave:123>", ":smile:", "::skin-tone-2:",
        ":100:", "1:8ball:", "discord.gg/abc",
        "**", "__", "~~", "||", "```", "`", "*a*", "_a_", "\\", "16:9", "é", "🙂",
        "# ", "## ", "-# ", "> ", ">>> ", "- ", "1. ", "\n", " ",
    ]
)  # fmt: skip
HOSTILE = st.lists(st.one_of(MARKED_UP, st.text(max_size=4)), max_size=12).map("".join)


def shown_by_client(text: str) -> str:
    """What the client shows, given that it finds no markup."""
    without_escapes = ESCAPED.sub("\uffff", text)
    for kind, pattern in MARKUP.items():
        assert not re.search(pattern, without_escapes), (kind, text)
    return ESCAPED.sub(r"\1", text)


@given(HOSTILE)
@example("[a](https://one.example) and [b](https://two.example)")
@example("see https://one.example/x_y_z")
@example("a\\*b*")
@example("1:100: 12:8ball: 1:2:3: 2:1234:")
@example("join discord.gg/abc or discordapp.com/invite/abc")
def test_escaped_text_is_shown_as_written(text: str) -> None:
    assert shown_by_client(escape(text)) == text


@pytest.mark.parametrize("text", ["a red house, 16:9", "l’été à 12:30 (ici)", "3,5 %"])
def test_ordinary_text_stays_readable(text: str) -> None:
    assert escape(text).replace("\\(", "(").replace("\\)", ")") == text


def _job(prompt: str) -> Job:
    member, place = Member("discord", "1", "2"), Place("discord", "1", "3")
    request = ImageRequest(Operation.IMAGINE, prompt, "postcard", 64, 64, 7)
    order = Order("discord:1", "imagine", member, place, request)
    return Job(uuid4(), order, Tier.FREE, JobState.QUEUED, 1, 1.0, datetime.now(UTC))


@settings(deadline=None)
@given(HOSTILE.filter(lambda text: len(text) < 100))
@example("[a](https://one.example) [b](https://two.example)")
def test_card_shows_the_prompt_as_written(prompt: str) -> None:
    rendered = card(_job(prompt), localizer_for("en"))
    title = message_view.card_text(rendered).removesuffix(f"\n{escape(rendered.text)}")
    assert shown_by_client(title.removeprefix("**").removesuffix("**")) == rendered.title


@given(HOSTILE, HOSTILE, HOSTILE)
@example("", "[a](https://one.example) [b](https://two.example)", "<@1>")
def test_answer_shows_every_value_as_written(text: str, name: str, value: str) -> None:
    reply = Reply(ReplyKind.ANSWER, text, title="Details", fields=(Field(name, value),))
    answer = message_view.answer_text(reply)
    bold = f"**{escape(name)}** · " if name else ""
    expected = "\n".join(part for part in ("**Details**", escape(text) if text else "") if part)
    assert answer == f"{expected}\n{bold}{escape(value)}"
    for part in (text, name, value):
        assert shown_by_client(escape(part)) == part


def test_long_value_is_shortened_and_the_others_stay() -> None:
    fields = (Field("Prompt", "a red_house " * 160), Field("Seed", "7"), Field("Order", "abcdef12"))
    answer = message_view.answer_text(Reply(ReplyKind.ANSWER, "", title="Details", fields=fields))
    assert len(answer) <= 2000
    assert answer.startswith("**Details**\n**Prompt** · a red\\_house a red")
    assert answer.endswith("…\n**Seed** · 7\n**Order** · abcdef12")
