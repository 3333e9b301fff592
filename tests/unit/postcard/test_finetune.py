"""Fine-tuning: the reward's gradient, sampling as the pipeline does it, and the command."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from safetensors.torch import load_file

from imaging.engine.candidate_selector import CandidateSelector
from imaging.postcard import evaluate, finetune_on_gpu
from imaging.postcard import vocabulary as words
from imaging.postcard.denoiser_finetune import (
    SHARES,
    Batch,
    Batches,
    teacher_share,
    training_captions,
)
from imaging.postcard.drawing import draw
from imaging.postcard.finetune import CONFIGS as FINETUNE_CONFIGS
from imaging.postcard.finetune import Finetuning, shortened
from imaging.postcard.finetune import main as finetune
from imaging.postcard.informal_captions import Mention, Mentions, choose_mentions, paired
from imaging.postcard.latent_detector import (
    CELLS,
    COLOURS,
    GROUNDS,
    THINGS,
    TIMES,
    cell_targets,
    detection_loss,
)
from imaging.postcard.pipelines import WEIGHTS
from imaging.postcard.reward_finetune import (
    Request,
    chosen_cells,
    detected_right,
    everything,
    peaks,
    request_loss,
    sampled,
)
from imaging.postcard.scenes import Item, Scene, random_varied_scene
from imaging.postcard.selector_training import ATTACK, ATTACK_STEPS, attacked
from imaging.postcard.text_encoder_finetune import PER_THING, SEVERAL, targets
from imaging.postcard.tokenizer import load_tokenizer
from imaging.postcard.training_config import Stage
from imaging.postcard.training_run import learning_rate
from imaging.postcard.varied_latents import SceneSet

Logits = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
CAT = Scene((Item("cat", "black", "small", 1, 0.25, 0.5),), "snow", "night", places=("",))
NAMED = Mention(count=True, colour=True, size=False, place=True)
BARE = Mentions((NAMED,), relation=False, ground=False, time=False, shared=False)


def logits_of(scene: Scene, extra: tuple[tuple[str, int, int], ...] = ()) -> Logits:
    """What a good detector says of the scene, with further things in given cells."""
    height, width = (round(side * CELLS) for side in reversed(scene.extent))
    things = torch.zeros(1 + len(THINGS), height, width)
    things[0] = 20.0
    colours = torch.zeros(len(COLOURS), height, width)
    spots = [
        (item.thing, item.colour, int(y * CELLS), int(x * CELLS))
        for item in scene.items
        for x, y in item.centres
    ]
    spots += [(thing, scene.items[0].colour, row, column) for thing, row, column in extra]
    for thing, colour, row, column in spots:
        things[0, row, column] = 0.0
        things[1 + THINGS.index(thing), row, column] = 20.0
        colours[COLOURS.index(colour), row, column] = 20.0
    grounds, times = torch.zeros(len(GROUNDS)), torch.zeros(len(TIMES))
    grounds[GROUNDS.index(scene.ground)] = 20.0
    times[TIMES.index(scene.time)] = 20.0
    return things, colours, grounds, times


def test_peaks_are_the_highest_cells_apart_from_each_other() -> None:
    score = torch.zeros(8, 8)
    score[2, 2], score[2, 3], score[6, 6] = 3.0, 2.5, 1.0
    assert peaks(score, 2) == [(2, 2), (6, 6)]


def test_a_second_thing_costs_and_the_gradient_takes_the_weaker_one_away() -> None:
    request = Request("a cat", CAT, BARE)
    right = request_loss(logits_of(CAT), request)
    doubled = logits_of(CAT, (("cat", 12, 12),))
    things = doubled[0]
    things[1 + THINGS.index("cat"), 12, 12] = 3.0  # a little less certain than the first
    things.requires_grad_()
    wrong = request_loss((things, *doubled[1:]), request)
    assert float(right) < 0.5 < float(wrong.detach())
    wrong.backward()  # type: ignore[no-untyped-call]
    assert things.grad is not None
    assert float(things.grad[0, 12, 12]) < -0.1, "empty must become more likely there"
    row, column = int(0.5 * CELLS), int(0.25 * CELLS)
    assert abs(float(things.grad[0, row, column])) < 0.01


def test_a_missing_thing_and_an_unnamed_one_cost() -> None:
    request = Request("a cat", CAT, BARE)
    right = float(request_loss(logits_of(CAT), request))
    fish = Scene((Item("fish", "black", "small", 1, 0.25, 0.5),), "snow", "night", places=("",))
    assert float(request_loss(logits_of(fish), request)) > right + 2
    assert float(request_loss(logits_of(CAT, (("tree", 2, 12),)), request)) > right + 2


def test_only_what_is_said_is_asked_for() -> None:
    other = Scene((Item("cat", "red", "small", 1, 0.25, 0.5),), "sea", "day", places=("",))
    quiet = Mention(count=True, colour=False, size=False, place=False)
    free = Mentions((quiet,), relation=False, ground=False, time=False, shared=False)
    assert float(request_loss(logits_of(other), Request("", CAT, free))) < 0.5
    assert float(request_loss(logits_of(other), Request("", CAT, everything(CAT)))) > 4


def test_chosen_cells_respect_a_named_place_and_a_relation() -> None:
    placed = Scene((Item("cat", "black", "small", 1, 0.8, 0.5),), "white", places=("right",))
    logits = logits_of(placed, (("cat", 8, 2),))
    logits[0][1 + THINGS.index("cat"), 8, 2] = 24.0  # surer, but on the left
    things, colours = (part.log_softmax(0) for part in logits[:2])
    [cell] = chosen_cells(things, colours, Request("", placed, everything(placed)))
    assert cell == (8, 12)

    pair = (Item("cat", "black", "small", 1, 0.2, 0.5), Item("fish", "red", "small", 1, 0.8, 0.5))
    scene = Scene(pair, "white", relation="left of", places=("", ""))
    logits = logits_of(scene, (("cat", 8, 15),))
    logits[0][1 + THINGS.index("cat"), 8, 15] = 24.0
    things, colours = (part.log_softmax(0) for part in logits[:2])
    first, second = chosen_cells(things, colours, Request("", scene, everything(scene)))
    assert first[1] < second[1]


def test_the_share_of_right_pictures_counts_things() -> None:
    assert detected_right(logits_of(CAT), Request("", CAT, BARE))
    assert not detected_right(logits_of(CAT, (("cat", 12, 12),)), Request("", CAT, BARE))
    assert not detected_right(logits_of(CAT, (("sun", 2, 12),)), Request("", CAT, BARE))


def test_cell_targets_fit_every_aspect() -> None:
    for aspect, size in words.ASPECTS.items():
        scene = random_varied_scene(Random(aspect), size)
        things, _ = cell_targets(scene)
        assert int((things > 0).sum()) == sum(item.count for item in scene.items)
        assert things.shape == (size[1] * CELLS // min(size), size[0] * CELLS // min(size))


def test_an_attack_hides_things_from_the_detector_by_a_small_change() -> None:
    selector = CandidateSelector.from_pretrained(str(WEIGHTS / "selector")).float().eval()
    rng, generator = Random(3), torch.Generator().manual_seed(3)
    scenes = [random_varied_scene(rng, (128, 128)) for _ in range(4)]
    vae = AutoencoderKL.from_pretrained(WEIGHTS / "vae")
    drawn = [np.asarray(draw(scene)).astype(np.float32) / 127.5 - 1 for scene in scenes]
    pictures = torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2)
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mean * vae.config.scaling_factor
    found = attacked(selector.detector, latents, scenes, generator)
    change = (found - latents).square().mean((1, 2, 3)).sqrt()
    assert bool((change <= ATTACK * ATTACK_STEPS + 1e-4).all())
    assert float(change.min()) > 0

    def loss(shown: torch.Tensor) -> float:
        with torch.no_grad():
            return float(detection_loss(selector.detector(shown), scenes)[0])

    noise = torch.randn(latents.shape, generator=generator) * change.view(-1, 1, 1, 1)
    worse, by_noise = loss(found) - loss(latents), loss(latents + noise) - loss(latents)
    assert worse > 10 * abs(by_noise)


def test_sampling_is_that_of_the_stock_pipeline() -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(str(WEIGHTS))
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    prompts = ["a red house at night", "deux chats"]
    expected = pipeline(
        prompts, num_inference_steps=8, guidance_scale=3.0, latents=noise, output_type="latent"
    ).images
    with torch.no_grad():
        ids = pipeline.tokenizer(
            [*prompts, ""], padding="max_length", return_tensors="pt"
        ).input_ids
        states = pipeline.text_encoder(ids).last_hidden_state
        made = sampled(
            pipeline.unet, states[:2], states[2:], noise, steps=8, guidance=3.0, learning=()
        )
    torch.testing.assert_close(made, expected, rtol=1e-3, atol=1e-3)


def test_gradient_reaches_the_network_in_the_chosen_steps_only() -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(str(WEIGHTS))
    unet, noise = pipeline.unet, torch.randn(1, 4, 16, 16)
    states = torch.randn(1, 40, 128)

    def gradient(*learning: int) -> torch.Tensor:
        unet.zero_grad()
        made = sampled(unet, states, states, noise, steps=2, guidance=1.5, learning=learning)
        if not learning:
            assert not made.requires_grad
            return torch.zeros(())
        made.square().mean().backward()  # type: ignore[no-untyped-call]
        found: torch.Tensor | None = unet.conv_out.weight.grad
        assert found is not None
        return found.clone()

    gradient()
    first, last, both = gradient(0), gradient(1), gradient(0, 1)
    assert first.abs().max() > 0
    assert last.abs().max() > 0
    torch.testing.assert_close(first + last, both, rtol=1e-3, atol=1e-5)


def test_targets_are_what_the_caption_says() -> None:
    three = Item("bird", "red", "small", 3, 0.5, 0.5)
    scene = Scene((three,), "sea", "day", places=("top",))
    quiet = Mention(count=False, colour=False, size=True, place=False)
    said = Mentions((quiet,), relation=False, ground=True, time=False, shared=False)
    things, overall = targets(scene, said)
    row = dict(zip(PER_THING, things[THINGS.index("bird")].tolist(), strict=True))
    assert row == {**dict.fromkeys(PER_THING, 0), "count": SEVERAL, "size": 1}
    assert overall.tolist() == [1 + words.LANDSCAPES.index("sea"), 0]
    assert int((things[:, 0] > 0).sum()) == 1


def test_targets_of_two_colours_do_not_depend_on_their_order() -> None:
    red, blue = (
        Item("cat", colour, "small", 1, x, 0.5) for colour, x in (("red", 0.3), ("blue", 0.7))
    )
    rows = []
    for items in ((red, blue), (blue, red)):
        scene = Scene(items, "white", places=("", ""))
        said = Mentions((NAMED, NAMED), relation=False, ground=False, time=False, shared=False)
        rows.append(targets(scene, said)[0][THINGS.index("cat")].tolist())
    assert rows[0] == rows[1]
    assert rows[0][:3] == [2, 1 + COLOURS.index("red"), 1 + COLOURS.index("blue")]


def test_batches_are_of_one_size_and_always_the_same() -> None:
    sets = {
        name: SceneSet(0, "varied", words.ASPECTS[name], torch.zeros(6, 4, h // 8, w // 8).half())
        for name, (w, h) in list(words.ASPECTS.items())
    }
    tokenizer = load_tokenizer(WEIGHTS / "tokenizer")
    found = set()
    for number in range(30):
        batch = Batches(tokenizer, sets, 3, number, 1)[0]
        assert len(batch.ids) == len(batch.teacher_ids) == len(batch.latents) == 3
        assert batch.latents.shape[-2:] == batch.weights.shape[-2:]
        assert set(batch.weights.flatten().tolist()) > {1.0}
        found.add(tuple(batch.latents.shape[-2:]))
        again = Batches(tokenizer, sets, 3, 0, 30)[number]
        assert torch.equal(batch.ids, again.ids)
        assert torch.equal(batch.teacher, again.teacher)
    assert len(found) > 2
    assert sum(SHARES.values()) == pytest.approx(1.0)


def test_the_teacher_reads_the_whole_scene_and_is_not_trusted_with_new_kinds() -> None:
    for seed in range(80):
        scene = random_varied_scene(Random(seed))
        text, formal = training_captions(Random(seed), scene)
        assert bool(text) == bool(formal)
        share = teacher_share(scene)
        assert (share == 0) == paired(scene)
        long = random_varied_scene(Random(seed), words.ASPECTS["16:9"])
        assert teacher_share(long) < 0.5
    grey = replace(CAT, ground="grey", time="")
    assert teacher_share(grey) == 0 < teacher_share(CAT)


def test_the_loss_is_nothing_for_the_teacher_itself() -> None:
    training = Finetuning(shortened(FINETUNE_CONFIGS["cpu"], 1), Path("unused"))
    batch = Batch(
        ids := torch.full((2, 32), 7),
        ids,
        torch.randn(2, 4, 16, 16).half(),
        torch.ones(2, 1, 16, 16),
        torch.ones(2, 1, 1, 1),
        (CAT, CAT),
    )
    loss = training.diffusion_loss()

    def value(teacher: float) -> float:
        share = replace(batch, teacher=torch.full((2, 1, 1, 1), teacher))
        with torch.no_grad():
            generator = torch.Generator().manual_seed(0)
            return float(loss(training.teacher.unet, share, generator))

    assert value(1.0) < 1e-4 < value(0.0)


def test_choosing_mentions_of_a_scene_names_every_item() -> None:
    for seed in range(50):
        scene = random_varied_scene(Random(seed))
        assert len(choose_mentions(Random(seed), scene).items) == len(scene.items)


def test_one_command_runs_every_stage_resumes_and_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    kept, exported = tmp_path / "kept", tmp_path / "weights"
    command = ["--config", "cpu", "--try-steps=1", f"--folder={kept}"]
    finetune([*command, "--until", "denoiser"])
    assert not (kept / "reward").exists()
    finetune([*command, f"--export={exported}"])
    logs = {path.parent.name: path.read_text(encoding="utf-8") for path in kept.rglob("log.jsonl")}
    stages = [json.loads(line)["stage"] for text in logs.values() for line in text.splitlines()]
    assert sorted(stages) == [
        "denoiser", "estimate-detector", "latent-detector", "prompt-reader", "reward",
        "text-encoder", "text-head",
    ]  # fmt: skip
    StableDiffusionPipeline.from_pretrained(str(exported))
    assert sum(f.stat().st_size for f in exported.rglob("*") if f.is_file()) < 40_000_000

    def changed(part: str) -> bool:
        new, old = (load_file(folder / part) for folder in (exported, WEIGHTS))
        return any(not torch.equal(new[key], old[key]) for key in old)

    unet = "unet/diffusion_pytorch_model.safetensors"
    assert changed(unet)
    assert changed("text_encoder/model.safetensors")
    assert changed("selector/diffusion_pytorch_model.safetensors")
    assert not changed("vae/diffusion_pytorch_model.safetensors")
    assert not changed(f"edit/{unet}")
    assert not changed("edit/text_encoder/model.safetensors")


def test_a_selector_alone_is_trained_for_weights_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    exported = tmp_path / "weights"
    finetune(
        ["--config", "cpu", "--try-steps=1", f"--folder={tmp_path / 'kept'}", "--selector-only",
         f"--export={exported}"]
    )  # fmt: skip
    changed = {
        str(path.relative_to(WEIGHTS).parent)
        for path in WEIGHTS.rglob("*.safetensors")
        if any(
            not torch.equal(value, load_file(exported / path.relative_to(WEIGHTS))[name])
            for name, value in load_file(path).items()
        )
    }
    assert changed == {"selector"}


def test_one_command_for_a_gpu_leaves_weights_figures_and_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated: list[tuple[Path, int, str]] = []

    def evaluation(path: Path, prompts: int, **given: Any) -> None:
        assert (given["weights"] / "model_index.json").exists()
        evaluated.append((path, prompts, given["device"]))

    monkeypatch.setattr(evaluate, "run", evaluation)
    out = tmp_path / "out"
    finetune_on_gpu.main(
        ["--device=cpu", "--try-steps=1", "--prompts=5", "--minutes=9", f"--out={out}"]
    )
    assert evaluated == [(out / "figures.json", 5, "cpu")]
    assert {path.name for path in out.iterdir()} == {
        "weights", "text.jsonl", "detector.jsonl", "denoiser.jsonl", "reward.jsonl",
        "reader.jsonl", "estimates.jsonl",
    }  # fmt: skip


def test_stages_share_the_time_and_leave_some_for_the_evaluation() -> None:
    config = finetune_on_gpu.limited(FINETUNE_CONFIGS["gpu"], 100.0)
    stages = (
        config.text_head, config.text_encoder, config.detector, config.denoiser, config.reward,
        config.reader, config.estimates,
    )  # fmt: skip
    limits = [stage.seconds for stage in stages]
    assert None not in limits
    assert 50 < sum(limit or 0 for limit in limits) < 90


def test_a_time_limit_ends_a_run_and_lowers_the_rate() -> None:
    stage = Stage(steps=1000, batch=1, rate=1.0, seconds=10.0)
    assert stage.progress(100, 0.0) == pytest.approx(0.1)
    assert stage.progress(100, 5.0) == pytest.approx(0.5)
    assert stage.progress(100, 20.0) == 1.0
    assert learning_rate(500, stage, 9.0) < learning_rate(500, stage, 5.0)
    assert learning_rate(500, replace(stage, seconds=None), 9.0) == learning_rate(500, stage, 5.0)
