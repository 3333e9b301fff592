"""The page's Fluent catalogue: the same messages in both languages, and every one used."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor as FluentVisitor

from bots.core.locales import LOCALES
from bots.web.locales import catalogue_source
from bots.web.page_files import PAGE

MESSAGES = PAGE.parents[1] / "core" / "locales"
# Names that the page puts together, and every message that they can name.
COMPUTED = {
    "page-theme-": ("system", "light", "dark"),
    "page-topic-": ("general", "gallery", "trials"),
    "page-flag-": ("ar", "count", "seed", "no", "model", "strength"),
    "page-command-": (
        "imagine", "queue", "cancel", "quota", "history", "settings", "privacy", "waitlist",
        "help", "studio",
    ),
    "page-shortcut-": tuple(
        f"{name}{suffix}"
        for name in (
            "send", "new-line", "recall", "focus", "channel", "message", "ends", "escape", "help",
        )
        for suffix in ("", "-keys")
    ),
    "page-column-": (
        "tier", "queued", "running", "wait-median", "wait-p90", "accuracy", "doors", "worker",
        "device", "models", "busy", "seconds-per-picture", "door", "door-now", "door-default",
        "door-override", "door-other-overrides", "door-wait", "surge-age", "within-p90", "width",
        "estimates",
    ),
    "page-door-": (
        "usual", "open", "waitlist", "closed", "auto", "imagine", "edit", "vary", "upscale",
        "blend", "private", "everything", "sign-ups",
    ),
    "tier-": ("free", "plus", "team", "pro"),
    "button-": ("vary", "upscale", "edit", "reroll", "details", "delete", "report"),
}  # fmt: skip


class _Variables(FluentVisitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802
        self.names.add(node.id.name)


@cache
def messages_of(source: str) -> dict[str, frozenset[str]]:
    """Each message's variables. Fails on duplicates and on syntax errors."""
    body = FluentParser().parse(source).body
    assert [entry.content for entry in body if isinstance(entry, ast.Junk)] == []
    messages = [entry for entry in body if isinstance(entry, ast.Message)]
    repeated = [name for name, n in Counter(each.id.name for each in messages).items() if n > 1]
    assert repeated == []
    return {each.id.name: variables_of(each) for each in messages}


def variables_of(message: ast.Message) -> frozenset[str]:
    visitor = _Variables()
    visitor.visit(message)
    return frozenset(visitor.names)


def page_scripts() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(PAGE.glob("*.js"))}


def used_messages() -> set[str]:
    """Every message that the page's scripts name, literally or put together."""
    text = "\n".join(page_scripts().values())
    names = set(re.findall(r'"((?:page|button|tier)-[a-z0-9-]+)"', text))
    for prefix, endings in COMPUTED.items():
        assert f"`{prefix}${{" in text, f"no script puts {prefix}… together any more"
        names |= {prefix + ending for ending in endings}
    return names


@pytest.mark.parametrize("locale", LOCALES)
def test_catalogue_has_no_duplicate_and_no_syntax_error(locale: str) -> None:
    assert messages_of(catalogue_source(locale))


def test_languages_have_the_same_messages_and_variables() -> None:
    english, french = (messages_of(catalogue_source(locale)) for locale in ("en", "fr"))
    assert english == french


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_of_the_page_is_used(locale: str) -> None:
    own = messages_of((MESSAGES / f"page.{locale}.ftl").read_text(encoding="utf-8"))
    assert set(own) - used_messages() == set()


def test_every_message_that_the_page_uses_exists() -> None:
    assert used_messages() - set(messages_of(catalogue_source("en"))) == set()


def test_page_passes_every_variable() -> None:
    """Each literal call of `format` passes exactly the variables that its message has."""
    catalogue = messages_of(catalogue_source("en"))
    call = re.compile(r'\.format\(\s*"([a-z0-9-]+)"\s*(?:,\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\})?')
    checked = 0
    for script, text in page_scripts().items():
        for name, values in call.findall(text):
            passed = {part.split(":")[0].strip() for part in _split(values)}
            assert passed == catalogue[name], f"{script}: {name}"
            checked += 1
    assert checked > 100


def _split(values: str) -> list[str]:
    """The properties of an object literal, without commas inside brackets."""
    depth, parts, current = 0, [], ""
    for sign in values:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += sign
    return [part for part in (*parts, current) if part.strip()]


@pytest.mark.parametrize("locale", LOCALES)
def test_page_uses_typographic_apostrophes(locale: str) -> None:
    text = (MESSAGES / f"page.{locale}.ftl").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if "'" in line] == []
