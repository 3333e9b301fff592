"""A job's card in every state: a cancel button or a bar only while it is in progress."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bots.core.cards import ALT_LENGTH, TITLE_LENGTH, bar_text, card, shorten
from bots.core.locales import LOCALES, localizer_for
from bots.core.reply import Action, Card
from imaging.request import Progress, Stage
from tasks.jobs.job import Estimate, Job, QueuePosition, Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.unit.bots.core.conftest import a_job, a_picture, a_request, an_order

LOCALIZE = localizer_for("en")


def finished(count: int = 1, **changes: Any) -> Job:
    job = a_job(state=JobState.DONE, **changes)
    pictures = tuple(a_picture(job.id, index) for index in range(count))
    ended = job.created_at + timedelta(seconds=2)
    return a_job(id=job.id, state=JobState.DONE, order=job.order, ended_at=ended, pictures=pictures)


def actions(shown: Card) -> list[Action]:
    return [button.action for button in shown.buttons]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", list(JobState))
def test_only_a_job_in_progress_has_a_cancel_button(state: JobState, locale: str) -> None:
    shown = card(a_job(state=state, reason=Reason("out-of-memory")), localizer_for(locale))
    going_on = state in (JobState.QUEUED, JobState.RUNNING)
    assert (Action.CANCEL in actions(shown)) == going_on
    assert (shown.bar is not None) == (state is JobState.RUNNING)
    assert shown.text


def test_queued_card_shows_position_and_wait_range() -> None:
    line = QueuePosition(12, Estimate(timedelta(minutes=2), timedelta(minutes=4)))
    shown = card(a_job(line=line), LOCALIZE)
    assert shown.text == "12th in line, about 2 min to 4 min"
    same = QueuePosition(12, Estimate(timedelta(minutes=3), timedelta(minutes=3)))
    assert card(a_job(line=same), LOCALIZE).text == "12th in line, about 3 min"
    assert card(a_job(line=QueuePosition(1, None)), LOCALIZE).text == "Next in line"
    assert card(a_job(), LOCALIZE).text == "In line"


def test_running_card_shows_its_steps() -> None:
    job = a_job(state=JobState.RUNNING)
    shown = card(job, LOCALIZE, Progress(Stage.STEPS, 2, 8))
    assert (shown.text, shown.bar) == ("Drawing, step 2 of 8", 0.25)
    assert card(job, LOCALIZE, Progress(Stage.LOADING)).text == "Loading the model"


@pytest.mark.parametrize("progress", [None, Progress(Stage.WAITING)])
def test_order_that_the_device_does_not_work_on_is_not_called_drawing(
    progress: Progress | None,
) -> None:
    assert card(a_job(state=JobState.RUNNING), LOCALIZE, progress).text == "Starting soon"


def test_paused_card_says_why_and_how_far_it_is() -> None:
    free = a_job(state=JobState.RUNNING, tier=Tier.FREE)
    shown = card(free, LOCALIZE, Progress(Stage.PAUSED, 12, 30))
    assert shown.text == "Paused for a member of a higher tier, 12 of 30 steps done"
    assert shown.bar == 0.4
    relaxed = a_job(state=JobState.RUNNING, tier=Tier.PRO)
    shown = card(relaxed, LOCALIZE, Progress(Stage.PAUSED, 12, 30))
    assert shown.text == "Paused for a picture with priority, 12 of 30 steps done"


def test_result_has_buttons_for_each_picture_and_for_the_job() -> None:
    one, two = card(finished(), LOCALIZE), card(finished(2), LOCALIZE)
    assert one.text == "Done in 2 sec"
    assert actions(one).count(Action.VARY) == 1
    assert actions(two).count(Action.VARY) == 2
    assert [b.label for b in two.buttons if b.action is Action.EDIT] == ["Edit 1", "Edit 2"]
    assert {Action.REROLL, Action.DETAILS, Action.DELETE, Action.REPORT} <= set(actions(one))
    assert Action.UNDO not in actions(one)


def test_result_with_a_parent_has_an_undo_button() -> None:
    parent = a_picture(a_job().id)
    shown = card(finished(order=an_order(parent=parent.id)), LOCALIZE)
    assert Action.UNDO in actions(shown)


def test_card_hides_deleted_pictures() -> None:
    job = finished()
    pictures = (a_picture(job.id, deleted=True),)
    shown = card(a_job(id=job.id, state=JobState.DONE, pictures=pictures), LOCALIZE)
    assert shown.pictures == ()
    assert shown.text == "These pictures were deleted."
    assert shown.buttons == ()


def test_failed_card_shows_the_reason_and_no_charge() -> None:
    shown = card(a_job(state=JobState.FAILED, reason=Reason("out-of-memory")), LOCALIZE)
    assert shown.text == (
        "That didn’t work. The picture was too large for the graphics card. Try a smaller one. "
        "Nothing was charged."
    )


def test_long_prompt_is_shortened_at_a_word() -> None:
    long = "house " * 400
    shown = card(a_job(order=an_order(request=a_request(prompt=long))), LOCALIZE)
    assert len(shown.title) <= TITLE_LENGTH
    assert shown.title.endswith("house…")
    assert len(shown.alt) <= ALT_LENGTH
    assert shorten("x" * 10, 5) == "xxxx…"


def test_progress_bar_has_a_constant_width() -> None:
    assert {len(bar_text(share / 10)) for share in range(-2, 14)} == {12}
    assert bar_text(0.5) == "▰" * 6 + "▱" * 6


def test_queued_card_shows_degradation() -> None:
    less = card(
        a_job(line=QueuePosition(3, None), degraded={"count": [4, 1], "steps": [8, 5]}), LOCALIZE
    ).text
    assert less.startswith("3rd in line. Demand is high right now")
    assert "instead of 4" in less
    assert "instead" not in card(a_job(degraded={"steps": [8, 5]}), LOCALIZE).text


def test_end_of_a_prompt_that_the_model_does_not_read_is_said_with_the_order() -> None:
    long = "a red house " * 13 + "and a blue boat"
    for state in (JobState.QUEUED, JobState.RUNNING):
        shown = card(a_job(state=state, order=an_order(request=a_request(prompt=long))), LOCALIZE)
        assert "won’t see: “house and a blue boat”" in shown.text
    french = localizer_for("fr")
    shown = card(a_job(order=an_order(request=a_request(prompt=long))), french)
    assert "Il ne verra pas : « house and a blue boat »" in shown.text.replace("\xa0", " ").replace(
        "\u202f", " "
    )
    short = card(a_job(order=an_order(request=a_request(prompt="a red house"))), LOCALIZE)
    assert "won’t see" not in short.text
