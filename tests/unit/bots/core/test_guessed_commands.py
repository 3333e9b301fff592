"""When a guess of the intent model is taken: how likely, of how many words, and naming what."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

import pytest

from bots.core import command_parser, commands
from bots.core.command_parser import parse, parse_about, parse_in_channel
from bots.core.commands import (
    Ask,
    BadCommand,
    BadInput,
    Command,
    Edit,
    Imagine,
    Reroll,
    Undo,
    Waitlist,
)
from bots.core.intent_model import TOLD, Guess, Intent

PICTURE = UUID(int=7)
TALK = BadCommand(BadInput.NOTHING_TO_DRAW)


class Model:
    """Guesses the same of every text."""

    def __init__(self, intent: Intent, probability: float, told: Intent | None = None) -> None:
        shown = intent in {Intent.PROMPT, Intent.CHANGE}
        self._guess = Guess(
            intent,
            probability,
            probability if shown else 1 - probability,
            told or (intent if intent in TOLD else Intent.TALK),
        )

    def guess(self, text: str) -> Guess:
        assert text
        return self._guess


def install(monkeypatch: pytest.MonkeyPatch, intent: Intent, probability: float) -> None:
    model = Model(intent, probability)
    monkeypatch.setattr(command_parser, "intent_model", lambda: model)


CASES: list[tuple[Intent, str, float, Command | BadCommand]] = [
    # a message that no rule knows, the least probability, and the command
    (Intent.HELP, "blue whales above", 0.8, commands.Help()),
    (Intent.QUEUE, "blue whales above", 0.8, commands.Queue()),
    (Intent.QUOTA, "blue whales above", 0.8, commands.Quota()),
    (Intent.HISTORY, "blue whales above", 0.8, commands.History()),
    (Intent.SETTINGS, "blue whales above", 0.8, commands.Settings({})),
    (Intent.TALK, "blue whales above", 0.8, TALK),
    (Intent.CANCEL, "blue whales scrap above", 0.8, commands.Queue(cancelling=True)),
    (Intent.UNDO, "blue whales older", 0.8, Undo()),
    (Intent.AGAIN, "blue whales pareil", 0.8, Reroll()),
]


@pytest.mark.parametrize(("intent", "text", "least", "command"), CASES)
def test_likely_command_is_taken(
    monkeypatch: pytest.MonkeyPatch,
    intent: Intent,
    text: str,
    least: float,
    command: Command | BadCommand,
) -> None:
    for probability in (least, (least + 1) / 2, 1.0):
        install(monkeypatch, intent, probability)
        assert parse(text) == command
    for probability in (least - 0.001, 0.0):
        install(monkeypatch, intent, probability)
        assert parse(text) == Imagine(text)


@pytest.mark.parametrize("intent", [Intent.PROMPT, Intent.CHANGE])
def test_likely_prompt_or_change_is_a_prompt(
    monkeypatch: pytest.MonkeyPatch, intent: Intent
) -> None:
    install(monkeypatch, intent, 1.0)
    assert parse("blue whales above") == Imagine("blue whales above")


@pytest.mark.parametrize(
    ("intent", "enough", "short"),
    [
        (Intent.UNDO, "blue whales older", "whales older"),
        (Intent.AGAIN, "blue whales pareil", "whales pareil"),
    ],
)
def test_short_message_changes_nothing_and_is_not_drawn(
    monkeypatch: pytest.MonkeyPatch, intent: Intent, enough: str, short: str
) -> None:
    install(monkeypatch, intent, 1.0)
    assert parse(enough) not in (TALK, Imagine(enough))
    assert parse(short) == TALK


def test_short_message_that_names_cancelling_is_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules know the short orders to cancel, so that "cancel the show" is a picture."""
    install(monkeypatch, Intent.CANCEL, 1.0)
    assert parse("blue whales scrap above") == commands.Queue(cancelling=True)
    assert parse("blue whales scrap") == Imagine("blue whales scrap")


@pytest.mark.parametrize("text", ["whales", "blue whales"])
def test_one_or_two_words_need_more_certainty(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    for probability, command in ((0.9, commands.Queue()), (0.899, Imagine(text))):
        install(monkeypatch, Intent.QUEUE, probability)
        assert parse(text) == command
    for probability, asks in ((0.9, True), (0.899, False)):
        install(monkeypatch, Intent.CHANGE, probability)
        order = Imagine(text)
        assert parse_in_channel(text) == (Ask(text, order) if asks else order)


def test_one_word_is_enough_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Intent.QUEUE, 1.0)
    assert parse("whales") == commands.Queue()


@pytest.mark.parametrize("intent", [Intent.CANCEL, Intent.UNDO, Intent.AGAIN])
def test_guess_that_changes_something_must_be_named(
    monkeypatch: pytest.MonkeyPatch, intent: Intent
) -> None:
    install(monkeypatch, intent, 1.0)
    assert parse("blue whales above green seas") == TALK


def test_what_is_no_picture_is_told_however_unsure_its_intent_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half help and half talk, but no picture: the likeliest answer, and nothing is drawn."""
    text = "blue whales above"
    for of_a_picture, command in ((0.2, commands.Help()), (0.201, Imagine(text))):
        guess = Guess(Intent.HELP, 0.4, of_a_picture, Intent.HELP)
        monkeypatch.setattr(Model, "guess", lambda _self, _text, guess=guess: guess)
        install(monkeypatch, Intent.HELP, 0.4)
        assert parse(text) == command
        assert parse_about(text, PICTURE) == Edit(PICTURE, text)


def test_long_text_several_lines_and_flags_are_not_guessed_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, Intent.QUEUE, 1.0)
    longest = "blue whale " * 10 + "and a seal"
    assert len(longest) == 120
    assert parse(longest) == commands.Queue()
    assert parse(longest[:-1]) == commands.Queue()
    for text in (longest + "s", longest + " in the sea"):
        assert parse(text) == Imagine(text)
    assert parse("blue whales\nabove") == Imagine("blue whales above")
    assert isinstance(parse("blue whales -x 5"), Imagine)


@pytest.mark.parametrize(
    ("intent", "command"),
    [
        (Intent.QUEUE, commands.Queue()),
        (Intent.QUOTA, commands.Quota()),
        (Intent.HISTORY, commands.History()),
        (Intent.HELP, commands.Help()),
        (Intent.TALK, TALK),
        (Intent.SETTINGS, None),
        (Intent.CHANGE, None),
        (Intent.PROMPT, None),
    ],
)
def test_words_about_a_picture_are_an_edit_unless_a_question_is_sure(
    monkeypatch: pytest.MonkeyPatch, intent: Intent, command: Command | None
) -> None:
    text = "blue whales above"
    install(monkeypatch, intent, 0.9)
    assert parse_about(text, PICTURE) == (command or Edit(PICTURE, text))
    install(monkeypatch, intent, 0.899)
    assert parse_about(text, PICTURE) == Edit(PICTURE, text)


@pytest.mark.parametrize(("probability", "asks"), [(0.7, True), (1.0, True), (0.699, False)])
def test_likely_change_in_a_channel_asks_which_picture_is_meant(
    monkeypatch: pytest.MonkeyPatch, probability: float, asks: bool
) -> None:
    text = "bluer whales above"
    install(monkeypatch, Intent.CHANGE, probability)
    order = Imagine(text)
    assert parse_in_channel(text) == (Ask(text, order) if asks else order)


@pytest.mark.parametrize("text", ["draw a blue whale", "a whale --seed 5"])
def test_order_that_rules_know_is_no_change(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    install(monkeypatch, Intent.CHANGE, 1.0)
    assert isinstance(parse_in_channel(text), Imagine)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("join the waitlist", Waitlist("join")),
        ("leave the waitlist", Waitlist("leave")),
        ("quit the wait list", Waitlist("leave")),
    ],
)
def test_waitlist_is_joined_and_left_in_words(
    monkeypatch: pytest.MonkeyPatch, text: str, command: Waitlist
) -> None:
    def refuse() -> NoReturn:
        raise AssertionError("A rule knows this.")

    monkeypatch.setattr(command_parser, "intent_model", refuse)
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "another bee please",
        "one more lighthouse for her",
        "encore un café stp",
        "une autre planète là",
    ],
)
def test_another_thing_is_not_the_same_again(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    install(monkeypatch, Intent.AGAIN, 0.99)
    assert parse(text) == Imagine(text)


@pytest.mark.parametrize(
    "text", ["can i get another one please", "donne m'en encore une autre stp"]
)
def test_another_picture_is_the_same_again(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    install(monkeypatch, Intent.AGAIN, 0.99)
    assert parse(text) == Reroll()


@pytest.mark.parametrize("intent", [Intent.HELP, Intent.QUEUE, Intent.TALK, Intent.CANCEL])
def test_an_order_for_a_picture_is_no_command(
    monkeypatch: pytest.MonkeyPatch, intent: Intent
) -> None:
    install(monkeypatch, intent, 0.99)
    assert parse("wesh fais un squelette dj") == Imagine("wesh fais un squelette dj")


@pytest.mark.parametrize(
    "text",
    [
        "i don't want it anymore",
        "sorry i changed my mind",
        "j'en veux plus",
        "j'ai changé d'avis",
        "cancel the ghost please",
        "annule le fantôme stp",
    ],
)
def test_what_is_no_longer_wanted_is_offered_to_be_cancelled(text: str) -> None:
    assert parse(text) == commands.Queue(cancelling=True)


def test_no_longer_wanting_a_thing_in_a_picture_lists_no_orders() -> None:
    assert isinstance(parse_about("i don't want it anymore", PICTURE), Edit)


@pytest.mark.parametrize(
    "text",
    [
        "la dernière modif est ratée, annule-la",
        "annule le dernier changement stp",
        "can you cancel the last edit",
        "please cancel that change",
    ],
)
def test_cancelling_a_change_undoes_it_and_cancels_no_order(text: str) -> None:
    assert parse(text) == Undo()


@pytest.mark.parametrize("text", ["annule ma commande", "cancel it, i'll change the prompt"])
def test_cancelling_an_order_is_no_undoing(text: str) -> None:
    assert parse(text) == commands.Cancel()


@pytest.mark.parametrize("text", ["cancel the show", "annule la fête", "drop the bass"])
def test_cancelled_show_is_a_picture(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    install(monkeypatch, Intent.PROMPT, 1.0)
    assert parse(text) == Imagine(text)
