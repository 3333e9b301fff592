"""Training's own parts: the optimiser, resuming, and what the denoiser is given to learn."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline, StableDiffusionPipeline
from torch import nn

from imaging.postcard.denoiser import ITEM_WEIGHT, DenoiserBatches, copy_without_edit_input
from imaging.postcard.latent_cache import Cache, buckets
from imaging.postcard.muon import ROUNDS, Muon
from imaging.postcard.networks import Shape, build_unet
from imaging.postcard.pipelines import WEIGHTS
from imaging.postcard.tokenizer import load_tokenizer
from imaging.postcard.train import STAGES
from imaging.postcard.train import main as train
from imaging.postcard.training_config import CONFIGS, Stage
from imaging.postcard.training_run import TrainingRun

SHAPES = ((24, 24), (24, 24), (64, 24), (16, 72))


def test_muon_agrees_with_torch_one_matrix_at_a_time() -> None:
    chance = torch.Generator().manual_seed(0)
    ours = [torch.randn(shape, generator=chance) for shape in SHAPES]
    theirs = [matrix.clone() for matrix in ours]
    first = Muon(ours, 1e-2)
    second = torch.optim.Muon(
        theirs, 1e-2, weight_decay=0.01, ns_steps=ROUNDS, adjust_lr_fn="match_rms_adamw"
    )
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=chance)
            other.grad = one.grad.clone()
        first.step()
        second.step()  # type: ignore[no-untyped-call]
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def little() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.SiLU(), nn.Flatten(), nn.Linear(8, 4))


def learn(run: TrainingRun, steps: int) -> None:
    for _ in range(steps):
        chance = torch.Generator().manual_seed(run.step)
        pictures = torch.randn(16, 3, 3, 3, generator=chance).to(torch.bfloat16)
        run.update((run.module(pictures).float() - pictures.float().mean()).square().mean())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, layout: torch.memory_format
) -> None:
    stage = Stage(steps=8, batch=16, rate=1e-2)
    laid = little().to(memory_format=layout)  # type: ignore[call-overload]
    through = TrainingRun(tmp_path / "through", "little", laid, stage, half=True)
    learn(through, 8)
    broken = TrainingRun(tmp_path / "broken", "little", little(), stage, half=True)
    learn(broken, 4)
    broken.save()
    again = TrainingRun(tmp_path / "broken", "little", little(), stage, half=True)
    assert again.step == 4
    learn(again, 4)
    start = little().state_dict()
    for key, value in through.average.items():
        torch.testing.assert_close(again.average[key], value, rtol=0.02, atol=2e-3)
        assert not torch.equal(value, start[key]), key


def test_the_painter_is_the_editor_with_nothing_to_edit() -> None:
    shape = replace(Shape(), unet_channels=(16, 32), unet_heads=(1, 2))
    torch.manual_seed(0)
    editor, generator = build_unet(shape, edit=True).eval(), build_unet(shape).eval()
    copy_without_edit_input(editor, generator)
    noise, times, states = (
        torch.randn(2, 4, 16, 16),
        torch.tensor([999, 500]),
        torch.randn(2, 9, 128),
    )
    with torch.no_grad():
        painted = generator(noise, times, states).sample
        blank = torch.cat([noise, torch.zeros_like(noise)], dim=1)
        torch.testing.assert_close(editor(blank, times, states).sample, painted)


def test_lessons_are_edits_then_pictures_and_always_the_same() -> None:
    config = replace(CONFIGS["cpu"], scenes=40, triples=40, square_share=1.0, aspects=("1:1",))
    chance = torch.Generator().manual_seed(0)

    def latents(total: int, pictures: int) -> list[tuple[object, torch.Tensor]]:
        return [
            (bucket, torch.randn(bucket.count, pictures, 4, 16, 16, generator=chance).half())
            for bucket in buckets(config, total)
        ]

    cache = Cache(latents(config.scenes, 1), latents(config.triples, 2))  # type: ignore[arg-type]
    config = replace(config, denoiser=Stage(steps=9, batch=12, rate=1e-3, edits=0.5))
    tokenizer = load_tokenizer(WEIGHTS / "tokenizer")
    lessons = DenoiserBatches(config, tokenizer, cache, first=0)
    ids, rows, weights = lessons[3]
    assert len(ids) == len(rows) == len(weights) == 12
    assert rows[:6, 0].abs().sum(dim=(1, 2, 3)).min() > 0
    assert rows[6:, 0].abs().max() == 0
    assert set(weights.flatten().tolist()) <= {1.0, ITEM_WEIGHT}
    for one, other in zip(
        lessons[3], DenoiserBatches(config, tokenizer, cache, first=3)[0], strict=True
    ):
        assert torch.equal(one, other)


def test_one_command_trains_every_stage_and_writes_folders_that_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    shipped = tmp_path / "weights"
    train(["--config", "first", "--try-steps=1", f"--folder={tmp_path}", f"--export={shipped}"])
    log = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["stage"] for line in log] == list(STAGES)
    StableDiffusionPipeline.from_pretrained(str(shipped))
    StableDiffusionInstructPix2PixPipeline.from_pretrained(str(shipped / "edit"))
    assert sum(file.stat().st_size for file in shipped.rglob("*")) < 40_000_000
