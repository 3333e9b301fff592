"""The hand-written prompts: how they are read, and how a picture is scored against them."""

from collections import defaultdict
from dataclasses import replace

import pytest

from imaging.postcard.detector import DetectedScene, Detection
from imaging.postcard.handwritten import (
    Group,
    WrittenPrompt,
    normalised,
    parse,
    spread,
    written_prompts,
)
from imaging.postcard.scoring import Tally, score_written


def test_there_are_enough_and_half_are_french() -> None:
    prompts = written_prompts()
    french = sum(written.language == "fr" for written in prompts)
    assert len(prompts) >= 300
    assert 0.45 < french / len(prompts) < 0.55
    assert len({normalised(written.prompt) for written in prompts}) == len(prompts)
    assert all(written.groups for written in prompts)
    assert sum(written.bare for written in prompts) > 150


def test_a_line_says_what_must_be_there() -> None:
    line = "a => 2+ red bird; cat; cat below bird; cat at top left; @snow; @night"
    assert parse(line, "en") == WrittenPrompt(
        "a",
        "en",
        (Group("bird", 2, "red", more=True), Group("cat")),
        (("cat", "below", "bird"),),
        (("cat", "top left"),),
        "snow",
        "night",
    )


@pytest.mark.parametrize(
    "line",
    ["a cat", "x => dog", "x => mauve cat", "x => @moon", "x => cat at nowhere",
     "x => cat below dog", "x => dog at left", "x => four red shiny cats"],
)  # fmt: skip
def test_a_wrong_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(line, "en")


def seen(thing: str, colour: str = "red", x: float = 0.5, y: float = 0.5) -> Detection:
    return Detection(thing, colour, x, y, 0.9)


def met(line: str, *detections: Detection, ground: str = "white", time: str = "") -> bool:
    tally: Tally = defaultdict(list)
    found = score_written(
        parse(f"x => {line}", "en"), DetectedScene(detections, ground, time), tally
    )
    assert tally["written: all as named"] == [found]
    return found


def test_numbers_must_be_exact() -> None:
    assert met("cat", seen("cat"))
    assert not met("cat")
    assert not met("cat", seen("cat"), seen("cat"))
    assert met("2+ cat", seen("cat"), seen("cat"), seen("cat"))
    assert not met("2+ cat", seen("cat"))


def test_all_things_of_a_colour_must_have_it() -> None:
    assert met("2 red cat", seen("cat"), seen("cat"))
    assert not met("2 red cat", seen("cat"), seen("cat", "blue"))
    assert met("red cat; blue cat", seen("cat", "blue"), seen("cat"))
    assert not met("red cat; blue cat", seen("cat"), seen("cat"))
    assert not met("red cat; blue cat", seen("cat"))


def test_relations_and_places_must_hold() -> None:
    pair = seen("cat", y=0.8), seen("tree", y=0.3)
    assert met("cat; tree; cat below tree", *pair)
    assert not met("cat; tree; cat above tree", *pair)
    assert met("cat; cat at bottom", seen("cat", y=0.9))
    assert not met("cat; cat at top", seen("cat", y=0.9))


def test_ground_and_time_must_match_where_named() -> None:
    assert met("cat; @snow; @night", seen("cat"), ground="snow", time="night")
    assert not met("cat; @snow", seen("cat"), ground="sea")
    assert not met("cat; @night", seen("cat"), ground="sea", time="day")
    assert met("cat", seen("cat"), ground="sea", time="day")


def test_a_grey_ground_is_not_asked_of_the_detector() -> None:
    grey = replace(parse("x => cat", "fr"), ground="grey")
    assert score_written(grey, DetectedScene((seen("cat"),), "white", ""), defaultdict(list))


def test_rows_tell_apart_bare_prompts_and_unnamed_things() -> None:
    tally: Tally = defaultdict(list)
    for line in ("cat", "cat; @snow"):
        detected = DetectedScene((seen("cat"), seen("sun")), "snow", "day")
        score_written(parse(f"x => {line}", "fr"), detected, tally)
    assert tally["written: no ground or time"] == [True]
    assert tally["written: French"] == [True, True]
    assert tally["written: nothing unnamed"] == [False, False]


def test_a_smaller_set_is_evenly_spread_and_keeps_its_seeds() -> None:
    prompts = written_prompts()
    few = spread(prompts, 64)
    assert len(few) == 64
    assert all(prompts[seed] is written for seed, written in few)
    assert {written.language for _, written in few} == {"en", "fr"}
    assert len(spread(prompts, 10_000)) == len(prompts)
