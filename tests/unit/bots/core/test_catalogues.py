"""Catalogues and callers agree: no duplicate, unused or missing key, no missing variable."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from bots.core.commands import BadInput
from bots.core.locales import LOCALES, localizer_for, parts
from bots.core.reply import Action
from imaging import errors
from tasks.jobs.job import Reason
from tasks.jobs.tiers import DoorState, Tier
from tests.unit.bots.core.message_usage import (
    ROOT,
    Call,
    Message,
    duplicates,
    faults,
    is_used,
    messages,
    usage,
)


def variables(locale: str, part: str) -> dict[str, frozenset[str]]:
    return {message.key: message.variables for message in messages(locale, part)}


@pytest.mark.parametrize("part", parts())
@pytest.mark.parametrize("locale", LOCALES)
def test_no_key_is_defined_twice(locale: str, part: str) -> None:
    assert duplicates(message.key for message in messages(locale, part)) == []


@pytest.mark.parametrize("part", parts())
def test_both_languages_have_the_same_keys_and_variables(part: str) -> None:
    assert variables("en", part) == variables("fr", part)


@pytest.mark.parametrize("part", parts())
def test_every_key_is_used(part: str) -> None:
    used = usage(part)
    assert [key for key in variables("en", part) if not is_used(key, used)] == []


@pytest.mark.parametrize("part", parts())
def test_every_call_has_a_message_and_its_variables(part: str) -> None:
    known = {**variables("en", ""), **variables("en", part)}  # a part is read with the server's
    assert faults(usage(part).calls, known) == []


def test_calls_are_found() -> None:
    assert len(usage("").calls) > 100


@pytest.mark.parametrize("locale", LOCALES)
def test_every_value_of_an_enumeration_has_its_message(locale: str) -> None:
    codes = [error.code for error in errors.ImagingError.__subclasses__()]
    keys = [*BadInput, *(f"button-{action}" for action in Action), *codes]
    keys += [f"tier-{tier}" for tier in Tier] + [f"slack-doors-{state}" for state in DoorState]
    assert [key for key in keys if not localizer_for(locale).has_message(key)] == []


def coded(names: frozenset[str]) -> Iterator[Call]:
    """Calls such as `Reason("code", {...})` and `FlagError(BadInput.CODE, name=...)`."""
    for folder in ("bots", "tasks", "imaging"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                where = f"{file.relative_to(ROOT)}:{node.lineno}"
                match node.args[0]:
                    case ast.Constant(value=str() as code) if name in names:
                        yield Call(where, code, None)
                    case ast.Attribute(value=ast.Name(id="BadInput"), attr=code):
                        yield Call(where, BadInput[code], _details(node))
                    case _:
                        pass


def _details(node: ast.Call) -> frozenset[str] | None:
    """The names of the details that are written out in a call."""
    if len(node.args) > 1 and not isinstance(node.args[1], ast.Dict):
        return None
    named = [keyword.arg for keyword in node.keywords]
    keys = node.args[1].keys if len(node.args) > 1 and isinstance(node.args[1], ast.Dict) else []
    named += [str(key.value) for key in keys if isinstance(key, ast.Constant)]
    return frozenset(name for name in named if name)


def test_every_coded_reason_has_a_message_and_its_details() -> None:
    calls = list(coded(frozenset({"Reason", "PermanentFailure"})))
    assert len(calls) > 50
    assert faults(calls, variables("en", "")) == []


def test_checks_report_each_kind_of_fault() -> None:
    known = {"a-key": frozenset({"limit"})}
    calls = [
        Call("x.py:1", "a-key", frozenset()),
        Call("x.py:2", "b-key", frozenset()),
        Call("x.py:3", "a-key", frozenset({"limit"})),
    ]
    assert faults(calls, known) == ["x.py:1: a-key lacks limit", "x.py:2: no message b-key"]
    assert duplicates(["a", "b", "a"]) == ["a"]
    assert not is_used("never-named-anywhere", usage(""))
    assert Message("quota-too-small", frozenset({"cost", "limit"})) in messages("en", "")
    assert Reason("pool-spent").code in variables("fr", "")
