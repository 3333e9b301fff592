"""Keeps calls within Slack's rate limits. Pure except for the injected clock.

Limits are calls per minute, method and workspace
(https://docs.slack.dev/apis/web-api/rate-limits); `chat.postMessage` allows one call per second and
channel, with short bursts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache

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
BOT_ONLY = frozenset({"users.info", "views.open", "views.publish"})
MOSTLY_BOT = frozenset({"usergroups.list"})  # workers call these rarely: the shares are swapped
# Calls are counted when sent, and by Slack when received; the margin covers varying latency.
MINUTE = 62.0
BOT_SHARE = 0.9  # of a method that no worker calls
CACHE_SIZE = 10_000  # methods and scopes; idle ones are dropped first
BURST, BURST_SECONDS = 4, 5.5  # of chat.postMessage in one channel


@dataclass(slots=True)
class RateLimiter:
    """Counts the calls of this process. `share` is the part of each limit it may use.

    Slack counts the calls of all processes (the bot and each worker) for a workspace together.
    """

    share: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _calls: LRUCache[tuple[str, str], deque[float]] = field(
        default_factory=lambda: LRUCache(CACHE_SIZE)
    )
    _blocked_until: dict[tuple[str, str], float] = field(default_factory=dict)

    def wait(self, method: str, scope: str, reserve: float = 0.0) -> float:
        """Seconds until the method may be called; 0 where it may be called now.

        However small the share, one call a minute is allowed.

        `scope` is the workspace, and for `chat.postMessage` the channel. `reserve` is the part of
        this process's share (0–1) that is kept for more important calls.
        """
        now = self.clock()
        blocked = self._blocked_until.get((method, scope), 0.0) - now
        limit, window = self._limit(method)
        calls = self._calls.setdefault((method, scope), deque())
        while calls and calls[0] <= now - window:
            calls.popleft()
        free = int(limit * (1.0 - reserve)) - len(calls)
        full = 0.0 if free > 0 or not calls else calls[0] + window - now
        return max(blocked, full)

    def record_call(self, method: str, scope: str) -> None:
        """Count a call that is sent now."""
        self._calls.setdefault((method, scope), deque()).append(self.clock())

    def block(self, method: str, scope: str, seconds: float) -> None:
        """Send no more calls of this method for `seconds`, as Slack's Retry-After asks."""
        self._blocked_until[method, scope] = self.clock() + seconds

    def _limit(self, method: str) -> tuple[int, float]:
        if method == "chat.postMessage":
            return BURST, BURST_SECONDS
        share = max(self.share, BOT_SHARE) if method in BOT_ONLY else self.share
        share = 1.0 - share if method in MOSTLY_BOT else share
        return int(PER_MINUTE.get(method, 50) * share), MINUTE
