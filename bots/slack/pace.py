"""Keeping Slack's rate tiers before Slack has to. Pure but for the clock that is handed in.

Tiers are calls a minute, a method and a workspace (https://docs.slack.dev/apis/web-api/rate-limits);
`chat.postMessage` is one a second and channel, with short bursts.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PER_MINUTE: Mapping[str, int] = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.replies": 50,
    "conversations.history": 50,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
    "files.info": 100,
    "files.delete": 50,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "users.info": 100,
    "views.open": 100,
    "views.publish": 100,
}
BOT_ALONE = frozenset({"users.info", "views.open", "views.publish"})
BOT_MOST = frozenset({"usergroups.list"})  # which workers ask now and then: shares change places
# A call is counted when it leaves, by Slack when it comes; the way does not always take as long.
MINUTE = 62.0
BOT_SHARE = 0.9  # of a method that no worker calls
BURST, BURST_SECONDS = 4, 5.5  # of chat.postMessage in one channel


@dataclass(slots=True)
class Pace:
    """Counts the calls of this process. `share` is how much of each tier it may use.

    Several processes speak for one workspace (the bot and each worker), and Slack counts them all.
    """

    share: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _closed: dict[tuple[str, str], float] = field(default_factory=dict)

    def wait(self, method: str, place: str, reserve: float = 0.0) -> float:
        """Seconds until the method may be called; 0 where it may be now.

        `place` is the workspace, and for `chat.postMessage` the channel. `reserve` is the part of
        this process's share (0–1) that is left for more important calls.
        """
        now = self.clock()
        closed = self._closed.get((method, place), 0.0) - now
        most, window = self._limit(method)
        calls = self._calls[method, place]
        while calls and calls[0] <= now - window:
            calls.popleft()
        free = int(most * (1.0 - reserve)) - len(calls)
        full = 0.0 if free > 0 or not calls else calls[0] + window - now
        return max(closed, full, 0.0)

    def count(self, method: str, place: str) -> None:
        """A call is made now."""
        self._calls[method, place].append(self.clock())

    def close(self, method: str, place: str, seconds: float) -> None:
        """Slack said Retry-After: nothing more of this until then."""
        self._closed[method, place] = self.clock() + seconds

    def _limit(self, method: str) -> tuple[int, float]:
        if method == "chat.postMessage":
            return BURST, BURST_SECONDS
        share = max(self.share, BOT_SHARE) if method in BOT_ALONE else self.share
        share = 1.0 - share if method in BOT_MOST else share
        return max(1, int(PER_MINUTE.get(method, 50) * share)), MINUTE
