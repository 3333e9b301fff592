"""Cards, replies and views keep Block Kit's limits for every prompt and every job."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.core.cards import card
from bots.core.reply import Action, Button, Field, Reply, ReplyKind
from bots.core.sentences import Sentences, speak
from bots.slack import blocks, views
from bots.slack.views import Origin
from imaging.request import Progress, Stage
from tasks.client import Allowance, Doors, WaitlistPlace, WorkspaceSettings
from tasks.job import JobState, Reason
from tasks.tiers import DoorState, Tier
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.parcels import finished
from tests.unit.slack.test_text import TYPED

PROMPTS = st.one_of(TYPED, st.text(min_size=1, max_size=2000))
LOCALES = st.sampled_from(["en", "fr"]).map(speak)


@settings(max_examples=60, deadline=None)
@given(PROMPTS, st.sampled_from(JobState), st.integers(1, 4), LOCALES)
def test_a_job_can_be_shown_in_every_state(
    prompt: str, state: JobState, count: int, say: Sentences
) -> None:
    job = finished("T1", "C1", "U1", "1.0", {"channel": "C1", "ts": "2.0"}, count).job
    request = replace(job.order.request, prompt=prompt)
    job = replace(
        job, state=state, order=replace(job.order, request=request), reason=Reason("unsafe")
    )
    drawn = card(job, say, Progress(Stage.STEPS, 3, 8))
    shown = blocks.card_blocks(drawn, [f"F{n:09d}" for n in range(len(drawn.pictures))], say)
    assert rules.message_faults(shown) == []
    assert rules.pings(blocks.card_text(drawn), []) == rules.pings("", shown) == []
    assert len(blocks.card_text(drawn)) <= blocks.TEXT_LIMIT


@settings(max_examples=60, deadline=None)
@given(TYPED, st.integers(0, 60), LOCALES)
def test_an_answer_of_any_length_can_be_shown(words: str, facts: int, say: Sentences) -> None:
    reply = Reply(
        ReplyKind.ANSWER,
        words * 40,
        title=words,
        fields=tuple(Field(words or "x", words * 20) for _ in range(facts)),
        buttons=tuple(Button(Action.CANCEL, words or "x", uuid4(), n) for n in range(facts)),
    )
    assert rules.message_faults(blocks.reply_blocks(reply, say)) == []
    assert rules.pings(blocks.reply_text(reply), []) == []


@settings(max_examples=40, deadline=None)
@given(PROMPTS, LOCALES, st.lists(st.text("abc/-", min_size=1, max_size=90), max_size=120))
def test_modals_and_the_home_tab_keep_their_limits(
    prompt: str, say: Sentences, models: list[str]
) -> None:
    origin = Origin("C0GENERAL0", "1.0", uuid4().hex, "F000000001")
    assert Origin.load(origin.dump()) == origin
    for view in (
        views.compose(say, models, origin),
        views.edit(say, origin),
        views.reroll(say, prompt, origin),
        views.report(say, origin),
        views.unavailable(say),
        views.home(say, _home(prompt)),
    ):
        assert rules.view_faults(view) == []
        typed = [p for p in rules.pings("", view["blocks"]) if "S0PLUS0000>" not in p]
        assert typed == []


def _home(prompt: str) -> views.Home:
    pictures = finished("T1", "C1", "U1", "1.0", {}, 4).job.pictures * 5
    pictures = tuple(replace(p, id=uuid4(), instruction=prompt) for p in pictures)
    doors = [Doors(tier, DoorState.AUTO, state) for tier, state in
             zip(Tier, (DoorState.OPEN, DoorState.WAITLIST, DoorState.CLOSED, DoorState.OPEN),
                 strict=True)]  # fmt: skip
    return views.Home(
        allowance=Allowance(Tier.PLUS, 50, 49.5, 0, timedelta(hours=3), (), False),
        pictures=pictures,
        doors=doors,
        waitlist=WaitlistPlace(4, datetime.now(UTC), None),
        files={str(p.id): "F000000001" for p in pictures[::2]},
        server=views.Server(WorkspaceSettings(), {"S0PLUS0000": Tier.PLUS}),
    )


@pytest.mark.parametrize(
    ("place", "told", "may_join"),
    [
        (WaitlistPlace(None, None, None), "", True),
        (WaitlistPlace(4, datetime.now(UTC), None), "4th on the waitlist", False),
        (
            WaitlistPlace(None, datetime.now(UTC), datetime.now(UTC) + timedelta(hours=11.5)),
            "It is your turn",
            False,
        ),
    ],
)
def test_the_home_tab_knows_who_waits_and_who_is_invited(
    place: WaitlistPlace, told: str, may_join: bool
) -> None:
    home = replace(_home("a red star"), waitlist=place)
    shown = json.dumps(views.home(speak("en"), home))
    assert told in shown
    assert ("Join the waitlist" in shown) is may_join


def test_buttons_survive_the_journey() -> None:
    target = uuid4()
    say = speak("en")
    for action in Action:
        (row,) = blocks.button_rows((Button(action, "label", target, 2),), say)
        assert blocks.read_button(row["elements"][0]) == (action, target)
    (row,) = blocks.button_rows((Button(Action.JOIN_WAITLIST, "label"),), say)
    assert blocks.read_button(row["elements"][0]) == (Action.JOIN_WAITLIST, None)
    with pytest.raises(ValueError, match="dance"):
        blocks.read_button({"action_id": "atelier:dance:0", "value": "-"})
