"""Fine-tunes the denoiser by reward: whole pictures are sampled as the pipeline does it, a detector
says what is in them, and the gradient of its error goes back to the sampling steps (DRTune, Wu et
al. 2024).

The diffusion loss teaches each noise level alone. Most wrong numbers come from the path between
them: a thing begun in two spots at a noisy level is finished in both. Only the end of the path
shows that.

The loss needs no target picture. For each thing that a caption names, the detector's strongest
peaks are taken for the things asked for, as many as there should be; all other cells should be
empty. The diffusion loss is learnt beside it, which keeps pictures like the drawn ones.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

import torch
from diffusers import UNet2DConditionModel
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTokenizer

from imaging.engine.candidate_selector import LatentDetector
from imaging.postcard import vocabulary as words
from imaging.postcard.denoiser_finetune import Batches, DiffusionLoss, prepare
from imaging.postcard.informal_captions import Mention, Mentions
from imaging.postcard.latent_detector import (
    CELLS,
    COLOURS,
    GROUNDS,
    THINGS,
    TIMES,
)
from imaging.postcard.latent_detector import roughened as noisy
from imaging.postcard.networks import build_scheduler
from imaging.postcard.scenes import Scene, is_at_place, satisfies_relation, seeded_random
from imaging.postcard.training_captions import (
    formal_training_caption,
    informal_training_caption,
)
from imaging.postcard.training_run import TrainingRun
from imaging.postcard.varied_latents import numbered_scene

NEAR = 1.9  # cells: peaks closer than this are one thing
CANDIDATES = 6  # peaks considered for each thing
EMPTY_WEIGHT = 0.5
FORMAL_SHARE = 0.4
SIZES = {"1:1": 0.5, "16:9": 0.25, "9:16": 0.25}
Cell = tuple[int, int]


@dataclass(frozen=True)
class Request:
    """A caption, the scene behind it, and what of the scene it names."""

    text: str
    scene: Scene
    said: Mentions


def everything(scene: Scene) -> Mentions:
    """The mentions of a caption that leaves nothing out."""
    items = tuple(Mention(count=True, colour=True, size=True, place=True) for _ in scene.items)
    return Mentions(items, relation=True, ground=True, time=bool(scene.time), shared=False)


def random_request(rng: Random, number: int, seed: int, size: tuple[int, int]) -> Request:
    """A caption of training scene `number`, informal or not."""
    scene = numbered_scene(seed, "varied", number, size)
    if rng.random() < FORMAL_SHARE:
        text = formal_training_caption(rng, scene, terse=0.0)
        return Request(text, scene, everything(scene))
    text, said = informal_training_caption(rng, scene)
    return Request(text, scene, said)


class Requests(Dataset[tuple[torch.Tensor, list[Request]]]):
    """Batch number i, all of one picture size: token ids `(n, length)` and the requests."""

    def __init__(
        self, tokenizer: CLIPTokenizer, batch: int, first: int, count: int, seed: int
    ) -> None:
        self.tokenizer, self.batch, self.seed = tokenizer, batch, seed
        self.first, self.count = first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, list[Request]]:
        rng = seeded_random(self.seed, "reward batch", self.first + index)
        size = words.ASPECTS[rng.choices(list(SIZES), list(SIZES.values()))[0]]
        # Long pictures hold fewer cells more to sample: as many as the square's time allows.
        count = self.batch if size[0] == size[1] else max(1, round(self.batch * 0.6))
        found = [random_request(rng, rng.randrange(10**9), self.seed, size) for _ in range(count)]
        ids = self.tokenizer(
            [request.text for request in found],
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).input_ids
        return ids, found


def sampled(
    unet: UNet2DConditionModel,
    states: torch.Tensor,
    empty: torch.Tensor,
    noise: torch.Tensor,
    *,
    steps: int,
    guidance: float,
    learning: Collection[int],
) -> torch.Tensor:
    """Scaled latents made from `noise` `(n, 4, h, w)` by DDIM with classifier-free guidance, as the
    pipeline makes them.

    `states` are the texts' hidden states, `empty` those of no text `(1, length, width)`. The
    gradient reaches the network in the steps numbered in `learning`, through its conditional output
    alone. Its input carries none (DRTune, Wu et al. 2024): along the inputs of eight steps the
    gradient grows by orders of magnitude.
    """
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps)
    alphas = scheduler.alphas_cumprod
    spacing = scheduler.config.num_train_timesteps // steps
    latents = noise
    blank = empty.expand(len(noise), -1, -1)
    for step, time in enumerate(scheduler.timesteps.tolist()):
        seen = latents.detach().to(unet.dtype, memory_format=torch.channels_last)
        times = torch.full((len(noise),), time, device=noise.device)
        with torch.set_grad_enabled(step in learning):
            named = unet(seen, times, states).sample.float()
        with torch.no_grad():
            unnamed = unet(seen, times, blank).sample.float()
        velocity = unnamed + guidance * (named - unnamed)
        before = time - spacing
        now, after = alphas[time], alphas[before] if before >= 0 else torch.tensor(1.0)
        clean = now.sqrt() * latents - (1 - now).sqrt() * velocity
        error = now.sqrt() * velocity + (1 - now).sqrt() * latents
        latents = after.sqrt() * clean + (1 - after).sqrt() * error
    return latents


def peaks(score: torch.Tensor, count: int) -> list[Cell]:
    """The `count` highest cells of `(h, w)`, no two of them near each other."""
    columns = score.shape[1]
    found: list[Cell] = []
    for place in score.flatten().argsort(descending=True).tolist():
        cell = divmod(int(place), columns)
        if all(math.dist(cell, other) >= NEAR for other in found):
            found.append(cell)
            if len(found) == count:
                break
    return found


def _point(cells: Sequence[Cell]) -> tuple[float, float]:
    """The mean position of cells, (x, y) in units of the shorter side."""
    rows, columns = zip(*cells, strict=True)
    return (
        (sum(columns) / len(cells) + 0.5) / CELLS,
        (sum(rows) / len(cells) + 0.5) / CELLS,
    )


Choice = tuple[float, tuple[Cell, ...]]


def _choices(
    score: torch.Tensor, count: int, place: str, extent: tuple[float, float]
) -> list[Choice]:
    """Ways to choose `count` peaks of one group, with their summed score; those at the named place
    where there are any.
    """
    cells = peaks(score, count + 3)
    ways = [
        (sum(float(score[cell]) for cell in chosen), chosen)
        for chosen in combinations(cells, count)
    ]
    if place:
        at = [way for way in ways if is_at_place(place, *_point(way[1]), extent)]
        if not at:
            at = _moved(score, count, place, extent)
        ways = at or ways
    return sorted(ways, reverse=True)[:CANDIDATES]


def _moved(
    score: torch.Tensor, count: int, place: str, extent: tuple[float, float]
) -> list[Choice]:
    """The best peaks among the cells at the named place, where none of the strongest lie there."""
    inside = torch.full_like(score, -1e4)
    for row in range(score.shape[0]):
        for column in range(score.shape[1]):
            if is_at_place(place, *_point([(row, column)]), extent):
                inside[row, column] = score[row, column]
    cells = peaks(inside, count)
    return [(sum(float(inside[cell]) for cell in cells), tuple(cells))]


def chosen_cells(things: torch.Tensor, colours: torch.Tensor, request: Request) -> list[Cell]:
    """For each thing asked for, in the order of `wanted`, the cell that comes nearest to it.

    `things` `(25, h, w)` and `colours` `(11, h, w)` are log probabilities.
    """
    scene, said = request.scene, request.said
    groups: list[list[Choice]] = []
    for place, (item, mention) in enumerate(zip(scene.items, said.items, strict=True)):
        score = things[1 + THINGS.index(item.thing)].clone()
        if mention.colour:
            score += 0.5 * colours[COLOURS.index(item.colour)]
        where = scene.places[place] if mention.place and scene.places else ""
        groups.append(_choices(score, item.count, where, scene.extent))
    if scene.relation and said.relation:
        ways = [
            (a[0] + b[0], a, b)
            for a in groups[0]
            for b in groups[1]
            if satisfies_relation(scene.relation, _point(a[1]), _point(b[1]))
        ]
        if ways:
            _, first, second = max(ways)
            groups[:2] = [[first], [second]]
    if len(scene.items) > 1 and scene.items[0].thing == scene.items[1].thing:
        # Two of one thing must not both be the same cell.
        ways = [
            (a[0] + b[0], a, b)
            for a in groups[0]
            for b in groups[1]
            if all(math.dist(c, d) >= NEAR for c in a[1] for d in b[1])
        ]
        if ways:
            _, first, second = max(ways)
            groups[:2] = [[first], [second]]
    return [cell for ways in groups for cell in ways[0][1]]


def request_loss(
    logits: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], request: Request
) -> torch.Tensor:
    """How far one picture is from its request; `logits` are the detector's for that picture alone,
    without a batch dimension.
    """
    things, colours = logits[0].float().log_softmax(0), logits[1].float().log_softmax(0)
    grounds, times = logits[2].float().log_softmax(0), logits[3].float().log_softmax(0)
    with torch.no_grad():
        cells = chosen_cells(things, colours, request)
    loss = things.new_zeros(())
    free = torch.ones(things.shape[1:], dtype=torch.bool)
    wanted = [
        (item, mention)
        for item, mention in zip(request.scene.items, request.said.items, strict=True)
        for _ in range(item.count)
    ]
    for (item, mention), (row, column) in zip(wanted, cells, strict=True):
        loss = loss - things[1 + THINGS.index(item.thing), row, column]
        if mention.colour:
            loss = loss - 0.5 * colours[COLOURS.index(item.colour), row, column]
        free[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = False
    empty = -(things[0] * free.to(things.device)).sum()
    loss = loss + EMPTY_WEIGHT * empty
    if request.said.ground:
        loss = loss - 0.5 * grounds[GROUNDS.index(request.scene.ground)]
    if request.said.time:
        loss = loss - 0.5 * times[TIMES.index(request.scene.time)]
    return loss


def detected_right(
    logits: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], request: Request
) -> bool:
    """Whether the detector sees as many of each thing as asked for, and nothing else."""
    present = 1 - logits[0].float().softmax(0)[0]
    seen: dict[str, int] = {}
    for row, column in peaks(present, 12):
        if float(present[row, column].detach()) > 0.5:
            thing = THINGS[int(logits[0][1:, row, column].argmax())]
            seen[thing] = seen.get(thing, 0) + 1
    wanted: dict[str, int] = {}
    for item in request.scene.items:
        wanted[item.thing] = wanted.get(item.thing, 0) + item.count
    return seen == wanted


def reward_loss(
    detector: LatentDetector,
    latents: torch.Tensor,
    requests: Sequence[Request],
    generator: torch.Generator,
) -> tuple[torch.Tensor, float]:
    """The mean loss of the pictures, and the share of those that the detector finds right."""
    # Noise before the detector: what it must see through, no hidden pattern can survive.
    logits = detector(noisy(latents, generator).contiguous(memory_format=torch.channels_last))
    loss, right = torch.zeros(()), 0
    for place, request in enumerate(requests):
        own = tuple(part[place].cpu() for part in logits)
        loss = loss + request_loss(own, request) / len(requests)
        right += detected_right(own, request)
    return loss, right / len(requests)


def _gradients(unet: UNet2DConditionModel) -> list[torch.Tensor]:
    """The parameters' gradients, taken away from them."""
    found = []
    for parameter in unet.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        found.append(gradient.float())
        parameter.grad = None
    return found


def _norm(gradients: Sequence[torch.Tensor]) -> float:
    return math.sqrt(sum(float(g.square().sum()) for g in gradients))


@dataclass(frozen=True)
class Reward:
    """What pictures are sampled with, and how strong the reward's gradient is beside that of the
    diffusion loss: at most `strength` times as long.
    """

    steps: int = 8
    guidance: float = 3.0
    batch: int = 12
    strength: float = 1.5
    learning: int = 4  # steps of each picture that are learnt from


def finetune_by_reward(
    unet: UNet2DConditionModel,
    run: TrainingRun,
    diffusion: DiffusionLoss,
    batches: Batches,
    detector: LatentDetector,
    reward: Reward,
    *,
    workers: int = 0,
) -> None:
    """Train `unet` in place; `run` is its training so far, `batches` feed the diffusion loss."""
    prepare(unet, diffusion.device)
    generator = torch.Generator().manual_seed(batches.seed * 1_000_003 + run.step)
    rng = seeded_random(batches.seed, "reward", run.step)
    todo = run.stage.steps - run.step
    sampled_requests = Requests(batches.tokenizer, reward.batch, run.step, todo, batches.seed)
    supply = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    request_batches = iter(DataLoader(sampled_requests, batch_size=None, num_workers=workers))
    with torch.no_grad():
        blank = batches.tokenizer("", padding="max_length", return_tensors="pt").input_ids
        empty = diffusion.encoder(blank.to(diffusion.device)).last_hidden_state
    for _ in run.steps():
        loss = diffusion(unet, next(supply), generator)
        loss.backward()  # type: ignore[no-untyped-call]
        steady = _gradients(unet)
        ids, requests = next(request_batches)
        with torch.no_grad():
            states = diffusion.encoder(ids.to(diffusion.device)).last_hidden_state
        width, height = (round(side * CELLS) for side in requests[0].scene.extent)
        noise = torch.randn(len(ids), 4, height, width, generator=generator).to(diffusion.device)
        latents = sampled(
            unet,
            states,
            empty,
            noise,
            steps=reward.steps,
            guidance=reward.guidance,
            learning=rng.sample(range(reward.steps), reward.learning),
        )
        wrong, right = reward_loss(detector, latents, requests, generator)
        wrong.backward()  # type: ignore[no-untyped-call]
        steep = _gradients(unet)
        ratio = _norm(steep) / max(1e-9, _norm(steady))
        share = min(1.0, reward.strength / max(1e-9, ratio))
        for parameter, a, b in zip(unet.parameters(), steady, steep, strict=True):
            parameter.grad = (a + share * b).to(parameter.dtype)
        run.apply_gradients(
            loss.detach(),
            reward_loss=round(float(wrong.detach()), 4),
            right=round(right, 4),
            ratio=round(ratio, 2),
        )
    run.load_average()
    unet.eval()
