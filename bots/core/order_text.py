"""Writes an order as text that parses to the same order: what members copy and paste. Pure."""

from __future__ import annotations

from bots.core.command_parser import parse_in_channel
from bots.core.commands import Imagine

_FLAGS = (
    ("aspect", "ar"),
    ("count", "count"),
    ("seed", "seed"),
    ("model", "model"),
    ("strength", "strength"),
    ("negative", "no"),
)


def order_text(order: Imagine) -> str:
    """The prompt and its flags, with `/imagine` first where the words alone mean something else.

    Empty where no text means this order, as with a negative prompt that ends in "-no".
    """
    flags = [
        f"--{flag} {_value(value)}"
        for name, flag in _FLAGS
        if _given(value := getattr(order, name))
    ]
    text = " ".join([order.prompt, *flags])
    texts = (text, f"/imagine {text}")
    return next((each for each in texts if parse_in_channel(each) == order), "")


def _given(value: object) -> bool:
    return value is not None and value != ""


def _value(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
