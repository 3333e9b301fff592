"""Pages of a line: the place of any tag, whatever comes, leaves, is cut and joined."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import pairwise
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from tasks.queue.position import Page, Pages, read_pages

moves = st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=120)


@given(moves, st.integers(1, 8), st.floats(-1, 101))
def test_pages_count_jobs_before_a_tag(
    steps: list[tuple[bool, float]], size: int, tag: float
) -> None:
    line: list[float] = []
    pages = Pages()
    for come, at in steps:
        if come or not line:
            insort(line, at)
            pages.add(pages.number(at), 1, 2.0)
        else:
            gone = line.pop(int(at) % len(line))
            pages.add(pages.number(gone), -1, -2.0)
        for number, low, high in list(pages.large(size)):
            inside = [one for one in line if low <= one < high]
            starts = sorted({inside[k] for k in range(0, len(inside), size)})
            edges = [*starts, inf]
            pages.cut(
                number,
                [
                    Page(a, n := sum(a <= one < b for one in inside), 2.0 * n)
                    for a, b in pairwise(edges)
                ],
            )
        pages.join(size)
        jobs, seconds = pages.before()
        number = pages.number(tag)
        own = [one for one in line if pages.lows[number] <= one < tag]
        assert jobs[number] + len(own) == bisect_left(line, tag)
        assert seconds[number] == 2.0 * jobs[number]
        assert pages.jobs == len(line)
        assert pages.lows == sorted(set(pages.lows))
        assert pages.lows[0] == -inf


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 10)), min_size=1, max_size=20))
def test_pages_round_trip(contents: list[tuple[int, float]]) -> None:
    pages = Pages([Page(float(n), jobs, seconds) for n, (jobs, seconds) in enumerate(contents)])
    again = read_pages(pages.lows, *pages.before(), pages.jobs, pages.seconds)
    assert [page.jobs for page in again.pages] == [page.jobs for page in pages.pages]
    assert abs(again.seconds - pages.seconds) < 1e-9


def test_page_is_split_at_twice_its_size() -> None:
    pages = Pages([Page(-inf, 8, 8.0), Page(5.0, 9, 9.0)])
    assert list(pages.large(4)) == [(1, 5.0, inf)]
    pages.cut(1, [Page(6.0, 4, 4.0), Page(7.0, 5, 5.0)])
    assert pages.lows == [-inf, 5.0, 7.0]
    assert list(pages.large(4)) == []


def test_empty_lane_is_one_page() -> None:
    pages = Pages([Page(-inf, 0, 0.0), Page(1.0, 0, 0.0), Page(2.0, 0, 0.0)])
    pages.join()
    assert pages.lows == [-inf]
