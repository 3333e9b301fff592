"""Numbers, durations, dates and reasons as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bots.core.locales import LOCALES, MissingMessage, localizer_for
from bots.core.refusals import refusal, sentence
from tasks.jobs.job import Reason
from tests.unit.tasks.admission.test_rules import REFUSALS


def test_positions_have_ordinal_suffixes() -> None:
    wait = timedelta(minutes=3)
    places = [localizer_for("en")("state-queued", position=n) for n in (2, 3, 11, 12, 21, 101, 112)]
    assert [place.split()[0] for place in places] == [
        "2nd",
        "3rd",
        "11th",
        "12th",
        "21st",
        "101st",
        "112th",
    ]
    english = localizer_for("en-US")("state-queued-estimate", position=12, wait=wait)
    assert english == "12th in line, about 3 min"
    french = localizer_for("fr-FR")("state-queued-estimate", position=12, wait=wait)
    assert french == "12e place dans la file, 3\u00a0min environ"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, ("1 sec", "1\u202fs")),
        (59, ("59 sec", "59\u202fs")),
        (59.7, ("1 min", "1\u00a0min")),
        (61, ("1 min", "1\u00a0min")),
        (3600, ("1 hr", "1\u202fh")),
        (7800, ("2 hr 10 min", "2\u202fh 10\u00a0min")),
        (4e5, ("5 days", "5\u202fj")),
    ],
)
def test_durations_are_formatted(seconds: float, text: tuple[str, str]) -> None:
    length = timedelta(seconds=seconds)
    assert (localizer_for("en").duration(length), localizer_for("fr").duration(length)) == text


def test_numbers_dates_and_plurals_follow_the_language() -> None:
    english, french = localizer_for("en"), localizer_for("fr")
    assert (english.number(1800.5), french.number(1800.5)) == ("1,800.5", "1\u202f800,5")
    assert (english.percent(0.87), french.percent(0.87)) == ("87%", "87\u00a0%")
    day = date(2026, 12, 15)
    assert (english.day(day), french.day(day)) == ("December 15, 2026", "15 décembre 2026")
    assert (french.ordinal(1), french.ordinal(2)) == ("1re", "2e")
    granted = {"member": "Ann", "credits": 1.5}
    assert english("studio-granted", **granted) == "Ann was granted 1.5 credits."
    assert french("studio-granted", **granted) == "Ann a reçu 1,5 crédit."


def test_unknown_locale_falls_back_to_english() -> None:
    assert localizer_for("de").locale == "en"


def test_missing_variable_raises() -> None:
    with pytest.raises(MissingMessage):
        localizer_for("en")("unknown-flag", flag="--x")


def test_stored_refusal_shows_its_moment_as_a_wait() -> None:
    returns = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    reason = Reason("quota-spent", {"left": 0.0, "cost": 1.0, "returns_at": returns})
    assert refusal(reason, localizer_for("en")).text == (
        "You’ve used up your credits. You can make this picture in 3 hr."
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", REFUSALS)
def test_every_admission_reason_has_the_variables_of_its_message(code: str, locale: str) -> None:
    _facts, details = REFUSALS[code]
    moment = {"returns_at": None} if code in ("quota-spent", "pool-spent") else {}
    localize = localizer_for(locale)
    assert sentence(Reason(code, {**details, **moment}), localize) != localize("imaging-failed")


def test_cost_above_the_quota_shows_the_limit_instead_of_a_wait() -> None:
    details = {"left": 2.0, "cost": 4.0, "limit": 3.0, "returns_at": None}
    own = sentence(Reason("quota-spent", details), localizer_for("en"))
    assert own.startswith("This costs 4 credits, and your quota is 3.")
    pool = sentence(Reason("pool-spent", details), localizer_for("en"))
    assert pool.startswith("This costs 4 credits, and your team shares 3.")


def test_spent_pool_is_named() -> None:
    returns = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    details = {"left": 0.5, "cost": 1.0, "limit": 1000.0, "returns_at": returns}
    text = sentence(Reason("pool-spent", details), localizer_for("en"))
    assert text == (
        "This costs 1 credit and your team has 0.5 shared credits left. You can make it in 3 hr."
    )


def test_unknown_reason_falls_back_to_a_general_message() -> None:
    assert sentence(Reason("gone-from-the-code"), localizer_for("en")) == localizer_for("en")(
        "imaging-failed"
    )


def test_scheduled_feature_shows_its_opening_day() -> None:
    details = {"feature": "edit", "tier": "free", "needs": "plus", "opens": "2026-12-15"}
    told = sentence(Reason("feature-not-in-tier", details), localizer_for("en"))
    assert told == "Editing opens to Free members on December 15, 2026."


@pytest.mark.parametrize(
    ("locale", "models", "words"),
    [
        ("en", ["sdxl"], "Available: sdxl."),
        ("en", [], "isn’t available right now, and neither is any other"),
        ("fr", [], "n’est pas disponible pour le moment, ni aucun autre"),
    ],
)
def test_refusal_of_a_model_names_those_that_there_are(
    locale: str, models: list[str], words: str
) -> None:
    reason = Reason("unknown-model", {"model": "dream", "models": models})
    text = sentence(reason, localizer_for(locale))
    assert words in text
    assert "dream" in text
