"""What a card echoes, pasted back, is the same order on each platform."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bots.core.command_parser import imagine, parse_in_channel
from bots.core.commands import BadCommand, Command, Imagine
from bots.core.order_text import order_text
from bots.discord.escaping import escape as escape_for_discord
from bots.discord.source_images import LINK, without_links
from bots.slack.mrkdwn import escape as escape_for_slack
from bots.slack.mrkdwn import strip_mention
from bots.slack.translate import parse_text
from bots.web.translate import PromptForm, command_of
from tests.platforms.slack import blocks as slack_rules
from tests.unit.bots.discord.test_escaping import shown_by_client

BOT = "U0BOT"
PIECES = st.sampled_from(
    ["a", "red", "house", "l’été", "日本", "👨‍👩‍👧", "16:9",
     "7", "&", "<b>", "*x*", "_y_", ":tada:",
     "—", "-", "--", "–", "ar", "no", "seed", "help", "annule", "make it", "the", "blue", "mets",
     "la", "maison", "imagine", "/imagine", "prompt:", "(", ")", "[x](y)", "?", "encore",
     "@everyone", "square", "format", "please", "x4", "seed 42", "in", "en", "thanks", "again",
     "2 pictures of", "1920x1080", ",", "!", "queue", "how long",
     "--ar 4:3", "--no trees, fog", "--seed 7", "--strength 0,5", "--count 2", "--model sdxl"]
)  # fmt: skip
TYPED = st.lists(st.one_of(PIECES, st.text(max_size=6)), min_size=1, max_size=9).map(" ".join)


def from_discord(echo: str) -> Command | BadCommand:
    """Copied from what Discord's client shows of an answer, and sent in a mention."""
    return parse_in_channel(without_links(shown_by_client(escape_for_discord(echo))))


def from_slack(echo: str) -> Command | BadCommand:
    """Copied from what Slack shows, and sent in a mention, which Slack escapes."""
    shown = slack_rules.unescape(escape_for_slack(echo))
    sent = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return parse_text(strip_mention(f"<@{BOT}> {sent}", BOT), (), None)


def from_the_page(echo: str) -> Command | BadCommand:
    """Copied from the page, and typed into its prompt box."""
    return command_of(PromptForm(text=echo))


@pytest.mark.parametrize("paste", [from_discord, from_slack, from_the_page])
@settings(deadline=None, max_examples=400)
@given(typed=TYPED)
@example(typed="a . square ,")
@example(typed="lake—no people ,")
@example(typed="a robot —ar 16:9— in (no text, 4:5)")
@example(typed="make it rain, a banker")
@example(typed="cancel that and draw a cat")
@example(typed="U2")
def test_echoed_order_pasted_back_is_the_same_order(
    paste: Callable[[str], Command | BadCommand], typed: str
) -> None:
    order = imagine(typed)
    assume(isinstance(order, Imagine) and not LINK.search(order.prompt))
    assert isinstance(order, Imagine)
    assert paste(order_text(order)) == order


@pytest.mark.parametrize(
    "prompt", ["make the house blue", "help", "encore", "/queue", "mets-la en bleu"]
)
def test_prompt_that_reads_as_something_else_is_echoed_as_an_order(prompt: str) -> None:
    assert order_text(Imagine(prompt)) == f"/imagine {prompt}"
    for paste in (from_discord, from_slack, from_the_page):
        assert paste(order_text(Imagine(prompt))) == Imagine(prompt)
