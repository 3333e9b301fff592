"""Which language the page begins in: the one asked for, else the browser's best."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from bots.core.sentences import LOCALES


def locale_of(connection: HTTPConnection) -> str:
    """From `locale` in the query, else from Accept-Language (RFC 9110, 12.5.4): "en" or "fr"."""
    asked = connection.query_params.get("locale", "")
    if asked in LOCALES:
        return asked
    accepted = connection.headers.get("accept-language", "")[:200]
    wishes = sorted(map(_wish, accepted.split(",")), key=lambda wish: -wish[1])
    best = (language for language, weight in wishes if language in LOCALES and weight > 0)
    return next(best, LOCALES[0])


def _wish(part: str) -> tuple[str, float]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return tag.partition("-")[0].lower(), float(weight or 1)
    except ValueError:
        return "", 0.0
