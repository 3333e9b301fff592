"""Every sentence exists in both languages, and needs the same things."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bots.core.sentences
from bots.core.command import BadInput
from bots.core.reasons import refusal, sentence
from bots.core.reply import Action
from bots.core.sentences import LOCALES, MissingSentence, speak
from imaging import errors
from tasks.job import Reason
from tests.unit.tasks.test_admission import REFUSALS

FOLDER = Path(bots.core.sentences.__file__).parent


def messages(locale: str) -> dict[str, str]:
    text = (FOLDER / f"{locale}.ftl").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^(?=[a-z][a-z0-9-]* =)", text)
    found = (part.partition(" =") for part in parts[1:])
    return {name: body for name, _, body in found}


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    english, french = messages("en"), messages("fr")
    assert english.keys() == french.keys()
    for name, body in english.items():
        values = set(re.findall(r"\$(\w+)", body))
        assert values == set(re.findall(r"\$(\w+)", french[name])), name


@pytest.mark.parametrize("locale", LOCALES)
def test_every_fault_every_button_and_every_imaging_error_has_its_sentence(locale: str) -> None:
    say = speak(locale)
    codes = [error.code for error in errors.ImagingError.__subclasses__()]
    names = [*BadInput, *(f"button-{action}" for action in Action), *codes]
    assert [name for name in names if not say.knows(name)] == []


def test_a_place_in_line_reads_as_people_say_it() -> None:
    wait = timedelta(minutes=3)
    places = [speak("en")("state-queued", position=n) for n in (2, 3, 11, 12, 21, 101, 112)]
    assert [place.split()[0] for place in places] == [
        "2nd",
        "3rd",
        "11th",
        "12th",
        "21st",
        "101st",
        "112th",
    ]
    english = speak("en-US")("state-queued-estimate", position=12, wait=wait)
    assert english == "12th in line, about 3 min"
    french = speak("fr-FR")("state-queued-estimate", position=12, wait=wait)
    assert french == "12e dans la file, 3 min environ"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (59, "59 s"), (61, "1 min"), (3600, "1 h"), (7800, "2 h 10 min"), (4e5, "5 days")],
)
def test_durations_are_written_out(seconds: float, text: str) -> None:
    assert speak("en").duration(timedelta(seconds=seconds)) == text


def test_an_unknown_language_is_spoken_to_in_english() -> None:
    assert speak("de").locale == "en"


def test_a_sentence_that_lacks_a_value_is_a_defect_and_not_a_blank() -> None:
    with pytest.raises(MissingSentence):
        speak("en")("unknown-flag", flag="--x")


def test_a_refusal_from_the_record_has_its_moment_as_a_wait() -> None:
    returns = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    reason = Reason("quota-spent", {"left": 0.0, "cost": 1.0, "returns_at": returns})
    assert refusal(reason, speak("en")).text == (
        "Your quota is used up; your next credit is back in 3 h."
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", REFUSALS)
def test_every_reason_against_an_order_has_the_details_of_its_sentence(
    code: str, locale: str
) -> None:
    _facts, details = REFUSALS[code]
    moment = {"returns_at": None} if code == "quota-spent" else {}
    say = speak(locale)
    assert sentence(Reason(code, {**details, **moment}), say) != say("imaging-failed")


def test_a_quota_that_never_has_enough_is_not_waited_for() -> None:
    reason = Reason("quota-spent", {"left": 2.0, "cost": 4.0, "returns_at": None})
    assert sentence(reason, speak("en")).startswith("This needs 4 credits at once")


def test_a_reason_of_an_older_record_is_told_without_details() -> None:
    assert sentence(Reason("gone-from-the-code"), speak("en")) == speak("en")("imaging-failed")


def test_a_feature_that_has_a_day_is_told_with_its_day() -> None:
    details = {"feature": "edit", "tier": "free", "needs": "plus", "opens": "2026-12-15"}
    told = sentence(Reason("feature-not-in-tier", details), speak("en"))
    assert told == "Editing will open for Free on 2026-12-15."
