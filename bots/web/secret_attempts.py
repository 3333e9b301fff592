"""Limits how often the operator's secret is tried, on the sign-in page and in a header.

Only wrong attempts count. Each address has a limit of its own, so that nobody keeps others out. A
direct client can claim other addresses in X-Forwarded-For, so all together are limited too.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import Scope

from bots.core.token_buckets import TokenBuckets
from bots.web.sessions import SessionSigner

OF_ADDRESS = (10.0, 1 / 10)  # wrong attempts at once, and a second
OF_ALL = (1000.0, 1.0)


class TooManyAttempts(Exception):
    """The secret is not compared; `seconds` until the next attempt."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SecretAttempts:
    """Compares secrets for one process. `clock` is monotonic, in seconds."""

    signer: SessionSigner
    clock: Callable[[], float] = time.monotonic
    _of_address: TokenBuckets = field(init=False)
    _of_all: TokenBuckets = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_of_address", TokenBuckets(*OF_ADDRESS, self.clock))
        object.__setattr__(self, "_of_all", TokenBuckets(*OF_ALL, self.clock))

    def matches(self, scope: Scope, secret: str) -> bool:
        """Whether a request's secret is the right one. Raises TooManyAttempts."""
        key = address_of(scope)
        if wait := self._of_address.wait(key):
            raise TooManyAttempts(wait)
        if wait := self._of_all.wait(""):
            self._of_address.give_back(key)
            raise TooManyAttempts(wait)
        if not self.signer.matches(secret):
            return False
        self._of_address.give_back(key)
        self._of_all.give_back("")
        return True


def address_of(scope: Scope) -> str:
    """The client's network: the peer's, and the last one that a proxy named before it."""
    client = scope.get("client")
    peer = _network(client[0] if client else "")
    forwarded = Headers(scope=scope).get("x-forwarded-for", "").rpartition(",")[2].strip()
    return f"{peer} {_network(forwarded)}"


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one; empty for anything else."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
