"""mrkdwn: Slack parses no markup in member-written text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import SupportsIndex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.mrkdwn import (
    escape,
    mentioned_users,
    name_mentions,
    strip_mention,
    to_plain_text,
    truncate,
)
from tests.platforms.slack import blocks as rules

ACTIVE = st.sampled_from(
    ["<!channel>", "<!here>", "<!everyone>", "<@U0BORIS000>", "<!subteam^S0TYPED000|@x>", "&", "|"]
)
MEMBER_TEXT = st.lists(st.one_of(ACTIVE, st.text(max_size=12)), max_size=8).map("".join)


@settings(deadline=None)
@given(MEMBER_TEXT)
def test_escaped_text_pings_nobody_and_unescapes_to_itself(text: str) -> None:
    assert rules.pings(escape(text), []) == []
    assert rules.unescape(escape(text)) == text


@settings(deadline=None)
@given(MEMBER_TEXT, st.integers(2, 60))
def test_truncation_keeps_text_escaped(text: str, length: int) -> None:
    shortened = truncate(escape(text), length)
    assert len(shortened) <= length
    assert rules.pings(shortened, []) == []
    assert not shortened.rstrip("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))


def test_slack_markup_becomes_plain_text() -> None:
    assert to_plain_text("a &lt;small&gt; cat &amp; a dog") == "a <small> cat & a dog"
    assert to_plain_text("like <https://example.com/a|example.com/a> and <https://b.org>") == (
        "like example.com/a and https://b.org"
    )
    assert to_plain_text("studio block <@U0BORIS000|boris>") == "studio block <@U0BORIS000|boris>"


def test_mention_is_stripped_from_the_prompt() -> None:
    assert strip_mention("<@U0BOT> a red <@U0ANNA> house", "U0BOT") == "a red <@U0ANNA> house"
    assert strip_mention("a red house, <@U0BOT|atelier>", "U0BOT") == "a red house,"


def test_unmatched_brackets_are_ordinary_text() -> None:
    for text in ("a < b", "a > b", "<>", "<|x>", "<<<", ">>>", "a <b <c"):
        assert to_plain_text(text) == text
        assert strip_mention(text, "U0BOT") == text
    assert to_plain_text("<<https://a.org|a.org>>") == "<a.org>"
    assert strip_mention("<<@U0BOT> x", "U0BOT") == "< x"


def test_characters_that_no_database_stores_are_dropped() -> None:
    assert to_plain_text("a\0b\ud83dc \U0001f600") == "abc \U0001f600"


def test_mentions_become_names() -> None:
    text = "<@U0ANNA> and <@U0BORIS|boris> in <#C1|general>, <#C2>, <@U0ELSE> &amp; <!here>"
    assert mentioned_users(text) == ["U0ANNA", "U0BORIS", "U0ELSE"]
    named = name_mentions(text, {"U0ANNA": "Anna <b>", "U0ELSE": ""})
    assert named == "@Anna &lt;b&gt; and @boris in #general, <#C2>, <@U0ELSE> &amp; @here"
    assert to_plain_text(named).startswith("@Anna <b> and @boris in #general, ")


class CountedText(str):
    """Text that counts the characters each scan of it inspects."""

    inspected = 0

    def find(
        self, sub: str, start: SupportsIndex | None = 0, end: SupportsIndex | None = None
    ) -> int:
        found = super().find(sub, start, end)
        type(self).inspected += (len(self) if found == -1 else found + 1) - int(start or 0)
        return found

    def rfind(
        self, sub: str, start: SupportsIndex | None = 0, end: SupportsIndex | None = None
    ) -> int:
        found = super().rfind(sub, start, end)
        last = len(self) if end is None else int(end)
        type(self).inspected += last - (int(start or 0) if found == -1 else found)
        return found


HOSTILE = st.one_of(
    st.text("<>|@U0BOT& \t\n", max_size=400),
    st.tuples(
        st.sampled_from(["<", ">", " ", "|", "<@U0BOT|", "<@U0BOT>", "<a|", "< ", "&lt;", "\n"]),
        st.integers(1, 3000),
        st.sampled_from(["", ">", "<@U0BOT>", " x"]),
    ).map(lambda parts: parts[0] * parts[1] + parts[2]),
)


@pytest.mark.parametrize(
    "parse",
    [
        to_plain_text,
        partial(strip_mention, user="U0BOT"),
        partial(name_mentions, names={}),
        mentioned_users,
    ],
    ids=["plain", "strip", "name", "users"],
)
@settings(deadline=None)
@given(HOSTILE)
def test_work_is_linear_in_the_length(parse: Callable[[str], object], text: str) -> None:
    CountedText.inspected = 0
    parse(CountedText(text))
    assert len(text) <= CountedText.inspected <= 3 * len(text) + 3
