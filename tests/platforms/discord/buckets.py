"""Discord's rate limits: a bucket per route and major parameter."""

from __future__ import annotations

import hashlib
import math
import re
import time
from dataclasses import dataclass

ROUTES = (
    # method, path, requests, seconds; as observed in Discord's responses
    ("POST", r"/channels/(\d+)/messages$", 5, 5.0),
    ("PATCH", r"/channels/(\d+)/messages/\d+$", 5, 5.0),
    ("DELETE", r"/channels/(\d+)/messages/\d+$", 5, 5.0),
    ("POST", r"/webhooks/\d+/([^/]+)$", 5, 2.0),
    ("PATCH", r"/webhooks/\d+/([^/]+)/messages/[^/]+$", 5, 2.0),
    ("POST", r"/channels/(\d+)/messages/\d+/threads$", 10, 10.0),
    ("POST", r"/users/@me/channels$", 10, 10.0),
)


@dataclass
class Bucket:
    """One bucket: the requests since its window began."""

    name: str
    limit: int
    window: float
    used: int = 0
    since: float = 0.0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether the request is allowed, and the headers of the response."""
        now = time.monotonic()
        if now - self.since >= self.window:
            self.used, self.since = 0, now
        allowed = self.used < self.limit
        self.used += allowed
        after = max(0.0, self.window - (now - self.since))
        return allowed, {
            "X-RateLimit-Bucket": self.name,
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - self.used),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{math.ceil(after * 1000) / 1000:.3f}",
        }


class Buckets:
    """All buckets of one server."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[int, str], Bucket] = {}

    def of(self, method: str, path: str) -> Bucket | None:
        """The bucket of a request, or None if the loopback does not limit it."""
        for number, (verb, pattern, limit, window) in enumerate(ROUTES):
            match = re.search(pattern, path) if verb == method else None
            if match:
                major = match[1] if match.groups() else ""
                name = hashlib.sha256(f"{verb} {pattern}".encode()).hexdigest()[:32]
                return self._buckets.setdefault((number, major), Bucket(name, limit, window))
        return None
