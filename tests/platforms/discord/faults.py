"""Injected faults: a status, a closed connection or a delay for matching requests."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What to do with the next `times` requests that match.

    `kind` is one of:
    - "status": respond with the status, without effect;
    - "close": close the connection, without effect;
    - "close-after": execute the request, then close the connection;
    - "status-after": execute the request, then respond with the status;
    - "plain-429": a rate limit of `seconds` from a proxy other than Discord's, which discord.py
      does not handle;
    - "slow": wait `seconds` first;
    - "late": as "slow", on the loopback's clock only.
    """

    method: str
    path: re.Pattern[str]
    kind: str
    status: int = 500
    seconds: float = 0.0
    times: int = 1
    words: str = ""  # only requests whose body contains them


@dataclass
class Faults:
    """The pending faults."""

    pending: list[Fault] = field(default_factory=list)

    def add(
        self, method: str, path: str, kind: str, *, status: int = 500, seconds: float = 0.0,
        times: int = 1, words: str = "",
    ) -> Fault:  # fmt: skip
        """Add a fault; `path` is a regular expression searched in the request's path."""
        fault = Fault(method, re.compile(path), kind, status, seconds, times, words)
        self.pending.append(fault)
        return fault

    def take(self, method: str, path: str, body: object) -> Fault | None:
        """The fault for this request; removes it after its last use."""
        for fault in self.pending:
            matches = fault.method == method and fault.path.search(path)
            if matches and fault.words in json.dumps(body):
                fault.times -= 1
                if fault.times <= 0:
                    self.pending.remove(fault)
                return fault
        return None
