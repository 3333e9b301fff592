"""Formats messages, numbers, durations, dates and ordinals in one language (Fluent and Babel)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

from bots.core.locales.catalogues import LOCALES, catalogue

# Babel has CLDR's ordinal categories but not the spelt-out forms. The French ones are feminine:
# every sentence uses them with « place » or « position ».
_ORDINAL_SUFFIXES: Mapping[str, Mapping[str, str]] = {
    "en": {"one": "st", "two": "nd", "few": "rd", "other": "th"},
    "fr": {"one": "re", "other": "e"},
}
_DECIMALS = 2
_QUOTES: Mapping[str, tuple[str, str]] = {"en": ("“", "”"), "fr": ("« ", " »")}


class MissingMessage(KeyError):
    """The catalogue has no such message, or the message needs a variable that was not passed."""


class Localizer:
    """Formats the messages of one language: `localize("quota-left-value", left=2, limit=3)`."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._babel = Locale(locale)
        functions: Mapping[str, Any] = {"ORDINAL": self.ordinal}
        self._bundle = FluentBundle([locale], use_isolating=False, functions=dict(functions))
        self._bundle.add_resource(FluentResource(catalogue(locale)))

    def __call__(self, name: str, /, **variables: Any) -> str:
        """The message `name`; durations, dates and fractions are formatted for the language.

        Raises MissingMessage for an unknown name or a variable that the message needs and lacks.
        """
        if not self.has_message(name):
            raise MissingMessage(name)
        pattern = self._bundle.get_message(name).value
        if pattern is None:
            raise MissingMessage(name)
        arguments = {key: self._argument(value) for key, value in variables.items()}
        text, errors = self._bundle.format_pattern(pattern, arguments)
        if errors:
            raise MissingMessage(f"{name}: {errors[0]}")
        return str(text)

    def has_message(self, name: str) -> bool:
        """Whether the catalogue has a message of this name."""
        return bool(self._bundle.has_message(name))

    def duration(self, length: timedelta) -> str:
        """A duration to the precision people use: "20 sec", "3 min", "2 hr 10 min", "4 days"."""
        seconds = max(1, round(length.total_seconds()))
        if seconds < 60:
            return self._unit(seconds, "second")
        minutes = round(seconds / 60)
        if minutes < 60:
            return self._unit(minutes, "minute")
        hours, minutes = divmod(minutes, 60)
        if hours >= 48:
            return self._unit(round(hours / 24), "day")
        text = self._unit(hours, "hour")
        return f"{text} {self._unit(minutes, 'minute')}" if minutes else text

    def number(self, value: float) -> str:
        """A number with at most two decimals: "3", "2.5", "1,800"; in French "2,5"."""
        return format_decimal(value, format=f"#,##0.{'#' * _DECIMALS}", locale=self._babel)

    def percent(self, share: float) -> str:
        """A share from 0 to 1 as a whole percentage: "87%"; in French "87 %"."""
        return format_percent(share, locale=self._babel)

    def quoted_list(self, items: Sequence[str], *, more: bool = False) -> str:
        """Items in quotation marks: "“a”, “b”, and “c”"; an ellipsis where there are more."""
        opening, closing = _QUOTES[self.locale]
        quoted = [f"{opening}{item}{closing}" for item in items]
        if more:
            return ", ".join([*quoted, "…"])
        return format_list(quoted, locale=self._babel)

    def day(self, value: date) -> str:
        """A calendar day: "December 15, 2026"; in French "15 décembre 2026"."""
        return format_date(value, "long", locale=self._babel)

    def ordinal(self, number: Any) -> str:
        """A place in a sequence: "12th"; in French "12e"."""
        value = int(number)
        return f"{value}{_ORDINAL_SUFFIXES[self.locale][self._babel.ordinal_form(value)]}"

    def _unit(self, value: int, unit: str) -> str:
        return format_unit(value, f"duration-{unit}", length="short", locale=self._babel)

    def _argument(self, value: Any) -> Any:
        """A variable as Fluent takes it."""
        if isinstance(value, timedelta):
            return self.duration(value)
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, float):
            # CLDR counts 1.0 as a plural in English: a whole number must be an integer.
            if value.is_integer():
                return int(value)
            return fluent_number(value, maximumFractionDigits=_DECIMALS)
        return value if isinstance(value, int) else str(value)


def localizer_for(locale: str) -> Localizer:
    """The localizer for a platform's locale: "fr-FR" gives French, an unknown one English."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return _localizer(language if language in LOCALES else LOCALES[0])


@cache
def _localizer(language: str) -> Localizer:
    return Localizer(language)
