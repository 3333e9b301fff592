"""What the selector's likelihoods prefer, on readings made by hand."""

from itertools import product
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imaging.engine.candidate_selector import (
    MOST,
    ROLES,
    CandidateSelector,
    Logits,
    Said,
    count_distribution,
    log_likelihoods,
    seen,
)

THINGS, COLOURS, GROUNDS, TIMES = 3, 4, 5, 3
CAT, TREE, BOAT = range(THINGS)
RED, BLUE = 0, 1
SURE = 12.0  # a logit that leaves no doubt
PARTS = ("named", "unnamed", "colours", "ground", "time", "places", "relations")


def picture(
    *shown: tuple[int, int, int, int], ground: int = 0, size: tuple[int, int] = (16, 16)
) -> Logits:
    """Logits of a picture with (thing, colour, column, row) in cells, otherwise empty."""
    width, height = size
    things = torch.zeros(1, 1 + THINGS, height, width)
    things[:, 0] = SURE
    colours = torch.zeros(1, COLOURS, height, width)
    for thing, colour, column, row in shown:
        things[0, 0, row, column], things[0, 1 + thing, row, column] = 0, SURE
        colours[0, colour, row, column] = SURE
    grounds, times = torch.zeros(1, GROUNDS), torch.zeros(1, 1 + TIMES)
    grounds[0, ground] = times[0, 0] = SURE
    return things, colours, grounds, times


def nothing_said() -> Said:
    def absent(*shape: int) -> torch.Tensor:
        logits = torch.zeros(1, *shape)
        logits[..., 0] = SURE
        return logits

    return Said(
        absent(THINGS, 5),
        absent(THINGS, 1 + COLOURS),
        absent(THINGS, 1 + COLOURS),
        absent(THINGS, 4),
        absent(THINGS, 4),
        absent(THINGS, 1 + len(ROLES)),
        absent(1 + GROUNDS),
        absent(1 + TIMES),
    )


def say(said: Said, what: str, answer: int, thing: int | None = None) -> Said:
    """`said` with another answer, overall or for a thing."""
    logits = getattr(said, what).clone()
    row = logits[0] if thing is None else logits[0, thing]
    row[:] = 0
    row[answer] = SURE
    return said._replace(**{what: logits})


def score(said: Said, logits: Logits) -> float:
    return float(log_likelihoods(said, seen(logits)).sum())


A_CAT = say(nothing_said(), "number", 1, CAT)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_count_distribution_is_the_sum_over_all_outcomes(chances: list[float]) -> None:
    expected = [0.0] * (MOST + 1)
    for outcome in product((0, 1), repeat=len(chances)):
        likely = prod(c if hit else 1 - c for c, hit in zip(chances, outcome, strict=True))
        expected[min(MOST, sum(outcome))] += likely
    found = count_distribution(torch.tensor(chances, dtype=torch.float64))
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def test_as_many_things_as_named_are_best() -> None:
    one, two = (CAT, RED, 4, 4), (CAT, RED, 11, 11)
    assert score(A_CAT, picture(one)) > score(A_CAT, picture(one, two))
    assert score(A_CAT, picture(one)) > score(A_CAT, picture())
    twice = say(nothing_said(), "number", 2, CAT)
    assert score(twice, picture(one, two)) > score(twice, picture(one))
    several = say(nothing_said(), "number", 4, CAT)
    three = picture(one, two, (CAT, RED, 4, 11))
    assert score(several, three) == pytest.approx(score(several, picture(one, two)), abs=0.01)
    assert score(several, three) > score(several, picture(one))


def test_what_is_not_named_is_better_not_there() -> None:
    cat, boat = (CAT, RED, 4, 4), (BOAT, BLUE, 11, 11)
    assert score(A_CAT, picture(cat)) > score(A_CAT, picture(cat, boat))
    parts = dict(
        zip(PARTS, log_likelihoods(A_CAT, seen(picture(cat, boat)))[0].tolist(), strict=True)
    )
    assert parts["unnamed"] < -3 < parts["named"]


def test_colours_count_where_they_are_named() -> None:
    red = say(A_CAT, "colour", 1 + RED, CAT)
    assert score(red, picture((CAT, RED, 4, 4))) > score(red, picture((CAT, BLUE, 4, 4)))
    free = picture((CAT, BLUE, 4, 4))
    assert score(A_CAT, free) == pytest.approx(score(A_CAT, picture((CAT, RED, 4, 4))))


def test_two_colours_of_one_thing_are_both_wanted() -> None:
    both = say(say(nothing_said(), "number", 2, CAT), "colour", 1 + RED, CAT)
    both = say(both, "other_colour", 1 + BLUE, CAT)
    mixed = picture((CAT, RED, 4, 4), (CAT, BLUE, 11, 11))
    assert score(both, mixed) > score(both, picture((CAT, RED, 4, 4), (CAT, RED, 11, 11)))


def test_ground_and_time_count_where_they_are_named() -> None:
    there = say(A_CAT, "ground", 1 + 2)
    cat = (CAT, RED, 4, 4)
    assert score(there, picture(cat, ground=2)) > score(there, picture(cat, ground=3))
    assert score(A_CAT, picture(cat, ground=2)) == pytest.approx(score(A_CAT, picture(cat)))
    at_night = say(A_CAT, "time", 3)
    day, night = picture(cat), picture(cat)
    night[3][0] = torch.tensor([0, 0, 0, SURE])
    assert score(at_night, night) > score(at_night, day)


@pytest.mark.parametrize("size", [(16, 16), (28, 16), (16, 28)])
def test_places_are_thirds_of_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    left = say(A_CAT, "column", 1, CAT)
    inside, outside = (CAT, RED, 1, 4), (CAT, RED, width - 2, 4)
    assert score(left, picture(inside, size=size)) > score(left, picture(outside, size=size))
    bottom = say(A_CAT, "row", 3, CAT)
    low, high = (CAT, RED, 4, height - 2), (CAT, RED, 4, 1)
    assert score(bottom, picture(low, size=size)) > score(bottom, picture(high, size=size))


@pytest.mark.parametrize(
    ("role", "converse", "cat", "tree"),
    [
        ("left of", "right of", (2, 8), (13, 8)),
        ("right of", "left of", (13, 8), (2, 8)),
        ("above", "below", (8, 2), (8, 13)),
        ("below", "above", (8, 13), (8, 2)),
        ("beside", "beside", (2, 8), (13, 8)),
    ],
)
def test_relations_hold_between_the_things_named(
    role: str, converse: str, cat: tuple[int, int], tree: tuple[int, int]
) -> None:
    said = say(A_CAT, "number", 1, TREE)
    said = say(said, "role", 1 + ROLES.index(role), CAT)
    said = say(said, "role", 1 + ROLES.index(converse), TREE)
    right = picture((CAT, RED, *cat), (TREE, RED, *tree))
    if role == "beside":
        wrong = picture((CAT, RED, 8, 2), (TREE, RED, 8, 13))
    else:
        wrong = picture((CAT, RED, *tree), (TREE, RED, *cat))
    assert score(said, right) > score(said, wrong) + 3


def test_neighbouring_cells_are_one_thing() -> None:
    wide = picture((CAT, RED, 4, 4), (CAT, RED, 5, 4))
    assert score(A_CAT, wide) == pytest.approx(score(A_CAT, picture((CAT, RED, 4, 4))), abs=0.01)


def test_scores_do_not_depend_on_the_batch() -> None:
    torch.manual_seed(0)
    selector = CandidateSelector(32, THINGS, COLOURS, GROUNDS, TIMES).eval()
    states, latents = torch.randn(5, 9, 32), torch.randn(5, 4, 16, 16)
    together = selector(states, latents)
    alone = torch.cat([selector(states[i : i + 1], latents[i : i + 1]) for i in range(5)])
    assert together.shape == (5,)
    assert torch.allclose(together, alone, atol=1e-4)
