import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.engine.model_cache import ModelCache
from imaging.engine.render_times import RenderTime, RenderTimes
from imaging.request import Operation

uses = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=30)


@given(uses, st.integers(1, 100))
def test_cache_keeps_most_recently_used_within_budget(
    uses: list[tuple[str, int]], budget: int
) -> None:
    cache: ModelCache[str] = ModelCache(budget)
    order: list[tuple[str, int]] = []  # least recently used first
    for name, size in uses:
        found = cache.get(name)
        known = [entry for entry in order if entry[0] == name]
        assert (found is not None) == bool(known)
        order = [entry for entry in order if entry[0] != name]
        if known:
            order += known
            continue
        cache.put(name, name, size)
        while order and sum(s for _, s in order) + size > budget:
            order.pop(0)
        order.append((name, size))
        assert cache.used == sum(s for _, s in order)
        assert cache.used <= budget or len(cache) == 1
        assert all(entry in cache for entry, _ in order)


def filled(budget: int) -> ModelCache[int]:
    cache: ModelCache[int] = ModelCache(budget)
    for number, name in enumerate("abc"):
        cache.put(name, number, 10)
    return cache


def test_items_in_use_are_not_evicted() -> None:
    cache = filled(30)
    with cache.use("a"), cache.use("b"):
        with cache.use("b"):
            pass
        assert cache.in_use == {"a", "b"}
        assert cache.put("d", 3, 15) == ("c",)
        assert cache.evict_for(20) == ("d",)
        assert not cache.has_room(20)
        assert cache.evict_unused() == ()
    assert cache.in_use == frozenset()
    assert set(cache.evict_unused()) == {"a", "b"}
    assert (len(cache), cache.used) == (0, 0)


def test_use_ends_with_an_exception() -> None:
    cache = filled(30)
    with pytest.raises(ZeroDivisionError), cache.use("a"):
        raise ZeroDivisionError
    assert not cache.in_use


def a_rate(seconds: float, steps: int = 8, pictures: int = 1) -> RenderTime:
    return RenderTime("postcard", Operation.IMAGINE, 64, 64, steps, seconds, pictures)


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=30))
def test_average_stays_within_measured_range(measured: list[float]) -> None:
    rates = RenderTimes()
    for seconds in measured:
        rates.record(a_rate(seconds))
    (rate,) = rates.all()
    assert min(measured) * 0.999 <= rate.seconds <= max(measured) * 1.001
    assert rate.pictures == len(measured)


def test_average_follows_changes_and_kinds_are_separate() -> None:
    rates = RenderTimes()
    for seconds in [1.0] * 10 + [2.0] * 10:
        rates.record(a_rate(seconds))
    rates.record(a_rate(9.0, steps=50))
    assert rates.per_picture("postcard") == pytest.approx(2.0, abs=0.05)
    assert rates.per_picture("sdxl") is None
    assert len(rates.all()) == 2
