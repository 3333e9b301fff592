"""Wrong secrets are limited, for each address and for all of them together."""

from __future__ import annotations

from typing import Any

import pytest

from bots.web.secret_attempts import OF_ADDRESS, OF_ALL, SecretAttempts, TooManyAttempts
from bots.web.sessions import SessionSigner

SECRET = "a long secret of the operator"


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def request(peer: str = "192.0.2.1", forwarded: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "client": (peer, 1), "headers": headers}


def wrong_until_refused(attempts: SecretAttempts, **who: str) -> int:
    count = 0
    while True:
        try:
            assert not attempts.matches(request(**who), f"guess {count}")
        except TooManyAttempts:
            return count
        count += 1


def test_wrong_secrets_are_limited_and_the_right_one_is_not_compared() -> None:
    clock = Clock()
    attempts = SecretAttempts(SessionSigner(SECRET), clock)
    assert wrong_until_refused(attempts) == OF_ADDRESS[0]
    with pytest.raises(TooManyAttempts) as refused:
        attempts.matches(request(), SECRET)
    clock.now += refused.value.seconds
    assert attempts.matches(request(), SECRET)


def test_right_secrets_are_not_limited() -> None:
    attempts = SecretAttempts(SessionSigner(SECRET), Clock())
    assert all(attempts.matches(request(), SECRET) for _ in range(2000))


def test_others_are_not_kept_out() -> None:
    attempts = SecretAttempts(SessionSigner(SECRET), Clock())
    wrong_until_refused(attempts, peer="127.0.0.1", forwarded="198.51.100.1")
    assert attempts.matches(request("127.0.0.1", "198.51.100.2"), SECRET)
    assert attempts.matches(request("127.0.0.1"), SECRET)


def test_networks_of_ipv6_count_as_one() -> None:
    attempts = SecretAttempts(SessionSigner(SECRET), Clock())
    wrong_until_refused(attempts, peer="2001:db8::1")
    with pytest.raises(TooManyAttempts):
        attempts.matches(request("2001:db8::2"), SECRET)


def test_claimed_addresses_are_limited_together() -> None:
    attempts = SecretAttempts(SessionSigner(SECRET), Clock())
    count = sum(
        wrong_until_refused(attempts, forwarded=f"10.0.{n // 250}.{n % 250}") for n in range(200)
    )
    assert count == OF_ALL[0]
