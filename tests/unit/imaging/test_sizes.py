from hypothesis import given
from hypothesis import strategies as st

from imaging.sizes import ASPECTS, clamp_ratio, shrink_within, sizes_around, snap, snap_up

sides = st.integers(min_value=1, max_value=20_000)
sizes = st.tuples(sides, sides)
multiples = st.sampled_from([8, 16, 32, 64])


@given(sizes, multiples)
def test_snap_rounds_to_nearest_multiples(size: tuple[int, int], multiple: int) -> None:
    for side, snapped in zip(size, snap(size, multiple), strict=True):
        assert snapped % multiple == 0
        assert snapped > 0
        assert abs(side - snapped) <= multiple / 2 or snapped == multiple


@given(sizes, multiples)
def test_snap_up_returns_smallest_covering_size(size: tuple[int, int], multiple: int) -> None:
    for side, snapped in zip(size, snap_up(size, multiple), strict=True):
        assert snapped % multiple == 0
        assert side <= snapped < side + multiple


@given(sizes, multiples, st.integers(min_value=64 * 64, max_value=4_000_000))
def test_shrink_within_respects_pixel_limit(
    size: tuple[int, int], multiple: int, largest: int
) -> None:
    width, height = shrink_within(size, largest, multiple)
    if size[0] * size[1] <= largest:
        assert (width, height) == size
    elif (width, height) != (multiple, multiple):
        assert width * height <= largest
        assert width % multiple == height % multiple == 0


@given(st.integers(min_value=64, max_value=2048), multiples)
def test_sizes_around_keep_aspect_and_area(side: int, multiple: int) -> None:
    for name, (width, height) in sizes_around(side, multiple).items():
        wide, high = ASPECTS[name]
        slack = 1 + 1.5 * multiple / min(width, height)
        assert 1 / slack <= (width / height) / (wide / high) <= slack
        assert 1 / slack**2 <= width * height / side**2 <= slack**2


@given(sizes)
def test_clamp_ratio_limits_to_four_to_one(size: tuple[int, int]) -> None:
    assert 0.25 <= clamp_ratio(size) <= 4
