"""Candidates of a picture: made in one call of a stock pipeline, compared, all but one dropped, and
corrected.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image

from imaging.engine.candidate_selector import CandidateSelector
from imaging.engine.candidates import INPUTS, Candidates, Selector, scaled_plan
from imaging.engine.corrections import Corrections
from imaging.engine.engine import Engine
from imaging.engine.latent_preview import LatentCapture
from imaging.errors import ModelUnavailable
from imaging.profiles import (
    POSTCARD_FOLDER,
    CandidatePlan,
    CorrectionPlan,
    Profile,
    profile_for,
)
from imaging.request import Operation
from tests.unit.imaging.pictures import make_request, open_image

PATIENCE = 120.0
STEPS = 5
PLAN = CandidatePlan("", count=3, until=3)
PROMPT = "a red house"

Latents = torch.Tensor
Score = Callable[[torch.Tensor, Latents], torch.Tensor]


@dataclass(frozen=True)
class Scoring:
    """A selector with this score."""

    score: Score

    def scorer(self, states: torch.Tensor) -> Callable[[Latents], torch.Tensor]:
        return partial(self.score, states)


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    found = StableDiffusionPipeline.from_pretrained(str(POSTCARD_FOLDER))
    found.set_progress_bar_config(disable=True)
    return found


def generators(seeds: Sequence[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def as_selector(given: Score | CandidateSelector) -> Selector:
    return given if isinstance(given, CandidateSelector) else Scoring(given)


def made(
    pipeline: StableDiffusionPipeline,
    seeds: Sequence[int],
    score: Score | CandidateSelector | None,
    *,
    plan: CandidatePlan = PLAN,
    **more: Any,
) -> Latents:
    """The latents of pictures with these seeds; without `score`, those of the pipeline alone."""
    capture = LatentCapture()
    if score is not None:
        candidates = Candidates(plan, as_selector(score), seeds)

        def after_step(pipe: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            assert capture.latents is not None
            return candidates.after_step(pipe, index + 1, capture.latents, tensors)

        more |= {
            "callback_on_step_end": after_step,
            "callback_on_step_end_tensor_inputs": [*INPUTS],
        }
    arguments = {"guidance_scale": 3.0, "output_type": "latent", **more}
    with capture.attached_to(pipeline.scheduler):
        found: Latents = pipeline(
            PROMPT,
            num_images_per_prompt=len(seeds),
            num_inference_steps=STEPS,
            width=128,
            height=128,
            generator=generators(seeds),
            **arguments,
        ).images
    return found


def prefers(*places: int) -> Score:
    """Prefers the candidate at each place in its picture's group of three."""

    def score(_: torch.Tensor, latents: Latents) -> torch.Tensor:
        scores = torch.zeros(len(latents))
        for group, place in enumerate(places):
            scores[group * PLAN.count + place] = 1
        return scores

    return score


def brightness(_: torch.Tensor, latents: Latents) -> torch.Tensor:
    return latents.mean((1, 2, 3))


def test_the_first_candidate_is_the_picture_of_the_seed(pipeline: StableDiffusionPipeline) -> None:
    found, stock = made(pipeline, [7, 8], prefers(0, 0)), made(pipeline, [7, 8], None)
    assert torch.allclose(found, stock, atol=1e-3)


def test_the_candidate_with_the_highest_score_is_kept(pipeline: StableDiffusionPipeline) -> None:
    first, second, third = (made(pipeline, [7], prefers(place)) for place in range(3))
    for one, other in ((first, second), (second, third), (first, third)):
        assert float((one - other).abs().max()) > 0.1
    mixed = made(pipeline, [7, 8], prefers(2, 1))
    assert torch.allclose(mixed[:1], third, atol=1e-3)
    assert torch.allclose(mixed[1:], made(pipeline, [8], prefers(1)), atol=1e-3)


def test_pictures_do_not_depend_on_their_batch(pipeline: StableDiffusionPipeline) -> None:
    together = made(pipeline, [3, 4, 5], brightness)
    alone = torch.cat([made(pipeline, [seed], brightness) for seed in (3, 4, 5)])
    assert torch.allclose(together, alone, atol=1e-3)


def test_the_selector_reads_the_prompt_and_the_estimate(pipeline: StableDiffusionPipeline) -> None:
    ids = pipeline.tokenizer(PROMPT, padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        expected = pipeline.text_encoder(ids).last_hidden_state
    shown: list[tuple[torch.Tensor, Latents]] = []

    def score(states: torch.Tensor, latents: Latents) -> torch.Tensor:
        shown.append((states, latents))
        return brightness(states, latents)

    made(pipeline, [1, 2], score, negative_prompt="a blue boat")
    ((states, latents),) = shown
    assert states.shape[0] == latents.shape[0] == 2 * PLAN.count
    assert torch.allclose(states, expected.expand_as(states), atol=1e-5)
    # Estimates of clean latents: far less spread than noisy ones.
    assert float(latents.std()) < 1.2


def test_without_guidance_there_are_candidates_too(pipeline: StableDiffusionPipeline) -> None:
    found = made(pipeline, [7], prefers(0), guidance_scale=1.0)
    assert torch.allclose(found, made(pipeline, [7], None, guidance_scale=1.0), atol=1e-3)
    assert not torch.allclose(found, made(pipeline, [7], prefers(1), guidance_scale=1.0), atol=0.1)


CORRECTION = CorrectionPlan(first=3, last=4, strength=0.2, rounds=2, momentum=0.6)
CORRECTED = replace(PLAN, correction=CORRECTION)


@pytest.fixture(scope="module")
def selector() -> CandidateSelector:
    found = CandidateSelector.from_pretrained(str(POSTCARD_FOLDER / "selector"))
    shipped: CandidateSelector = found.eval().requires_grad_(False)
    return shipped


def hidden_states(pipeline: StableDiffusionPipeline, *texts: str) -> torch.Tensor:
    ids = pipeline.tokenizer(list(texts), padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        states: torch.Tensor = pipeline.text_encoder(ids).last_hidden_state
    return states


def never_met(_: torch.Tensor, latents: Latents) -> torch.Tensor:
    """A log-likelihood far below 0; the brighter, the better."""
    return latents.mean((1, 2, 3)) - 50


@pytest.mark.parametrize("step", [3, 4])
def test_a_correction_moves_the_clean_part_of_the_latents(
    pipeline: StableDiffusionPipeline, step: int
) -> None:
    """The noise in the latents stays: they are the corrected picture at the next noise level."""
    pipeline.scheduler.set_timesteps(STEPS)
    candidates = Candidates(CORRECTED, Scoring(never_met), [7])
    latents, estimate = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16)
    given = {"latents": latents, "prompt_embeds": torch.zeros(2, 77, 128)}
    found = candidates.after_step(pipeline, step, estimate, given)["latents"]
    following = pipeline.scheduler.alphas_cumprod[pipeline.scheduler.timesteps[step]]
    assert torch.allclose(found, latents + following.sqrt() * 2 * 0.2, atol=1e-3)


def test_there_are_no_corrections_but_in_their_steps(pipeline: StableDiffusionPipeline) -> None:
    plain = made(pipeline, [7], never_met)
    for first, last, changed in ((3, 3, True), (4, 4, True), (5, 9, False)):
        plan = replace(PLAN, correction=replace(CORRECTION, first=first, last=last))
        found = made(pipeline, [7], never_met, plan=plan)
        assert torch.allclose(found, plain, atol=1e-3) is not changed, (first, last)


def test_corrected_pictures_do_not_depend_on_their_batch(
    pipeline: StableDiffusionPipeline, selector: CandidateSelector
) -> None:
    together = made(pipeline, [3, 4], selector, plan=CORRECTED)
    alone = torch.cat([made(pipeline, [seed], selector, plan=CORRECTED) for seed in (3, 4)])
    assert torch.allclose(together, alone, atol=2e-2)


def test_a_prompt_that_names_nothing_keeps_the_picture_of_the_seed(
    pipeline: StableDiffusionPipeline, selector: CandidateSelector
) -> None:
    """Otherwise all that is in the picture would be taken out."""
    latents = made(pipeline, [7], None)
    score = selector.scorer(hidden_states(pipeline, "samurai"))
    assert float(score(latents)) == 0
    assert torch.equal(Corrections(CORRECTION, score)(latents), latents)
    assert float(selector.scorer(hidden_states(pipeline, PROMPT))(latents)) < 0


def test_plan_for_other_numbers_of_steps() -> None:
    plan = CandidatePlan("", count=4, until=5)
    assert scaled_plan(plan, 8, 8) == plan
    assert scaled_plan(plan, 20, 8) == replace(plan, until=12)
    assert scaled_plan(plan, 3, 8) == replace(plan, until=2)
    assert scaled_plan(plan, 2, 8) is None


def test_corrections_for_other_numbers_of_steps() -> None:
    def corrected_steps(steps: int, first: int, last: int) -> tuple[int, int] | None:
        correction = replace(CORRECTION, first=first, last=last)
        scaled = scaled_plan(CandidatePlan("", 4, 3, correction), steps, 8)
        assert scaled is not None
        if scaled.correction is None:
            return None
        return scaled.correction.first, scaled.correction.last

    assert corrected_steps(8, 3, 7) == (3, 7)
    assert corrected_steps(20, 3, 6) == (8, 15)
    # A step follows the last correction, which would stay as it is otherwise.
    assert corrected_steps(8, 3, 8) == (3, 7)
    # None is of the candidates, which are compared after step 3 of 8 and step 2 of 4.
    assert corrected_steps(8, 2, 7) == (3, 7)
    assert corrected_steps(4, 3, 8) == (2, 3)
    assert corrected_steps(4, 8, 8) is None


@pytest.mark.parametrize(("area", "rounds"), [(1.0, 2), (1.75, 3), (4.0, 4), (0.2, 1)])
def test_larger_pictures_are_corrected_in_more_rounds(area: float, rounds: int) -> None:
    plan = CandidatePlan("", 4, 4, CORRECTION)
    scaled = scaled_plan(plan, 8, 8, area)
    assert scaled is not None
    assert scaled.correction is not None
    assert scaled.correction.rounds == rounds


# -- in the engine ------------------------------------------------------------------------------


@pytest.fixture
def exact() -> Profile:
    """Postcard in single precision on every CPU, with three candidates until the fourth step."""
    postcard = profile_for("postcard")
    assert postcard.candidates is not None
    plan = replace(postcard.candidates, count=3, until=4)
    return replace(postcard, cpu_dtype=None, candidates=plan)


def draw(engine: Engine, profile: Profile, **changes: Any) -> list[Image.Image]:
    width, height = profile.size("1:1")
    request = make_request(
        Operation.IMAGINE, profile=profile.name, width=width, height=height, **changes
    )
    return [open_image(picture.data) for picture in engine.submit(request).result(PATIENCE)]


def test_candidates_are_computed_until_one_is_chosen(
    make_engine: Callable[[Profile], Engine], exact: Profile, calls: list[int]
) -> None:
    engine = make_engine(exact)
    calls.clear()
    draw(engine, exact, steps=8)
    assert calls == [1, 3, 3, 3, 1, 1, 1, 1]
    calls.clear()
    assert len(draw(engine, exact, steps=4, count=2)) == 2
    assert calls == [2, 6, 2, 2]


def test_too_few_steps_leave_no_candidates(
    make_engine: Callable[[Profile], Engine], exact: Profile, calls: list[int]
) -> None:
    engine = make_engine(exact)
    calls.clear()
    draw(engine, exact, steps=2)
    assert calls == [1, 1]


def test_candidates_are_dropped_where_memory_is_short(
    make_engine: Callable[[Profile], Engine], exact: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(exact)
    forward = UNet2DConditionModel.forward

    def starved(self: Any, sample: torch.Tensor, *args: Any, **more: Any) -> Any:
        if len(sample) > 2:  # more than one picture, guided
            torch.empty(2**60, dtype=torch.uint8)
        return forward(self, sample, *args, **more)

    monkeypatch.setattr(UNet2DConditionModel, "forward", starved)
    assert len(draw(engine, exact, steps=8, count=2)) == 2


def test_a_picture_from_a_source_has_no_candidates(exact: Profile, calls: list[int]) -> None:
    source = (POSTCARD_FOLDER.parent / "contact_sheet.jpg").read_bytes()
    engine = Engine([exact], lambda _: source)
    try:
        calls.clear()
        draw(engine, exact, steps=8, sources=("sheet",))
        assert set(calls) == {1}
    finally:
        assert engine.stop(60)


def test_shown_pictures_are_those_of_the_stock_pipeline_with_the_same_candidates(
    make_engine: Callable[[Profile], Engine], exact: Profile
) -> None:
    from imaging.postcard.pipelines import Choice, Model, defaults, load_model

    stock = load_model()
    assert stock.choice is not None
    assert exact.candidates is not None
    pipeline = StableDiffusionPipeline.from_pretrained(str(POSTCARD_FOLDER))
    choice = Choice(exact.candidates, stock.choice.selector, exact.steps)
    expected = Model(defaults(POSTCARD_FOLDER), pipeline, choice).generator()([PROMPT], [7])[0]
    (found,) = draw(make_engine(exact), exact, prompt=PROMPT, seed=7, steps=8)
    assert np.abs(np.asarray(found).astype(int) - np.asarray(expected)).max() <= 2


def test_strict_engines_draw_the_stock_pipelines_picture(exact: Profile) -> None:
    from imaging.engine.settings import EngineSettings

    stock = StableDiffusionPipeline.from_pretrained(str(POSTCARD_FOLDER))
    expected = stock(
        PROMPT, num_inference_steps=8, guidance_scale=3.0, width=128, height=128,
        generator=generators([7]),
    ).images[0]  # fmt: skip
    engine = Engine([profile_for("postcard")], lambda _: b"", EngineSettings(strict=True))
    try:
        (found,) = draw(engine, exact, prompt=PROMPT, seed=7, steps=8)
    finally:
        assert engine.stop(60)
    assert np.array_equal(np.asarray(found), np.asarray(expected))


CHOICE = {"selector": "selector", "count": 2, "until": 3}

# -- settings -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POSTCARD_FOLDER, tmp_path / "model", ignore=shutil.ignore_patterns("edit"))
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("candidates", "complaint"),
    [
        ({"selector": "missing", "count": 2, "until": 3}, "candidates.selector"),
        ({"selector": "selector", "count": 1, "until": 3}, "candidates.count"),
        ({"selector": "selector", "count": 2, "until": 1}, "candidates.until"),
        ({"count": 2, "until": 3}, "candidates.selector"),
        (
            {**CHOICE, "correction": {"first": 5, "last": 4, "strength": 0.2}},
            "last must not be less",
        ),
        (
            {**CHOICE, "correction": {"first": 2, "last": 4, "strength": 0.2}},
            "correction.first must not be less than until",
        ),
        (
            {**CHOICE, "correction": {"first": 3, "last": 4, "strength": 2}},
            "candidates.correction.strength",
        ),
    ],
)
def test_wrong_settings_are_named(folder: Path, candidates: dict[str, Any], complaint: str) -> None:
    file = folder / "atelier.json"
    file.write_text(json.dumps({"candidates": candidates}), encoding="utf-8")
    with pytest.raises(ModelUnavailable, match=complaint):
        profile_for(str(folder))


def test_null_means_one_picture_of_each_prompt(folder: Path) -> None:
    (folder / "atelier.json").write_text('{"candidates": null}', encoding="utf-8")
    assert profile_for(str(folder)).candidates is None
