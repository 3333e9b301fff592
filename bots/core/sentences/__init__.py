"""Every sentence a member reads, in English and French, from the Fluent files beside this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fluent.runtime import FluentBundle, FluentResource

LOCALES = ("en", "fr")


class MissingSentence(KeyError):
    """No such sentence, or it needs something that was not given: a defect of ours."""


class Sentences:
    """Speaks one language. `sentences("quota-left", left=3)` gives the finished text."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        functions = {"ORDINAL": _ORDINALS[locale]}
        self._bundle = FluentBundle([locale], use_isolating=False, functions=functions)
        text = (Path(__file__).parent / f"{locale}.ftl").read_text(encoding="utf-8")
        self._bundle.add_resource(FluentResource(text))

    def __call__(self, name: str, /, **values: Any) -> str:
        """The sentence `name` with its values; durations are written out in words.

        Raises MissingSentence for an unknown name or a value that the sentence needs and lacks.
        """
        if not self.knows(name):
            raise MissingSentence(name)
        pattern = self._bundle.get_message(name).value
        if pattern is None:
            raise MissingSentence(name)
        plain = {key: self._plain(value) for key, value in values.items()}
        text, errors = self._bundle.format_pattern(pattern, plain)
        if errors:
            raise MissingSentence(f"{name}: {errors[0]}")
        return str(text)

    def knows(self, name: str) -> bool:
        """Whether there is a sentence of this name."""
        return bool(self._bundle.has_message(name))

    def duration(self, length: timedelta) -> str:
        """About how long, as people say it: "20 s", "3 min", "2 h 10 min", "4 days"."""
        seconds = max(0, round(length.total_seconds()))
        if seconds < 60:
            return self("duration-seconds", seconds=max(seconds, 1))
        minutes = round(seconds / 60)
        if minutes < 60:
            return self("duration-minutes", minutes=minutes)
        hours, minutes = divmod(minutes, 60)
        if hours < 48:
            return self("duration-hours", hours=hours, minutes=minutes)
        return self("duration-days", days=round(hours / 24))

    def number(self, value: float) -> str:
        """A number without needless digits: 3, 2.5, 0.02; with the language's own decimal sign."""
        text = f"{value:.2f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if self.locale == "fr" else text

    def _plain(self, value: Any) -> Any:
        if isinstance(value, timedelta):
            return self.duration(value)
        if isinstance(value, float):
            # A whole number stays one, so that "1 credit" and "2 credits" can be told apart.
            return int(value) if value.is_integer() else self.number(value)
        return value if isinstance(value, int) else str(value)


@cache
def speak(locale: str) -> Sentences:
    """The language for a platform's locale ("fr-FR" gives French; English where unknown)."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return _load(language if language in LOCALES else LOCALES[0])


@cache
def _load(language: str) -> Sentences:
    return Sentences(language)


def _english_ordinal(number: Any) -> str:
    value = int(number)
    if value % 100 in (11, 12, 13):
        return f"{value}th"
    return f"{value}" + {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def _french_ordinal(number: Any) -> str:
    return "1er" if int(number) == 1 else f"{int(number)}e"


_ORDINALS: Mapping[str, Callable[[Any], Any]] = {"en": _english_ordinal, "fr": _french_ordinal}
