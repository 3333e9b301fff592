"""Cards, replies and views keep Block Kit's limits for every prompt and every job."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.core.cards import card
from bots.core.locales import Localizer, localizer_for
from bots.core.reply import Action, Button, Field, Reply, ReplyKind
from bots.slack import blocks, home_view, views
from bots.slack.views import Origin
from imaging.request import Progress, Stage
from tasks.client import Allowance, Doors, WaitlistPlace, WorkspaceSettings
from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import DoorState, Tier
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.delivery_builders import finished
from tests.unit.bots.slack.test_mrkdwn import MEMBER_TEXT

MARKUP = st.sampled_from(
    [
        "*bold*", "_it_", "~no~", "`code`", "```\ncode\n```", "\n> quote", ":tada:", "<!channel>",
        "https://evil.example", "evil.example", "<https://evil.example|safe>", "@here", "#general",
        "mailto:a@b.example", "<@U0BORIS000>", "&lt;!here&gt;", " ",
    ]
)  # fmt: skip
MARKED_UP = st.lists(st.one_of(MARKUP, st.text(max_size=6)), max_size=8).map("".join)
PROMPTS = st.one_of(MEMBER_TEXT, st.text(min_size=1, max_size=2000))
LOCALES = st.sampled_from(["en", "fr"]).map(localizer_for)


@settings(max_examples=60, deadline=None)
@given(PROMPTS, st.sampled_from(JobState), st.integers(1, 4), LOCALES)
def test_every_job_state_renders_within_the_limits(
    prompt: str, state: JobState, count: int, localize: Localizer
) -> None:
    job = finished("T1", "C1", "U1", "1.0", {"channel": "C1", "ts": "2.0"}, count).job
    request = replace(job.order.request, prompt=prompt)
    job = replace(
        job, state=state, order=replace(job.order, request=request), reason=Reason("unsafe")
    )
    job_card = card(job, localize, Progress(Stage.STEPS, 3, 8))
    shown = blocks.card_blocks(
        job_card, [f"F{n:09d}" for n in range(len(job_card.pictures))], localize
    )
    assert rules.message_errors(shown) == []
    assert rules.pings(blocks.card_text(job_card), []) == rules.pings("", shown) == []
    assert len(blocks.card_text(job_card)) <= blocks.TEXT_LIMIT


@settings(max_examples=60, deadline=None)
@given(MEMBER_TEXT, st.integers(0, 60), LOCALES)
def test_reply_of_any_length_renders_within_the_limits(
    words: str, facts: int, localize: Localizer
) -> None:
    reply = Reply(
        ReplyKind.ANSWER,
        words * 40,
        title=words,
        fields=tuple(Field(words or "x", words * 20) for _ in range(facts)),
        buttons=tuple(Button(Action.CANCEL, words or "x", uuid4(), n) for n in range(facts)),
    )
    assert rules.message_errors(blocks.reply_blocks(reply, localize)) == []
    assert rules.pings(blocks.reply_text(reply), []) == []


@settings(max_examples=40, deadline=None)
@given(PROMPTS, LOCALES, st.lists(st.text("abc/-", min_size=1, max_size=90), max_size=120))
def test_views_render_within_the_limits(
    prompt: str, localize: Localizer, models: list[str]
) -> None:
    origin = Origin("C0GENERAL0", "1.0", uuid4().hex, "F000000001")
    assert Origin.load(origin.dump()) == origin
    for view in (
        views.compose(localize, models, origin),
        views.edit(localize, origin),
        views.reroll(localize, prompt, origin),
        views.report(localize, origin),
        home_view.unavailable(localize),
        home_view.home(localize, _home(prompt)),
    ):
        assert rules.view_errors(view) == []
        member_pings = [
            p
            for p in rules.pings("", view["blocks"])
            if "S0PLUS0000>" not in p and "S0GOLD0000>" not in p
        ]
        assert member_pings == []


@settings(max_examples=60, deadline=None)
@given(MARKED_UP, st.sampled_from(JobState), LOCALES)
@example("*bold* :tada: <!channel> https://evil.example", JobState.DONE, localizer_for("en"))
def test_nothing_a_member_writes_is_active(
    written: str, state: JobState, localize: Localizer
) -> None:
    job = finished("T1", "C1", "U1", "1.0", {"channel": "C1", "ts": "2.0"}, 2).job
    request = replace(job.order.request, prompt=written)
    job = replace(job, state=state, order=replace(job.order, request=request))
    job_card = card(job, localize)
    reply = Reply(
        ReplyKind.ANSWER,
        written,
        title=written,
        fields=(Field(written or "x", written),),
        buttons=(Button(Action.CANCEL, written or "x", uuid4()),),
    )
    shown = [
        blocks.card_blocks(job_card, ["F000000001", "F000000002"], localize),
        blocks.reply_blocks(reply, localize),
        blocks.message(written)["blocks"],
        *(
            view["blocks"]
            for view in (
                views.reroll(localize, written or "x", Origin()),
                views.compose(localize, [written or "x", "other"], Origin()),
                home_view.home(localize, _home(written, written)),
            )
        ),
    ]
    assert [rules.active("", each) for each in shown[:-1]] == [[]] * (len(shown) - 1)
    assert set(rules.active("", shown[-1])) <= {"<!subteam^S0PLUS0000>"}
    fallbacks = (
        blocks.card_text(job_card),
        blocks.reply_text(reply),
        blocks.message(written)["text"],
    )
    assert [rules.pings(each, []) for each in fallbacks] == [[]] * len(fallbacks)


@settings(deadline=None)
@given(MARKED_UP)
def test_members_read_what_was_written(written: str) -> None:
    reply = Reply(ReplyKind.ANSWER, written, fields=(Field("name", written),))
    visible = rules.words(blocks.reply_blocks(reply, localizer_for("en")))
    assert visible.count(written) >= (2 if written.strip() else 1)


def _home(prompt: str, role: str = "S0GOLD0000") -> home_view.HomeData:
    pictures = finished("T1", "C1", "U1", "1.0", {}, 4).job.pictures * 5
    pictures = tuple(replace(p, id=uuid4(), instruction=prompt) for p in pictures)
    doors = [Doors(tier, DoorState.AUTO, state) for tier, state in
             zip(Tier, (DoorState.OPEN, DoorState.WAITLIST, DoorState.CLOSED, DoorState.OPEN),
                 strict=True)]  # fmt: skip
    return home_view.HomeData(
        allowance=Allowance(Tier.PLUS, 50, 49.5, 0, timedelta(hours=3), (), False),
        pictures=pictures,
        doors=doors,
        waitlist=WaitlistPlace(4, datetime.now(UTC), None),
        files={str(p.id): "F000000001" for p in pictures[::2]},
        server=home_view.ServerSettings(
            WorkspaceSettings(), {"S0PLUS0000": Tier.PLUS, role: Tier.PRO}
        ),
    )


@pytest.mark.parametrize(
    ("place", "text", "may_join"),
    [
        (WaitlistPlace(None, None, None), "", True),
        (WaitlistPlace(4, datetime.now(UTC), None), "4th on the waitlist", False),
        (
            WaitlistPlace(None, datetime.now(UTC), datetime.now(UTC) + timedelta(hours=11.5)),
            "s your turn. Ask for a picture",
            False,
        ),
    ],
)
def test_home_tab_shows_waitlist_and_invitation(
    place: WaitlistPlace, text: str, may_join: bool
) -> None:
    home = replace(_home("a red star"), waitlist=place)
    shown = json.dumps(home_view.home(localizer_for("en"), home))
    assert text in shown
    assert ("Join the waitlist" in shown) is may_join


def test_parsed_button_has_its_action_and_target() -> None:
    target = uuid4()
    localize = localizer_for("en")
    for action in Action:
        (row,) = blocks.button_rows((Button(action, "label", target, 2),), localize)
        assert blocks.parse_button(row["elements"][0]) == (action, target)
    (row,) = blocks.button_rows((Button(Action.JOIN_WAITLIST, "label"),), localize)
    assert blocks.parse_button(row["elements"][0]) == (Action.JOIN_WAITLIST, None)
    with pytest.raises(ValueError, match="dance"):
        blocks.parse_button({"action_id": "atelier:dance:0", "value": "-"})
