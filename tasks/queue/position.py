"""A lane's queue in pages: the number of jobs, and the work, before a tag. Pure.

A million waiting jobs make some two thousand pages. A job's position is the sum of the pages before
its own, which is looked up, plus the jobs before it in its own page, which are counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

PAGE = 400
"""Approximate jobs in a page; a page is split at twice as many."""


@dataclass(frozen=True, slots=True)
class Page:
    """A range of tags from `low` on."""

    low: float
    jobs: int
    seconds: float  # expected GPU seconds


@dataclass(slots=True)
class Pages:
    """All pages of a lane, by tag. The first begins before every tag."""

    pages: list[Page] = field(default_factory=lambda: [Page(-inf, 0, 0.0)])

    @property
    def lows(self) -> list[float]:
        """The lowest tag of each page."""
        return [page.low for page in self.pages]

    @property
    def jobs(self) -> int:
        """Jobs in the lane."""
        return sum(page.jobs for page in self.pages)

    @property
    def seconds(self) -> float:
        """GPU seconds in the lane; at least 0, though sums of floats may be below."""
        return max(0.0, sum(page.seconds for page in self.pages))

    def before(self) -> tuple[list[int], list[float]]:
        """For each page, the jobs and the GPU seconds in all pages before it."""
        jobs = [0, *accumulate(page.jobs for page in self.pages[:-1])]
        seconds = [0.0, *accumulate(page.seconds for page in self.pages[:-1])]
        return jobs, seconds

    def number(self, tag: float) -> int:
        """The number of the page that a tag lies in."""
        return bisect_right(self.lows, tag) - 1

    def add(self, number: int, jobs: int, seconds: float) -> None:
        """Add jobs to a page, or (below 0) remove them."""
        page = self.pages[number]
        self.pages[number] = Page(page.low, page.jobs + jobs, page.seconds + seconds)

    def large(self, page: int = PAGE) -> Iterator[tuple[int, float, float]]:
        """Pages to split, the last first: (number, low, low of the next)."""
        for number in range(len(self.pages) - 1, -1, -1):
            if self.pages[number].jobs > 2 * page:
                after = self.pages[number + 1].low if number + 1 < len(self.pages) else inf
                yield number, self.pages[number].low, after

    def cut(self, number: int, parts: Iterable[Page]) -> None:
        """Replace a page by its counted parts; the first keeps the page's low."""
        counted = list(parts)
        if counted:
            first = Page(self.pages[number].low, counted[0].jobs, counted[0].seconds)
            self.pages[number : number + 1] = [first, *counted[1:]]

    def join(self, page: int = PAGE) -> None:
        """Merge neighbours that are small together, so that empty pages disappear."""
        joined: list[Page] = []
        for one in self.pages:
            if joined and joined[-1].jobs + one.jobs <= page:
                last = joined[-1]
                joined[-1] = Page(last.low, last.jobs + one.jobs, last.seconds + one.seconds)
            else:
                joined.append(one)
        self.pages = joined


def read_pages(
    lows: list[float], jobs: list[int], seconds: list[float], all_jobs: int, all_seconds: float
) -> Pages:
    """The pages with these `lows` and `before`, given the sums of the whole lane."""
    job_ends, second_ends = [*jobs[1:], all_jobs], [*seconds[1:], all_seconds]
    return Pages(
        [
            Page(low, job_ends[n] - jobs[n], second_ends[n] - seconds[n])
            for n, low in enumerate(lows)
        ]
    )
