"""The Fluent files of this package: which there are, and their text."""

from __future__ import annotations

from pathlib import Path

LOCALES = ("en", "fr")
_FOLDER = Path(__file__).parent


def catalogue(locale: str, part: str = "") -> str:
    """The text of `{locale}.ftl`, or of `{part}.{locale}.ftl` where a part is named.

    Raises FileNotFoundError for a catalogue that does not exist.
    """
    name = f"{part}.{locale}.ftl" if part else f"{locale}.ftl"
    return (_FOLDER / name).read_text(encoding="utf-8")


def parts() -> tuple[str, ...]:
    """The parts that have a catalogue in any language, such as "page"; "" is the server's own."""
    names = (file.name.removesuffix(".ftl") for file in _FOLDER.glob("*.ftl"))
    return tuple(sorted({name.rpartition(".")[0] for name in names}))
