import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.engine.rates import Rate, Rates
from imaging.engine.shelf import Shelf
from imaging.request import Operation

uses = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=30)


@given(uses, st.integers(1, 100))
def test_the_shelf_holds_the_last_used_within_its_budget(
    uses: list[tuple[str, int]], budget: int
) -> None:
    shelf: Shelf[str] = Shelf(budget)
    order: list[tuple[str, int]] = []  # least recently used first
    for name, size in uses:
        found = shelf.get(name)
        known = [entry for entry in order if entry[0] == name]
        assert (found is not None) == bool(known)
        order = [entry for entry in order if entry[0] != name]
        if known:
            order += known
            continue
        shelf.put(name, name, size)
        while order and sum(s for _, s in order) + size > budget:
            order.pop(0)
        order.append((name, size))
        assert shelf.used == sum(s for _, s in order)
        assert shelf.used <= budget or len(shelf) == 1
        assert all(entry in shelf for entry, _ in order)


def test_all_but_some_can_be_let_go() -> None:
    shelf: Shelf[int] = Shelf(100)
    for number, name in enumerate("abc"):
        shelf.put(name, number, 10)
    assert set(shelf.keep_only(frozenset({"b"}))) == {"a", "c"}
    assert (len(shelf), shelf.used) == (1, 10)


def a_rate(seconds: float, steps: int = 8, pictures: int = 1) -> Rate:
    return Rate("postcard", Operation.IMAGINE, 64, 64, steps, seconds, pictures)


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=30))
def test_a_rate_stays_within_what_was_measured(measured: list[float]) -> None:
    rates = Rates()
    for seconds in measured:
        rates.record(a_rate(seconds))
    (rate,) = rates.all()
    assert min(measured) * 0.999 <= rate.seconds <= max(measured) * 1.001
    assert rate.pictures == len(measured)


def test_a_rate_follows_a_change_and_kinds_are_kept_apart() -> None:
    rates = Rates()
    for seconds in [1.0] * 10 + [2.0] * 10:
        rates.record(a_rate(seconds))
    rates.record(a_rate(9.0, steps=50))
    assert rates.per_picture("postcard") == pytest.approx(2.0, abs=0.05)
    assert rates.per_picture("sdxl") is None
    assert len(rates.all()) == 2
