"""Finds the messages of the Fluent catalogues and the places that use them, from sources alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from fluent.syntax.visitor import Visitor

import bots
from bots.core.locales import catalogue

ROOT = Path(bots.__file__).parent.parent
LOCALIZERS = frozenset({"localize", "say", "localizer", "localizer_for"})
"""Names whose call takes a message's key first; also the call of such a call's result."""
REPLY_HELPERS = frozenset({"_message_reply", "_titled_reply"})
"""Functions of bots.core that take a context, then a key."""
_JS_CALL = re.compile(r"""\bformat\(\s*["']([a-z][a-z0-9_-]*)["']\s*(?:,\s*\{([^{}`]*)\}\s*)?\)""")
_KEY_TEMPLATE = re.compile(r"[a-z][a-z0-9_]*(?:-[a-z0-9_]+)*-\{\}(?:-(?:[a-z0-9_]+|\{\}))*")


@dataclass(frozen=True, slots=True)
class Message:
    """A message of one catalogue and the variables that it refers to."""

    key: str
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that formats a message; `variables` is None where they can't be read statically."""

    where: str
    key: str
    variables: frozenset[str] | None


@dataclass(slots=True)
class Usage:
    """What the sources of one catalogue refer to."""

    calls: list[Call] = field(default_factory=list)
    literals: set[str] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)  # "button-{}"
    suffixes: set[str] = field(default_factory=set)  # "-number", added to a key


class _Variables(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802
        self.names.add(node.id.name)


def messages(locale: str, part: str) -> list[Message]:
    """The catalogue's messages in order, duplicates included. Raises ValueError for bad syntax."""
    found = []
    for entry in FluentParser().parse(catalogue(locale, part)).body:
        if isinstance(entry, ftl.Junk):
            raise ValueError(f"{part or 'server'}.{locale}: {entry.content!r}")  # noqa: TRY004
        if isinstance(entry, ftl.Message):
            visitor = _Variables()
            visitor.visit(entry)
            found.append(Message(entry.id.name, frozenset(visitor.names)))
    return found


def usage(part: str) -> Usage:
    """What refers to a catalogue's messages: Python for the server's, else the page's sources."""
    return python_usage() if not part else page_usage(part)


@cache
def python_usage() -> Usage:
    """The keys, key templates and calls in all Python sources."""
    found = Usage()
    for folder in ("bots", "tasks", "imaging"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            _read_python(tree, str(file.relative_to(ROOT)), found)
    return found


def _read_python(tree: ast.AST, file: str, found: Usage) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text):
                found.literals.update({text, text.lower().replace(" ", "-")})
            case ast.arg(arg=name):
                found.literals.add(name)
            case ast.JoinedStr():
                found.templates.add(_template(node))
            case ast.Call():
                found.calls.extend(_calls(node, file))
            case _:
                pass


def _template(node: ast.JoinedStr) -> str:
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )


def _calls(node: ast.Call, file: str) -> Iterator[Call]:
    position = _key_position(node.func)
    if position is None or len(node.args) <= position:
        return
    keys = _constants(node.args[position])
    names = [keyword.arg for keyword in node.keywords]
    variables = None if None in names else frozenset(name for name in names if name)
    for key in keys:
        yield Call(f"{file}:{node.lineno}", key, variables)


def _key_position(function: ast.expr) -> int | None:
    """Which argument of a call is a message's key; None where it formats no message."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name in REPLY_HELPERS:
                return 1
            return 0 if name in {"localize", "say"} else None
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return 0 if name in LOCALIZERS else None
        case ast.Await(value=inner):
            return _key_position(inner)
        case _:
            return None


def _constants(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_constants(body), *_constants(orelse)]
        case _:
            return []


def page_usage(part: str) -> Usage:
    """The keys and key templates in the page's scripts and documents."""
    folder = ROOT / "bots" / "web" / part
    found = Usage(literals=set(python_usage().literals))  # values that the server sends
    for file in sorted((*folder.rglob("*.js"), *folder.rglob("*.html"))):
        text = file.read_text(encoding="utf-8")
        found.literals.update(re.findall(r"""["'`]([a-z][a-z0-9_-]*)["'`]""", text))
        for template in re.findall(r"`([a-z][a-z0-9_-]*(?:\$\{[^}`]*\}[a-z0-9_-]*)+)`", text):
            found.templates.add(re.sub(r"\$\{[^}]*\}", "{}", template))
        found.suffixes.update(re.findall(r"`\$\{\w+\}(-[a-z-]+)`", text))
        where = str(file.relative_to(ROOT))
        for key, names in _JS_CALL.findall(text):
            found.calls.append(Call(where, key, _object_keys(names)))
        for key in re.findall(r"""data-l10n-id=["']([^"']+)["']""", text):
            found.calls.append(Call(where, key, None))
    return found


def _object_keys(text: str) -> frozenset[str] | None:
    """The keys of a flat JavaScript object literal; None where it holds a spread or is nested."""
    if "..." in text:
        return None
    flat = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", text)
    return frozenset(key for part in flat.split(",") if (key := part.partition(":")[0].strip()))


def is_used(key: str, used: Usage) -> bool:
    """Whether a literal is the key, or a template and a literal (or a number) make it up."""
    bare = (key.removesuffix(suffix) for suffix in used.suffixes)
    if key in used.literals or any(key != one and one in used.literals for one in bare):
        return True
    return any(
        all(value.isdigit() or value in used.literals for value in match.groups())
        for template in _key_templates(used.templates)
        if (match := _pattern(template).fullmatch(key))
    )


def duplicates(keys: Iterable[str]) -> list[str]:
    """The keys that appear more than once."""
    seen: set[str] = set()
    return [key for key in keys if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


def faults(calls: Iterable[Call], known: Mapping[str, frozenset[str]]) -> list[str]:
    """The calls whose key is unknown, or that lack a variable of their message."""
    found = []
    for call in calls:
        if call.key not in known:
            found.append(f"{call.where}: no message {call.key}")
        elif call.variables is not None and (lacking := known[call.key] - call.variables):
            found.append(f"{call.where}: {call.key} lacks {', '.join(sorted(lacking))}")
    return found


def _key_templates(templates: Iterable[str]) -> list[str]:
    """The templates that begin like a key, such as "button-{}-n"."""
    return [template for template in templates if _KEY_TEMPLATE.fullmatch(template)]


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(re.escape(piece) for piece in template.split("{}")))
