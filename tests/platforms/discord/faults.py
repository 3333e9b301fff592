"""Faults made on purpose: a status, a closed connection, a delay, for requests that match."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What to do with the next `times` requests that match.

    `kind` is "status" (answer so, having done nothing), "close" (hang up, having done nothing),
    "close-after" (do it, then hang up without an answer), "status-after" (do it, then answer with
    the status), "plain-429" (slow down for `seconds`, says something before Discord's own proxy,
    of which discord.py leaves the rest to us), "slow" (wait `seconds` first) or "late"
    (as "slow", but on Discord's own clock: nobody has to wait).
    """

    method: str
    path: re.Pattern[str]
    kind: str
    status: int = 500
    seconds: float = 0.0
    times: int = 1
    words: str = ""  # only requests whose body has them


@dataclass
class Faults:
    """The faults that wait for their request."""

    pending: list[Fault] = field(default_factory=list)

    def add(
        self, method: str, path: str, kind: str, *, status: int = 500, seconds: float = 0.0,
        times: int = 1, words: str = "",
    ) -> Fault:  # fmt: skip
        """Prepare a fault; `path` is a regular expression searched in the request's path."""
        fault = Fault(method, re.compile(path), kind, status, seconds, times, words)
        self.pending.append(fault)
        return fault

    def take(self, method: str, path: str, body: object) -> Fault | None:
        """The fault for this request, counted down."""
        for fault in self.pending:
            here = fault.method == method and fault.path.search(path)
            if here and fault.words in json.dumps(body):
                fault.times -= 1
                if fault.times <= 0:
                    self.pending.remove(fault)
                return fault
        return None
