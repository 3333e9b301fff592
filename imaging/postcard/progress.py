"""What all training runs share: the learning rate's curve, averaged weights, checkpoints to resume
from, the log.
"""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from imaging.postcard.recipe import Stage

WARMUP = 100
SAVE_SECONDS = 60.0


def rate_at(step: int, stage: Stage) -> float:
    """Linear warm-up, then half a cosine down to a hundredth of the peak."""
    warm = min(1.0, (step + 1) / min(WARMUP, max(1, stage.steps // 10)))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / stage.steps)))
    return stage.rate * warm * (0.01 + 0.99 * fall)


class Run:
    """One resumable training run of `module`, with its optimiser and averaged weights, kept in
    `folder`.
    """

    def __init__(
        self, folder: Path, name: str, module: nn.Module, stage: Stage, decay: float = 0.999
    ) -> None:
        self.folder, self.name, self.module, self.stage, self.decay = (
            folder,
            name,
            module,
            stage,
            decay,
        )
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.parameters, stage.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self.average = {
            key: value.detach().clone().float() for key, value in module.state_dict().items()
        }
        self.step, self.seconds = 0, 0.0
        self._mark = self._saved = time.monotonic()
        self._losses: list[float] = []
        folder.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._resume()

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}.run.pt"

    def _resume(self) -> None:
        kept = torch.load(self._path, map_location="cpu", weights_only=True)
        self.module.load_state_dict(kept["module"])
        self.optimiser.load_state_dict(kept["optimiser"])
        device = next(self.module.parameters()).device
        self.average = {key: value.to(device) for key, value in kept["average"].items()}
        self.step, self.seconds = kept["step"], kept["seconds"]

    def save(self) -> None:
        """Write the checkpoint; a crash while writing leaves the one before."""
        state = {
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
        }
        draft = self._path.with_suffix(".draft")
        torch.save(state, draft)
        draft.replace(self._path)

    def steps(self) -> Iterator[int]:
        """The steps still to do. The body computes a loss and calls `learn`."""
        while self.step < self.stage.steps:
            yield self.step
        self.save()

    def learn(self, loss: torch.Tensor, **also: float) -> None:
        """One optimiser step for `loss`; logs, averages, and saves once a minute."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, self.stage)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self._average()
        self.step += 1
        self._losses.append(loss.detach())  # type: ignore[arg-type]
        now = time.monotonic()
        self.seconds, self._mark = self.seconds + now - self._mark, now
        if self.step % 50 == 0 or self.step == self.stage.steps:
            self._log(also)
        if now - self._saved > SAVE_SECONDS:
            self._saved = now
            self.save()

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.decay, (1 + self.step) / (10 + self.step))
        for key, value in self.module.state_dict().items():
            self.average[key].lerp_(value.float(), 1 - keep)

    def _log(self, also: dict[str, float]) -> None:
        loss = float(torch.stack(self._losses).mean())  # type: ignore[arg-type]
        self._losses.clear()
        entry = {
            "stage": self.name,
            "step": self.step,
            "loss": round(loss, 5),
            "seconds": round(self.seconds, 1),
            **also,
        }
        print(json.dumps(entry), flush=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def settle(self) -> None:
        """Put the averaged weights into the module."""
        kinds = {key: value.dtype for key, value in self.module.state_dict().items()}
        self.module.load_state_dict(
            {key: value.to(kinds[key]) for key, value in self.average.items()}
        )


def recall(folder: Path, name: str, module: nn.Module) -> int:
    """Load the averaged weights of a run, finished or not, into `module`; the number of steps it
    has done, 0 for none.
    """
    path = folder / f"{name}.run.pt"
    if not path.exists():
        return 0
    kept = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(kept["average"])
    return int(kept["step"])
