"""What is cancelled or charged was asked for: words about a command are no command."""

from __future__ import annotations

from uuid import UUID

import pytest

from bots.core.careful_commands import several_wishes
from bots.core.command_parser import parse, parse_about, parse_in_channel
from bots.core.commands import (
    Ask,
    BadCommand,
    BadInput,
    Cancel,
    Command,
    Edit,
    Help,
    History,
    Imagine,
    Queue,
    Quota,
    Reroll,
    Upscale,
)
from bots.core.locales import localizer_for
from bots.core.refusals import bad_command_reply

PICTURE = UUID(int=7)
UNCHANGED = BadCommand(BadInput.NOTHING_CHANGED)
DOUBTFUL = Queue(cancelling=True)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("don't cancel it!", UNCHANGED),
        ("please do not stop", UNCHANGED),
        ("No, don’t undo that", UNCHANGED),
        ("never delete my pictures", UNCHANGED),
        ("n’annule pas stp", UNCHANGED),
        ("ne la supprime pas", UNCHANGED),
        ("surtout n’efface rien", UNCHANGED),
        ("annule pas", UNCHANGED),
        ("don't cancel, i was just asking", UNCHANGED),
        ("don't cancel, i was just asking how it works", Help()),
        ("don't cancel, how long is it?", Queue()),
        ("don't delete it, just asking if i should cancel it", UNCHANGED),
        ("did you cancel mine?", Queue()),
        ("has my order been cancelled", Queue()),
        ("who stopped it", Queue()),
        ("t’as annulé ma commande ?", Queue()),
        ("who deleted my pictures", History()),
        ("please don't delete anything i just got here", UNCHANGED),
        ("if you cancel it i'll cry", UNCHANGED),
        ("where's the cancel button", Help()),
        ("le bouton supprimer a disparu", Help()),
        ("thanks for cancelling", BadCommand(BadInput.NOTHING_TO_DRAW)),
        ("i didn't mean to cancel", Queue()),
        ("j’ai annulé par erreur", Queue()),
        ("it says cancelled but i did nothing", Queue()),
        ("what happens if i cancel", Help()),
        ("il se passe quoi si j’annule", Help()),
        ("is it too late to cancel?", Help()),
    ],
)
def test_words_about_cancelling_or_deleting_do_neither(text: str, command: Command) -> None:
    assert parse(text) == command
    assert parse_in_channel(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "cancel",
        "stop!",
        "oops cancel that, wrong prompt",
        "sorry can you cancel my last one",
        "cancel bro",
        "tu peux tout annuler ?",
        "annule frr",
        "j’en veux plus, annule",
    ],
)
def test_an_order_to_cancel_is_obeyed(text: str) -> None:
    assert parse(text) == Cancel()


@pytest.mark.parametrize(
    "text", ["never mind that was a mistake sorry", "did that one stop or should i cancel it"]
)
def test_a_doubtful_cancelling_is_asked_about(text: str) -> None:
    assert parse(text) == DOUBTFUL


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("cancel that and draw a cat", "cancel that", "draw a cat"),
        ("stop. make me a pizza", "stop", "make me a pizza"),
        ("cancel the fox, i want a wolf", "cancel the fox", "i want a wolf"),
        ("undo that and add a hat instead", "undo that", "add a hat instead"),
        ("forget the last one, i want a lamp", "forget the last one", "i want a lamp"),
        ("annule et dessine un chat", "annule", "dessine un chat"),
        ("oublie ça, fais plutôt une baleine", "oublie ça", "fais plutôt une baleine"),
        ("show my quota and my history", "show my quota", "my history"),
        ("a cat. how many do i have left?", "a cat", "how many do i have left?"),
        ("a barn --ar 16:9 and what's my quota", "a barn --ar 16:9", "what's my quota"),
        ("a hill, btw how many do i have left?", "a hill", "how many do i have left?"),
    ],
)
def test_two_wishes_are_asked_for_one_by_one(text: str, first: str, second: str) -> None:
    asked = BadCommand(BadInput.SEVERAL_WISHES, {"first": first, "second": second})
    assert several_wishes(text) == asked
    assert parse_in_channel(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        "stop and smell the roses",
        "cancel culture, political cartoon",
        "undo the knot, a sailor's hands",
        "a queue of penguins and a seal",
        "annule et remplace, tampon encreur",
        "retour à l'envoyeur, pigeon voyageur grognon",
        "ne m'oublie pas, bouquet de myosotis",
        "make it rain, a banker throwing bills",
        "turn the page — an old library",
        "the show must go on but with a clown",
        "when is it my turn, kid waiting at the slide",
    ],
)
def test_idioms_and_scenes_are_drawn(text: str) -> None:
    assert parse_in_channel(text) == Imagine(text)


def test_an_idiom_alone_or_with_an_instruction_may_be_a_change() -> None:
    for text in ("make it snow", "make it rain, and make it darker"):
        assert isinstance(parse_in_channel(text), Ask)
    assert parse_about("make it rain, a banker", PICTURE) == Edit(PICTURE, "make it rain, a banker")


@pytest.mark.parametrize(
    ("text", "words", "negative"),
    [
        ("mountain lake—no people", "mountain lake", "people"),
        ("city street–no cars, bikes", "city street", "cars, bikes"),
        ("lac—sans personne", "lac", "personne"),
        ("a road—no end", "a road—no end", ""),
        ("a robot—no face—in the rain", "a robot—no face—in the rain", ""),
        ("a beach—no one around", "a beach—no one around", ""),
        ("a cat—no, a dog", "a cat—no, a dog", ""),
        ("a—b—no c", "a—b—no c", ""),
        ("une route—sans fin", "une route—sans fin", ""),
    ],
)
def test_a_dash_without_a_space_before_no(text: str, words: str, negative: str) -> None:
    assert parse(text) == Imagine(words, negative=negative)


@pytest.mark.parametrize("text", ["U2", "v3", "u 1"])
def test_numbered_buttons_of_other_bots_are_explained(text: str) -> None:
    told = BadCommand(BadInput.NUMBERED_BUTTON)
    assert parse(text) == told
    assert parse_about(text, PICTURE) == told


def test_factor_in_words() -> None:
    assert parse_about("upscale 4x", PICTURE) == Upscale(PICTURE, 4)
    assert parse_about("upscale 2", PICTURE) == Upscale(PICTURE)


@pytest.mark.parametrize(
    "text", ["what's --seed for", "ça sert à quoi --seed ?", "how does --ar work"]
)
def test_a_question_about_a_flag_is_answered(text: str) -> None:
    assert parse(text) == Help()


@pytest.mark.parametrize("text", ["same thing --ar 3:2", "pareil --ar 3:2", "reroll --ar 3:2"])
def test_again_in_other_words_takes_flags(text: str) -> None:
    assert parse(text) == Reroll(aspect="3:2")


@pytest.mark.parametrize(
    "text",
    [
        "when do i get more",
        "do i have any left??",
        "why can't i make any more",
        "quand est-ce que j'en aurai d'autres",
        "c'est quand la prochaine gratuite",
        "how many free ones do i get a day",
    ],
)
def test_questions_about_more_pictures_show_the_quota(text: str) -> None:
    assert parse(text) == Quota()


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("--ar 16:9", Reroll(aspect="16:9", picture=PICTURE)),
        ("--no hat --seed 5", Reroll(negative="hat", seed=5, picture=PICTURE)),
        ("square", Reroll(aspect="1:1", picture=PICTURE)),
        ("en carré", Reroll(aspect="1:1", picture=PICTURE)),
        ("delete", BadCommand(BadInput.DELETE_BUTTON)),
        ("supprime", BadCommand(BadInput.DELETE_BUTTON)),
        ("delete the tree", Edit(PICTURE, "delete the tree")),
    ],
)
def test_options_alone_beside_a_picture_make_it_again(text: str, command: Command) -> None:
    assert parse_about(text, PICTURE) == command


@pytest.mark.parametrize("text", ["tu m'as oublié ?", "wheres the dragon i asked for"])
def test_complaints_about_waiting_show_the_line(text: str) -> None:
    assert parse(text) == Queue()


def test_a_prompt_that_tells_to_cancel_another_is_two_wishes() -> None:
    command = parse("a wolf. cancel the last one")
    assert isinstance(command, BadCommand)
    assert command.code is BadInput.SEVERAL_WISHES
    assert command.details == {"first": "cancel the last one", "second": "a wolf"}


def test_a_flag_between_dashes_and_a_shape_in_brackets() -> None:
    assert parse("robot —ar 16:9— in a field") == Imagine("robot in a field", aspect="16:9")
    assert parse("an ad (no text, 4:5)") == Imagine("an ad (no text)", aspect="4:5")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_thanks_are_not_answered_as_a_refusal(language: str) -> None:
    localize = localizer_for(language)
    for text in ("thanks!", "don't cancel it", "delete it", "U2", "cancel it and draw a cat"):
        command = parse(text)
        assert isinstance(command, BadCommand)
        reply = bad_command_reply(command, localize)
        assert reply.title == ""
        assert reply.private
    refused = parse("a cat --seed x")
    assert isinstance(refused, BadCommand)
    assert bad_command_reply(refused, localize).title == localize("refusal-title")


def test_an_option_is_read_behind_a_bar_and_before_a_stray_comma() -> None:
    assert parse("living room | 16:9") == Imagine("living room", aspect="16:9")
    assert parse("a . square ,") == Imagine("a", aspect="1:1")
    assert parse("a cat ,;") == Imagine("a cat")


@pytest.mark.parametrize("text", ["wheres the cat??", "j'aime pas le chat", "il est où le chat ??"])
def test_words_about_what_a_picture_shows_may_be_a_change(text: str) -> None:
    assert isinstance(parse_in_channel(text), Ask)


@pytest.mark.parametrize(
    "text",
    [
        "delete",
        "erase please",
        "supprime",
        "effacer",
        "delete my last one",
        "can you delete the last one pls",
        "remove my picture",
        "take it down",
        "supprime ma dernière",
        "supprime mon dernier dessin",
        "retire mon image",
    ],
)
def test_wish_to_delete_a_picture_is_told_of_its_button_everywhere(text: str) -> None:
    for command in (parse_in_channel(text), parse_about(text, PICTURE)):
        assert command == BadCommand(BadInput.DELETE_BUTTON)


@pytest.mark.parametrize(
    "text", ["delete the dog", "efface le chien", "take the hat down", "erase the picture frame"]
)
def test_wish_to_delete_something_in_a_picture_is_a_change(text: str) -> None:
    assert isinstance(parse_about(text, PICTURE), Edit)
    assert isinstance(parse_in_channel(text), Ask)
