"""How often a message that shows progress may be edited."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

LEAST = 2.0  # seconds between two edits of one message
EACH = 0.25  # seconds that every other running job adds to that: four edits a second in all
RECENT = 15.0  # seconds; a job that was not heard of for so long does not run here any more
REMEMBERED = 4096  # jobs


@dataclass(slots=True)
class Pace:
    """Says when a job's message may be edited again. `clock` gives seconds that never go back."""

    clock: Callable[[], float]
    _heard: OrderedDict[UUID, float] = field(default_factory=OrderedDict)
    _edited: OrderedDict[UUID, float] = field(default_factory=OrderedDict)

    def may_edit(self, job: UUID) -> bool:
        """Whether it is time; a yes counts as an edit made now."""
        now = self.clock()
        self._heard[job] = now
        self._heard.move_to_end(job)
        while next(iter(self._heard.values())) < now - RECENT:
            self._heard.popitem(last=False)
        if now - self._edited.get(job, float("-inf")) < self._pause():
            return False
        self._edited[job] = now
        self._edited.move_to_end(job)
        while len(self._edited) > REMEMBERED:
            self._edited.popitem(last=False)
        return True

    def forget(self, job: UUID) -> None:
        """The job has ended."""
        self._heard.pop(job, None)
        self._edited.pop(job, None)

    def _pause(self) -> float:
        return max(LEAST, EACH * len(self._heard))
