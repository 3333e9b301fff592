"""Tables of known models for the documents: what each can do, its licence, and what fits a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imaging.memory_plan import GIGABYTE, Card, choose, gigabytes, needs_of_parts
from imaging.parameters import Parameter
from imaging.pipeline_families import FAMILIES, Family
from imaging.public_models import PUBLIC_MODELS, PublicModel
from imaging.request import Operation

CARDS = (6, 8, 12, 16, 24)
"""Gigabytes of the cards in the table."""
IN_USE = 500_000_000
"""Bytes of a card that a desktop takes."""
HOST = 128 * GIGABYTE


def model_table() -> str:
    """Each model with its class, licence, size and operations, as Markdown."""
    head = ["model", "class", "licence", "paid use", "16-bit weights", "operations", "ignores"]
    return _table(head, (_model_row(model) for model in PUBLIC_MODELS))


def plan_table(*, quantises: bool) -> str:
    """The plan of each model on each card, and the device memory that it is expected to take."""
    head = ["model", *(f"{size} GB" for size in CARDS)]
    rows = ([model.hub, *(_plan(model, size, quantises) for size in CARDS)] for model in _sizes())
    return _table(head, rows)


def operations_of(family: Family) -> list[str]:
    """The operations of a class that need its model, in a fixed order."""
    return [one.value for one in Operation if one in family.operations and one != Operation.UPSCALE]


def _model_row(model: PublicModel) -> list[str]:
    family = FAMILIES[model.family]
    guidance = family.guidance if model.guidance is None else model.guidance
    ignored = set(Parameter) - family.parameters(guidance)
    return [
        f"[{model.hub}](https://huggingface.co/{model.hub})",
        model.family,
        f"[{model.licence.name}]({model.licence.url})",
        model.licence.paid.value,
        gigabytes(model.billions * 2 * GIGABYTE),
        ", ".join(operations_of(family)),
        ", ".join(one.value for one in Parameter if one in ignored),
    ]


def _sizes() -> Iterator[PublicModel]:
    """One model of each class and size."""
    seen = set()
    for model in PUBLIC_MODELS:
        key = (model.family, tuple(model.parts.items()))
        if key not in seen:
            seen.add(key)
            yield model


def _plan(model: PublicModel, size: int, quantises: bool) -> str:
    total = size * GIGABYTE
    card = Card(total - IN_USE, total, HOST, quantises=quantises)
    fit = choose(needs_of_parts(model.parts, FAMILIES[model.family].side ** 2), card)
    return f"{fit.plan} {gigabytes(fit.peak)}" if fit.fits(card) else "does not fit"


def _table(head: Sequence[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
