"""Negotiation of the page's language."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from bots.web.locales import negotiate_locale


@pytest.mark.parametrize(
    ("accepted", "query", "expected"),
    [
        ("", "", "en"),
        ("fr", "", "fr"),
        ("fr-CA,en;q=0.3", "", "fr"),
        ("de,fr;q=0.4,en;q=0.8", "", "en"),
        ("fr;q=0,en", "", "en"),
        ("en-GB", "locale=fr", "fr"),
        ("fr", "locale=xx", "fr"),
        ("fr;q=high, *", "", "en"),
    ],
)
def test_negotiate_locale(accepted: str, query: str, expected: str) -> None:
    headers = [(b"accept-language", accepted.encode())]
    request = Request({"type": "http", "headers": headers, "query_string": query.encode()})
    assert negotiate_locale(request) == expected
