"""The network that compares candidates of a picture with the prompt, and corrects them.

Three parts. `LatentDetector` reads latents: what is centred in each cell, in which colour, on
which ground, at which time of day. `PromptReader` reads the prompt's hidden states: how many of
each thing it names, in which colour, where. `log_likelihoods` says how well the two agree.

A model folder whose `atelier.json` has `candidates` contains its weights; `imaging.postcard` trains
those of the bundled model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional

PEAKS = 12
"""Cells of a picture that are considered to hold a thing."""
MOST = 5
"""Detections of one thing that are told apart; more count as so many."""
FAINT = 0.02
"""Probability of a thing below which a cell is empty."""
FLOOR = 1e-3
"""Smallest likelihood of anything: readings can be wrong."""
SLACK = 0.05
"""How far outside a third of the picture a thing may lie and still be in it, in sides."""
BLUR = 0.03
"""Softness of comparisons of positions, in shorter sides."""
SEVERAL = 4
"""The class of numbers for "two or more"."""
NAMED = 0.5
"""Probability from which a thing counts as named."""
ROLES = ("left of", "right of", "above", "below", "beside")
CONVERSE = (1, 0, 3, 2, 4)
"""For each role, that of the other thing."""

Logits = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def _block(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
        nn.GroupNorm(outside // 16, outside),
        nn.SiLU(),
    )


class LatentDetector(nn.Module):
    """Scaled latents `(n, 4, h, w)` to logits: things `(n, 1 + things, h, w)` whose class 0 is
    "none", colours `(n, colours, h, w)`, ground `(n, grounds)`, time `(n, times)`. Height and width
    are even.
    """

    def __init__(self, things: int, colours: int, grounds: int, times: int) -> None:
        super().__init__()
        self.fine = nn.Sequential(_block(4, 64), _block(64, 64))
        self.middle = nn.Sequential(_block(64, 128, 2), _block(128, 128), _block(128, 128))
        self.merge = nn.Sequential(_block(192, 96), _block(96, 96))
        self.things = nn.Conv2d(96, 1 + things, 1)
        self.colours = nn.Conv2d(96, colours, 1)
        self.ground = nn.Linear(192, grounds)
        self.time = nn.Linear(192, times)

    def forward(self, latents: torch.Tensor) -> Logits:
        fine = self.fine(latents)
        middle = self.middle(fine)
        seen = self.merge(torch.cat([functional.interpolate(middle, scale_factor=2.0), fine], 1))
        whole = torch.cat([middle.mean((2, 3)), fine.mean((2, 3))], 1)
        return self.things(seen), self.colours(seen), self.ground(whole), self.time(whole)


class Said(NamedTuple):
    """What prompts say, as logits: `(n, things, classes)` for each thing, `(n, classes)` overall.

    Numbers have the classes none, 1, 2, 3, several; columns and rows not said, first, second,
    third; roles not said and `ROLES`; the others not said and each colour, ground, or time.
    """

    number: torch.Tensor
    colour: torch.Tensor
    other_colour: torch.Tensor
    column: torch.Tensor
    row: torch.Tensor
    role: torch.Tensor
    ground: torch.Tensor
    time: torch.Tensor


class PromptReader(nn.Module):
    """Predicts what texts say from their hidden states `(n, length, width)`, by one
    cross-attention with a learned query for each thing and one for the rest.

    Returns logits `(n, things, classes)` for each number of classes in `per_thing`, and
    `(n, classes)` for each in `overall`.
    """

    def __init__(
        self, width: int, things: int, per_thing: Sequence[int], overall: Sequence[int]
    ) -> None:
        super().__init__()
        # Queries must differ from the start. Near zero, all attend to the same words, and learning
        # to separate them takes longer than everything else.
        self.queries = nn.Parameter(torch.randn(things + 1, width))
        self.attend = nn.MultiheadAttention(width, 4, batch_first=True)
        self.think = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU())
        self.things = nn.ModuleList(nn.Linear(2 * width, classes) for classes in per_thing)
        self.overall = nn.ModuleList(nn.Linear(2 * width, classes) for classes in overall)

    def forward(self, states: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        queries = self.queries.expand(len(states), -1, -1)
        # With `need_weights` the attention is unfused, which is faster here.
        attended, _ = self.attend(queries, states, states, need_weights=True)
        features = self.think(queries + attended)
        things, whole = features[:, :-1], features[:, -1]
        return [head(things) for head in self.things], [head(whole) for head in self.overall]


class Seen(NamedTuple):
    """What the detector sees in pictures, as probabilities.

    The strongest `PEAKS` cells, no two of them neighbours: `things` `(n, things, peaks)` is the
    probability of each thing at each, `colours` `(n, colours, peaks)` that of each colour; `x` and
    `y` `(n, peaks)` are positions in shorter sides. `ground` and `time` are `(n, classes)`; time 0
    is "none". `extent` is the pictures' width and height in shorter sides.
    """

    things: torch.Tensor
    colours: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    ground: torch.Tensor
    time: torch.Tensor
    extent: tuple[float, float]


def seen(logits: Logits) -> Seen:
    """The detector's output as probabilities at its peaks."""
    things, colours, ground, time = (part.float() for part in logits)
    likely = things.softmax(1)
    present = 1 - likely[:, :1].detach()  # where the peaks are has no gradient
    height, width = present.shape[-2:]
    # A peak is the largest of its neighbourhood; of equal neighbours, the first one.
    _, largest = functional.max_pool2d(present, 3, 1, 1, return_indices=True)
    highest = largest == torch.arange(height * width, device=present.device).view(height, width)
    strength, cells = torch.where(highest, present, 0.0).flatten(1).topk(PEAKS, 1)

    def at_cells(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(2).gather(2, cells[:, None].expand(-1, values.shape[1], -1))

    side = min(height, width)
    return Seen(
        at_cells(likely[:, 1:]) * (strength > FAINT)[:, None],
        at_cells(colours.softmax(1)),
        (cells % width + 0.5) / side,
        (cells // width + 0.5) / side,
        ground.softmax(1),
        time.softmax(1),
        (width / side, height / side),
    )


@cache
def _roots(events: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The roots of unity `(roots,)` at which the characteristic function of so many events is
    computed, and the matrix `(roots, MOST + 1)` from its values to the distribution.
    """
    # With an odd number of roots the function is zero at none of them.
    largest = max(events, MOST)
    roots = largest + 1 + largest % 2
    angles = torch.arange(roots, dtype=torch.float64) * (2 * torch.pi / roots)
    back = torch.exp(-1j * angles[:, None] * torch.arange(roots)) / roots
    return torch.exp(1j * angles), torch.cat([back[:, :MOST], back[:, MOST:].sum(1, True)], 1)


def count_distribution(chances: torch.Tensor) -> torch.Tensor:
    """The distribution `(…, MOST + 1)` of how many of independent events `(…, events)` happen: the
    Poisson binomial distribution, by its characteristic function (Hong 2013). The last class is
    `MOST` or more.
    """
    roots, back = _roots(chances.shape[-1])
    real, imaginary = roots.real.to(chances), roots.imag.to(chances)
    # Not every device multiplies complex numbers: sizes and angles are summed instead.
    across = 1 + chances.unsqueeze(-1) * (real - 1)
    up = chances.unsqueeze(-1) * imaginary
    size = ((across.square() + up.square()).log().sum(-2) / 2).exp()
    angle = torch.atan2(up, across).sum(-2)
    found: torch.Tensor = (size * angle.cos()) @ back.real.to(chances)
    return found - (size * angle.sin()) @ back.imag.to(chances)


def log_likelihoods(said: Said, pictures: Seen) -> torch.Tensor:
    """How likely it is that pictures show what prompts say, in parts `(n, 7)`: numbers of things
    named, things not named, colours, ground, time, places, relations.
    """
    number = said.number.softmax(-1)
    named = 1 - number[..., 0]
    share = pictures.things / (pictures.things.sum(-1, keepdim=True) + 1e-4)
    where = share @ torch.stack([pictures.x, pictures.y], -1)
    numbers = _log(_number_met(number, count_distribution(pictures.things)))
    third = torch.stack([said.column, said.row], 2).softmax(-1)
    places = _log(_third_met(third, where, pictures.extent)).sum(-1)
    colours = _log(_colours_met(said, torch.einsum("nkp,ncp->nkc", share, pictures.colours)))
    ground, time = said.ground.softmax(-1), said.time.softmax(-1)
    parts = (
        (numbers * named).sum(-1),
        (numbers * (1 - named)).sum(-1),
        (colours * named).sum(-1),
        _log(ground[:, 0] + (ground[:, 1:] * pictures.ground).sum(-1)),
        _log(time[:, 0] + (time[:, 1:] * pictures.time[:, 1:]).sum(-1)),
        (places * named).sum(-1),
        _relations(said.role.softmax(-1), named, where),
    )
    return torch.stack(parts, 1)


def _log(likelihood: torch.Tensor) -> torch.Tensor:
    return (likelihood + FLOOR).log()


def _number_met(number: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
    exact = (number[..., :SEVERAL] * found[..., :SEVERAL]).sum(-1)
    return exact + number[..., SEVERAL] * found[..., 2:].sum(-1)


def _colours_met(said: Said, tint: torch.Tensor) -> torch.Tensor:
    """`tint` `(n, things, colours)` are the shares of each thing's colours."""
    first, second = said.colour.softmax(-1), said.other_colour.softmax(-1)
    of_first, of_second = (first[..., 1:] * tint).sum(-1), (second[..., 1:] * tint).sum(-1)
    alone = first[..., 0] + of_first
    # Of two things in two colours, half have each.
    both = (2 * of_first).clamp(max=1) * (2 * of_second).clamp(max=1)
    return second[..., 0] * alone + (1 - second[..., 0]) * both


def _third_met(
    said: torch.Tensor, where: torch.Tensor, extent: tuple[float, float]
) -> torch.Tensor:
    """Whether positions `(n, things, 2)` lie in the thirds of the picture that are said
    `(n, things, 2, 4)`.
    """
    sides = where.new_tensor(extent)[:, None]
    thirds = torch.arange(3, device=where.device)
    low, high = (thirds / 3 - SLACK) * sides, ((thirds + 1) / 3 + SLACK) * sides
    at = where.unsqueeze(-1)
    inside = torch.sigmoid((at - low) / BLUR) * torch.sigmoid((high - at) / BLUR)
    return said[..., 0] + (said[..., 1:] * inside).sum(-1)


def _relations(role: torch.Tensor, named: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The summed log-likelihood `(n,)` of relations between pairs of things."""
    apart_by = where[:, None] - where[:, :, None]
    across, down = apart_by.unbind(-1)
    sideways = torch.sigmoid((across.abs() - down.abs()) / BLUR)
    to_right, to_bottom = torch.sigmoid(apart_by / BLUR).unbind(-1)
    met = torch.stack(
        [
            sideways * to_right,
            sideways * (1 - to_right),
            (1 - sideways) * to_bottom,
            (1 - sideways) * (1 - to_bottom),
            sideways,
        ],
        -1,
    )
    asked = role[:, :, None, 1:] * role[:, None, :, 1:][..., list(CONVERSE)]
    pairs = (named[:, :, None] * named[:, None])[..., None]
    apart = 1 - torch.eye(named.shape[1], device=named.device)[None, :, :, None]
    # Each pair occurs in both orders.
    return (asked * pairs * apart * _log(met)).sum((1, 2, 3)) / 2


class CandidateSelector(ModelMixin, ConfigMixin):  # type: ignore[misc]  # diffusers has no types
    """Scores pictures by how well they show what prompts say."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        width: int = 128,
        things: int = 24,
        colours: int = 11,
        grounds: int = 16,
        times: int = 3,
    ) -> None:
        """`width` is that of the hidden states, the others are numbers of classes."""
        super().__init__()
        said = (1 + SEVERAL, 1 + colours, 1 + colours, 4, 4, 1 + len(ROLES))
        self.reader = PromptReader(width, things, said, (1 + grounds, 1 + times))
        self.detector = LatentDetector(things, colours, grounds, 1 + times)

    def scorer(self, states: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from scaled latents `(n, 4, h, w)` to their log-likelihood `(n,)` for prompts
        with hidden states `(n, length, width)`.

        Where a prompt names no known thing, all pictures have the score 0.
        """
        with torch.no_grad():
            things, overall = self.reader(states.float())
            said = Said(*things, *overall)
            named = (1 - said.number.softmax(-1)[..., 0]).amax(1) > NAMED

        def score(latents: torch.Tensor) -> torch.Tensor:
            found = log_likelihoods(said, seen(self.detector(latents.float()))).sum(1)
            return torch.where(named, found, 0.0)

        return score

    @torch.no_grad()
    def forward(self, states: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """The scores of latents for hidden states: see `scorer`."""
        return self.scorer(states)(latents)
