"""The trial of forbidden words and a real order agree on every hidden word."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bots.core.command_handler import CommandHandler
from bots.core.command_parser import imagine
from bots.core.commands import Invocation, StudioWords
from bots.core.rate_limit import MemberRateLimiter
from imaging.profiles import profile_for
from tasks.admission.rules import decide
from tasks.jobs.job import Accepted, Order, Reason, Refused
from tests.unit.bots.core.conftest import a_job
from tests.unit.tasks.admission.test_rules import facts
from tests.unit.tasks.policy.test_word_filter_cases import evasions

MakeInvocation = Callable[..., Invocation]


@pytest.mark.parametrize("field", ["prompt", "negative"])
async def test_trial_and_order_agree_on_every_hidden_word(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, field: str
) -> None:
    words: list[str] = []

    def admit(order: Order) -> Accepted | Refused:
        decision = decide(facts(words=tuple(words), request=order.request), 1)
        return Refused(decision) if isinstance(decision, Reason) else Accepted(a_job(order=order))

    client.admin.words.return_value = words
    client.jobs.submit.side_effect = admit
    every_word = replace(profile_for("postcard"), unknown_words="draw")  # asks about none
    unhurried = MemberRateLimiter(clock=itertools.count(step=60).__next__)
    handler = replace(handler, profile=lambda _name: every_word, rate_limiter=unhurried)
    client.fleet.profiles.return_value = {"postcard": every_word}
    admin = invocation(administrator=True)
    for word, hidden in evasions():
        text = hidden if field == "prompt" else f"a house --no {hidden}"
        words[:] = [word]
        trial = await handler.answer(admin, StudioWords(trial=text))
        order = await handler.answer(invocation(), imagine(text))
        assert (trial.code, order.code) == ("studio-words-trial-hit", "forbidden-words"), text
        assert word in trial.text, text
        words[:] = ["another"]
        trial = await handler.answer(admin, StudioWords(trial=text))
        order = await handler.answer(invocation(), imagine(text))
        assert (trial.code, order.code) == ("studio-words-trial-pass", ""), text
