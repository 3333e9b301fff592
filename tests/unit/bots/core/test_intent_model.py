"""The model that guesses what a message asks for: its examples, and that rules come first."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from bots.core import command_parser
from bots.core.command_parser import parse_about, parse_in_channel
from bots.core.commands import Ask, Cancel, Edit, Imagine, Queue, Quota
from bots.core.intent_model import MAX_GUESSED, Intent, IntentModel, features, intent_model
from bots.core.small_talk import after_small_talk
from tests.train_intent_model import ROOT, WEIGHTS, data_hash
from tests.unit.bots.core.test_prompts_as_people_write_them import cases

PICTURE = UUID(int=7)


def test_weights_are_those_of_the_examples() -> None:
    stored = json.loads(WEIGHTS.read_text(encoding="utf-8"))["data"]
    assert stored == data_hash(), "run `python -m tests.train_intent_model`"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("a cormorant on a lighthouse in fog", Intent.PROMPT),
        ("un cormoran sur un phare dans la brume", Intent.PROMPT),
        ("the mudguard looks odd, can you fix that", Intent.CHANGE),
        ("le garde boue est un peu bizarre, corrige", Intent.CHANGE),
        ("any news on when mine will be ready", Intent.QUEUE),
        ("j'ai droit à combien de photos par jour", Intent.QUOTA),
        ("show me the ones i made last tuesday", Intent.HISTORY),
        ("hold on, drop that order", Intent.CANCEL),
        ("je préférais celle d'avant", Intent.UNDO),
        ("let me get another version", Intent.AGAIN),
        ("comment on s'y prend pour démarrer", Intent.HELP),
        ("vraiment trop fort bravo", Intent.TALK),
    ],
)
def test_messages_in_other_words_than_the_examples_are_recognized(
    text: str, intent: Intent
) -> None:
    assert intent_model().guess(text).intent is intent


def test_probability_grows_with_evidence() -> None:
    row = [0.0] * len(Intent)
    row[list(Intent).index(Intent.CANCEL)] = 2.0
    model = IntentModel([0.0] * len(Intent), {"scrap": row})
    guess, blank = model.guess("scrap"), model.guess("cormorant")
    assert guess.intent is Intent.CANCEL
    assert guess.of_a_picture < blank.of_a_picture == pytest.approx(2 / len(Intent))
    assert guess.probability > blank.probability == pytest.approx(1 / len(Intent))


def test_features_of_a_text_are_those_of_its_plain_spelling() -> None:
    assert features("Can U Make It BIGGER") == features("can you make it bigger")
    assert features("C’est prêt") == features("cest pret")


def test_no_prompt_of_other_tests_is_taken_for_anything_else() -> None:
    path = ROOT / "tests/unit/tasks/policy/data/ordinary_prompts.txt"
    known = {case.text for case in cases()}
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    prompts = [line for line in lines if not line.startswith("#") and line not in known]
    taken = [line for line in prompts if not isinstance(parse_in_channel(line), Imagine)]
    assert len(prompts) > 1500
    assert taken == ["make it look like a cereal box"]


def test_guess_needs_a_short_message_without_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    sure = replace(intent_model(), bias=tuple(99.0 * (i is Intent.CHANGE) for i in Intent))
    monkeypatch.setattr(command_parser, "intent_model", lambda: sure)
    assert isinstance(parse_in_channel("cormorant"), Ask)
    assert isinstance(parse_in_channel("cormorant --seed 7"), Imagine)
    assert isinstance(parse_in_channel("cormorant\nat dawn"), Imagine)
    assert isinstance(parse_in_channel("cormorant " * (MAX_GUESSED // 10 + 1)), Imagine)
    assert isinstance(parse_in_channel("draw a cormorant"), Imagine)
    assert isinstance(parse_in_channel("cormorant, woodcut illustration"), Imagine)


def test_question_about_the_account_beside_a_picture_is_answered() -> None:
    assert parse_about("how many credits does this one cost me", PICTURE) == Quota()
    assert parse_about("any idea when mine will be ready", PICTURE) == Queue()


@pytest.mark.parametrize("text", ["drop the hat", "scrap the order of colours", "enlève tout"])
def test_change_beside_a_picture_is_never_a_guessed_command(text: str) -> None:
    assert isinstance(parse_about(text, PICTURE), Edit)


def test_guess_of_what_changes_something_needs_certainty_and_a_word_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leaning(score: float) -> IntentModel:
        return IntentModel([score * (i is Intent.CANCEL) for i in Intent], {})

    monkeypatch.setattr(command_parser, "intent_model", lambda: leaning(5.0))
    assert parse_in_channel("cormorant fog: drop it") == Queue(cancelling=True)
    assert parse_in_channel("cormorant and the fog") == Queue()
    assert isinstance(parse_in_channel("drop cormorants"), Imagine)
    monkeypatch.setattr(command_parser, "intent_model", lambda: leaning(3.5))
    assert parse_in_channel("cormorant fog: drop it") == Queue()


def test_few_words_need_more_certainty(monkeypatch: pytest.MonkeyPatch) -> None:
    leaning = IntentModel([1.2 * (i is Intent.QUEUE) for i in Intent], {})
    monkeypatch.setattr(command_parser, "intent_model", lambda: leaning)
    assert parse_in_channel("cormorant of fog") == Queue()
    assert isinstance(parse_in_channel("cormorant fog"), Imagine)


def test_only_what_changes_nothing_is_guessed_beside_a_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sure(intent: Intent) -> IntentModel:
        return IntentModel([99.0 * (i is intent) for i in Intent], {})

    monkeypatch.setattr(command_parser, "intent_model", lambda: sure(Intent.QUEUE))
    assert parse_about("cormorant of fog", PICTURE) == Queue()
    monkeypatch.setattr(command_parser, "intent_model", lambda: sure(Intent.CANCEL))
    assert isinstance(parse_about("drop the cormorant now", PICTURE), Edit)


def test_request_is_found_after_small_talk() -> None:
    assert next(after_small_talk("haha brilliant, thanks! where is it")) == "where is it"
    assert not list(after_small_talk("a red house by the sea"))
    assert parse_in_channel("haha brilliant, thanks! cancel my order") == Cancel()
