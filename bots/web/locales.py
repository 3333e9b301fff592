"""The page's language: content negotiation, and the catalogue that the page formats."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import HTTPConnection

from bots.core.locales import LOCALES


def catalogue_source(locale: str) -> str:
    """The Fluent source of a language: the bots' messages, then those of the page alone."""
    folder = files("bots.core.locales")
    names = (f"{locale}.ftl", f"page.{locale}.ftl")
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def negotiate_locale(connection: HTTPConnection) -> str:
    """From `locale` in the query, else from Accept-Language (RFC 9110, 12.5.4): "en" or "fr"."""
    asked = connection.query_params.get("locale", "")
    if asked in LOCALES:
        return asked
    accepted = connection.headers.get("accept-language", "")[:200]
    preferences = sorted(map(_preference, accepted.split(",")), key=lambda each: -each[1])
    best = (language for language, weight in preferences if language in LOCALES and weight > 0)
    return next(best, LOCALES[0])


def _preference(part: str) -> tuple[str, float]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return tag.partition("-")[0].lower(), float(weight or 1)
    except ValueError:
        return "", 0.0
