"""A job's message at every moment: a cancel button or a bar only while it goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bots.core.cards import ALT_LENGTH, TITLE_LENGTH, bar_text, card, shorten
from bots.core.reply import Action, Card
from bots.core.sentences import LOCALES, speak
from imaging.request import Progress, Stage
from tasks.job import Estimate, Job, JobState, Line, Reason
from tests.unit.core.conftest import a_job, a_picture, a_request, an_order

SAY = speak("en")


def finished(count: int = 1, **changes: Any) -> Job:
    job = a_job(state=JobState.DONE, **changes)
    pictures = tuple(a_picture(job.id, index) for index in range(count))
    ended = job.created_at + timedelta(seconds=2)
    return a_job(id=job.id, state=JobState.DONE, order=job.order, ended_at=ended, pictures=pictures)


def actions(shown: Card) -> list[Action]:
    return [button.action for button in shown.buttons]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", list(JobState))
def test_a_message_in_progress_can_be_cancelled_and_an_ended_one_cannot(
    state: JobState, locale: str
) -> None:
    shown = card(a_job(state=state, reason=Reason("out-of-memory")), speak(locale))
    going_on = state in (JobState.QUEUED, JobState.RUNNING)
    assert (Action.CANCEL in actions(shown)) == going_on
    assert (shown.bar is not None) == (state is JobState.RUNNING)
    assert shown.text


def test_a_waiting_job_tells_its_place_and_an_honest_range() -> None:
    line = Line(12, Estimate(timedelta(minutes=2), timedelta(minutes=4)))
    shown = card(a_job(line=line), SAY)
    assert shown.text == "12th in line, about 2 min to 4 min"
    same = Line(12, Estimate(timedelta(minutes=3), timedelta(minutes=3)))
    assert card(a_job(line=same), SAY).text == "12th in line, about 3 min"
    assert card(a_job(line=Line(1, None)), SAY).text == "Next in line"
    assert card(a_job(), SAY).text == "In line"


def test_a_running_job_shows_its_steps() -> None:
    job = a_job(state=JobState.RUNNING)
    shown = card(job, SAY, Progress(Stage.STEPS, 2, 8))
    assert (shown.text, shown.bar) == ("Drawing, step 2 of 8", 0.25)
    assert card(job, SAY, Progress(Stage.LOADING)).text == "Getting the model ready"


def test_a_result_has_buttons_for_each_picture_and_for_the_whole() -> None:
    one, two = card(finished(), SAY), card(finished(2), SAY)
    assert one.text == "Done in 2 s"
    assert actions(one).count(Action.VARY) == 1
    assert actions(two).count(Action.VARY) == 2
    assert [b.label for b in two.buttons if b.action is Action.EDIT] == ["Edit 1", "Edit 2"]
    assert {Action.REROLL, Action.DETAILS, Action.DELETE, Action.REPORT} <= set(actions(one))
    assert Action.UNDO not in actions(one)


def test_a_picture_made_from_another_can_be_undone() -> None:
    parent = a_picture(a_job().id)
    shown = card(finished(order=an_order(parent=parent.id)), SAY)
    assert Action.UNDO in actions(shown)


def test_deleted_pictures_are_gone_from_the_message() -> None:
    job = finished()
    pictures = (a_picture(job.id, deleted=True),)
    shown = card(a_job(id=job.id, state=JobState.DONE, pictures=pictures), SAY)
    assert shown.pictures == ()
    assert shown.text == "These pictures were deleted."
    assert shown.buttons == ()


def test_a_failure_says_why_and_that_nothing_was_charged() -> None:
    shown = card(a_job(state=JobState.FAILED, reason=Reason("out-of-memory")), SAY)
    assert shown.text == (
        "That did not work. The picture was too large for the graphics card. Try a smaller one. "
        "Nothing was charged."
    )


def test_long_prompts_are_shortened_at_a_word() -> None:
    long = "house " * 400
    shown = card(a_job(order=an_order(request=a_request(prompt=long))), SAY)
    assert len(shown.title) <= TITLE_LENGTH
    assert shown.title.endswith("house…")
    assert len(shown.alt) <= ALT_LENGTH
    assert shorten("x" * 10, 5) == "xxxx…"


def test_a_bar_of_blocks_is_always_as_wide() -> None:
    assert {len(bar_text(share / 10)) for share in range(-2, 14)} == {12}
    assert bar_text(0.5) == "▰" * 6 + "▱" * 6


def test_a_member_is_told_that_a_busy_studio_makes_less_of_it() -> None:
    less = card(a_job(line=Line(3, None), degraded={"count": [4, 1], "steps": [8, 5]}), SAY).text
    assert less.startswith("3rd in line. Many are asking")
    assert "instead of 4" in less
    assert "instead" not in card(a_job(degraded={"steps": [8, 5]}), SAY).text
