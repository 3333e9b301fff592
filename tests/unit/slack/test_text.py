"""Slack's text: nothing that a member typed is ever read as markup, whatever it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.slack.mrkdwn import clip, escape, plain, without_mention
from tests.platforms.slack import blocks as rules

ACTIVE = st.sampled_from(
    ["<!channel>", "<!here>", "<!everyone>", "<@U0BORIS000>", "<!subteam^S0TYPED000|@x>", "&", "|"]
)
TYPED = st.lists(st.one_of(ACTIVE, st.text(max_size=12)), max_size=8).map("".join)


@given(TYPED)
def test_escaped_text_pings_nobody_and_reads_the_same(text: str) -> None:
    assert rules.pings(escape(text), []) == []
    assert rules.unescape(escape(text)) == text


@given(TYPED, st.integers(2, 60))
def test_a_cut_never_brings_markup_back(text: str, length: int) -> None:
    cut = clip(escape(text), length)
    assert len(cut) <= length
    assert rules.pings(cut, []) == []
    assert not cut.rstrip("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))


def test_what_slack_sends_is_made_plain() -> None:
    assert plain("a &lt;small&gt; cat &amp; a dog") == "a <small> cat & a dog"
    assert plain("like <https://example.com/a|example.com/a> and <https://b.org>") == (
        "like example.com/a and https://b.org"
    )
    assert plain("studio block <@U0BORIS000|boris>") == "studio block <@U0BORIS000|boris>"


def test_the_mention_is_no_part_of_the_prompt() -> None:
    assert without_mention("<@U0BOT> a red <@U0ANNA> house", "U0BOT") == "a red <@U0ANNA> house"
    assert without_mention("a red house, <@U0BOT|atelier>", "U0BOT") == "a red house,"
