"""The memory plan: what fits runs, more memory is never slower, and the reader is told why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.memory_plan import (
    GIGABYTE,
    QUANTISED,
    Card,
    MemoryPlan,
    ModelNeeds,
    advice,
    choose,
    fit_of,
    fits_in_order,
    needs_of_parts,
)
from imaging.public_models import PUBLIC_MODELS, public_model

ORDER = list(MemoryPlan)
sizes = st.integers(10_000, 60 * GIGABYTE)
needs_strategy = st.builds(
    ModelNeeds,
    components=st.dictionaries(st.sampled_from(["unet", "text", "vae"]), sizes, min_size=1),
    pixels=st.integers(64 * 64, 2048 * 2048),
)
cards = st.builds(
    Card,
    free=st.integers(0, 200 * GIGABYTE),
    total=st.just(200 * GIGABYTE),
    host_free=st.integers(0, 200 * GIGABYTE),
    quantises=st.booleans(),
)


@given(needs=needs_strategy, card=cards)
def test_chosen_plan_fits_if_any_does_and_is_the_fastest_that_does(
    needs: ModelNeeds, card: Card
) -> None:
    possible = [fit for fit in fits_in_order(needs) if card.quantises or fit.plan not in QUANTISED]
    fitting = [fit for fit in possible if fit.fits(card)]
    chosen = choose(needs, card)
    assert chosen == (fitting[0] if fitting else min(possible, key=lambda fit: fit.peak))
    assert card.quantises or chosen.plan not in QUANTISED


@given(needs=needs_strategy, card=cards, more=st.integers(0, 50 * GIGABYTE))
def test_more_memory_is_never_slower(needs: ModelNeeds, card: Card, more: int) -> None:
    before = choose(needs, card)
    after = choose(needs, replace(card, free=card.free + more))
    if before.fits(card):
        assert ORDER.index(after.plan) <= ORDER.index(before.plan)
        assert after.fits(replace(card, free=card.free + more))


@given(needs=needs_strategy, card=cards)
def test_smaller_model_never_needs_a_slower_plan(needs: ModelNeeds, card: Card) -> None:
    half = ModelNeeds({name: size // 2 for name, size in needs.components.items()}, needs.pixels)
    if choose(needs, card).fits(card):
        assert ORDER.index(choose(half, card).plan) <= ORDER.index(choose(needs, card).plan)


@given(needs=needs_strategy)
def test_device_takes_at_least_the_largest_group_and_never_more_than_whole(
    needs: ModelNeeds,
) -> None:
    whole = fit_of(MemoryPlan.WHOLE, needs)
    for fit in fits_in_order(needs):
        assert 0 < fit.peak <= whole.peak or fit.plan is MemoryPlan.OFFLOAD_GROUP
        assert (fit.host > 0) == fit.plan.offloads


@given(needs=needs_strategy, card=cards, wanted=st.sampled_from(ORDER))
def test_wanted_plan_is_taken(needs: ModelNeeds, card: Card, wanted: MemoryPlan) -> None:
    assert choose(needs, card, wanted).plan is wanted


def card_of(gb: float, *, quantises: bool = False, host: float = 64) -> Card:
    return Card(
        int((gb - 0.5) * GIGABYTE), int(gb * GIGABYTE), int(host * GIGABYTE), quantises=quantises
    )


@pytest.mark.parametrize(
    ("hub", "gb", "quantises", "plan"),
    [
        ("stabilityai/stable-diffusion-xl-base-1.0", 8, False, MemoryPlan.OFFLOAD_MODEL),
        ("stabilityai/stable-diffusion-xl-base-1.0", 12, False, MemoryPlan.WHOLE),
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", 6, False, MemoryPlan.WHOLE),
        ("Qwen/Qwen-Image", 8, False, MemoryPlan.OFFLOAD_GROUP),
        ("Qwen/Qwen-Image", 16, True, MemoryPlan.FOUR_BIT),
        ("Qwen/Qwen-Image", 24, True, MemoryPlan.EIGHT_BIT),
        ("Qwen/Qwen-Image", 80, True, MemoryPlan.WHOLE),
    ],
)
def test_plans_of_known_models(hub: str, gb: float, quantises: bool, plan: MemoryPlan) -> None:
    model = public_model(hub)
    assert model is not None
    pixels = 512 * 512 if "v1-5" in hub else 1024 * 1024
    assert (
        choose(needs_of_parts(model.parts, pixels), card_of(gb, quantises=quantises)).plan is plan
    )


def test_missing_quantiser_and_short_host_memory_are_said() -> None:
    model = public_model("Qwen/Qwen-Image")
    assert model is not None
    needs = needs_of_parts(model.parts, 1328 * 1328)
    assert "bitsandbytes" in advice(needs, card_of(16))
    assert advice(needs, card_of(16, quantises=True)) == ""
    assert "host" in advice(needs, card_of(8, quantises=True, host=8))
    assert advice(needs, card_of(1)) != ""


def test_every_public_model_has_a_known_class_and_a_licence_with_an_address() -> None:
    from imaging.pipeline_families import FAMILIES

    assert len({model.hub for model in PUBLIC_MODELS}) == len(PUBLIC_MODELS)
    for model in PUBLIC_MODELS:
        assert model.family in FAMILIES
        assert model.licence.url.startswith("https://")
        assert "vae" in model.parts
    assert {model.family for model in PUBLIC_MODELS} == set(FAMILIES)
