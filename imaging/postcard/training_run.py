"""The training loop that all stages share: learning-rate schedule, averaged weights, resumable
checkpoints and the log.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import nn

from imaging.postcard.muon import Muon
from imaging.postcard.training_config import Stage

WARMUP = 100
SAVE_SECONDS = 60.0


def learning_rate(step: int, stage: Stage, seconds: float = 0.0) -> float:
    """Linear warm-up, then half a cosine down to a hundredth of the peak, after so many steps and
    seconds.
    """
    warm = min(1.0, (step + 1) / min(WARMUP, max(1, stage.steps // 10)))
    fall = 0.5 * (1 + math.cos(math.pi * stage.progress(step, seconds)))
    return stage.rate * warm * (0.01 + 0.99 * fall)


def is_matrix(name: str, weights: torch.Tensor) -> bool:
    """Whether Muon optimises these weights: matrices and convolutions except the outermost."""
    return weights.ndim > 1 and not name.startswith(("conv_in", "conv_out"))


def as_matrix(weights: torch.Tensor) -> torch.Tensor:
    """The weights as a matrix with one row per output channel; a view where the memory layout is
    channels-last.
    """
    return weights.permute(0, 2, 3, 1).flatten(1) if weights.ndim == 4 else weights


def master_copy(weights: torch.Tensor) -> torch.Tensor:
    """A copy in single precision whose memory layout makes `as_matrix` return a view."""
    copied = weights.detach().float()
    if copied.ndim == 4:
        return (
            copied.permute(0, 2, 3, 1)
            .clone(memory_format=torch.contiguous_format)
            .permute(0, 3, 1, 2)
        )
    return copied.clone(memory_format=torch.contiguous_format)


def adam(parameters: Iterable[torch.Tensor], stage: Stage) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019)."""
    return torch.optim.AdamW(
        parameters, stage.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )


class TrainingRun:
    """One resumable training run of `module`: its optimiser state and averaged weights, saved in
    `folder`.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        module: nn.Module,
        stage: Stage,
        decay: float = 0.999,
        *,
        half: bool = False,
    ) -> None:
        """With `half` the module computes in bfloat16, a master copy of the weights is kept in
        single precision, and Muon optimises the matrices. No weight is then converted at each use.
        """
        self.folder, self.name, self.module, self.stage, self.decay = (
            folder,
            name,
            module,
            stage,
            decay,
        )
        learnt = {key: p for key, p in module.named_parameters() if p.requires_grad}
        self.parameters = list(learnt.values())
        self.half = half
        self._masters = {key: master_copy(p) for key, p in learnt.items() if half}
        if half:
            module.to(torch.bfloat16)
        leaves = {key: as_matrix(master) for key, master in self._masters.items()}
        self._matrix_views = list(leaves.values())
        matrices = [leaf for key, leaf in leaves.items() if is_matrix(key, leaf)]
        rest = [leaf for key, leaf in leaves.items() if not is_matrix(key, leaf)]
        self.optimisers: list[torch.optim.Optimizer] = [adam(rest or self.parameters, stage)]
        if matrices:
            self.optimisers.append(Muon(matrices, stage.rate))
        self.average = {key: value.detach().clone().float() for key, value in self._state().items()}
        self.step, self.seconds = 0, 0.0
        self._mark = self._saved = time.monotonic()
        self._losses: list[float] = []
        folder.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._resume()

    def _state(self) -> dict[str, torch.Tensor]:
        """The module's state dict, with the master copies in place of the bfloat16 weights."""
        return {**self.module.state_dict(), **self._masters}

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}.run.pt"

    def _resume(self) -> None:
        kept = torch.load(self._path, map_location="cpu", weights_only=True)
        self.module.load_state_dict(kept["module"])
        for key, master in self._masters.items():
            master.copy_(kept["module"][key])
        for optimiser, state in zip(self.optimisers, kept["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        device = next(self.module.parameters()).device
        self.average = {key: value.to(device) for key, value in kept["average"].items()}
        self.step, self.seconds = kept["step"], kept["seconds"]

    def save(self) -> None:
        """Write the checkpoint atomically: a crash leaves the previous one."""
        state = {
            "module": self._state(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
        }
        draft = self._path.with_suffix(".draft")
        torch.save(state, draft)
        draft.replace(self._path)

    def steps(self) -> Iterator[int]:
        """The remaining step numbers. The loop body computes a loss and calls `update`."""
        self._mark = time.monotonic()
        while self.stage.progress(self.step, self.seconds) < 1:
            yield self.step
        if self._losses:
            self._log({})
        self.save()

    def update(self, loss: torch.Tensor, **also: float) -> None:
        """Take one optimiser step for `loss`, update the average, log, and save once a minute."""
        loss.backward()  # type: ignore[no-untyped-call]
        self.apply_gradients(loss, **also)

    def apply_gradients(self, loss: torch.Tensor, **also: float) -> None:
        """The same for gradients that the parameters already hold; `loss` is only logged."""
        self._optimiser_step()
        self._update_average()
        self.step += 1
        self._losses.append(loss.detach())  # type: ignore[arg-type]
        now = time.monotonic()
        self.seconds, self._mark = self.seconds + now - self._mark, now
        if self.step % 50 == 0 or self.step == self.stage.steps:
            self._log(also)
        if now - self._saved > SAVE_SECONDS:
            self._saved = now
            self.save()

    def _optimiser_step(self) -> None:
        """Take one step of the optimisers and clear the gradients."""
        for leaf, parameter in zip(self._matrix_views, self.parameters, strict=False):
            leaf.grad = None if parameter.grad is None else as_matrix(parameter.grad).float()
        nn.utils.clip_grad_norm_(self._matrix_views or self.parameters, 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(self.step, self.stage, self.seconds)
            optimiser.step()
        with torch.no_grad():
            for master, parameter in zip(self._masters.values(), self.parameters, strict=False):
                parameter.copy_(master)
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(self.decay, (1 + self.step) / (10 + self.step))
        for key, value in self._state().items():
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

    def load_average(self) -> None:
        """Load the averaged weights into the module."""
        self.module.to(torch.float32 if self.half else next(self.module.parameters()).dtype)
        kinds = {key: value.dtype for key, value in self.module.state_dict().items()}
        self.module.load_state_dict(
            {key: value.to(kinds[key]) for key, value in self.average.items()}
        )


def load_averaged(folder: Path, name: str, module: nn.Module) -> int:
    """Load the averaged weights of a run, finished or not, into `module`.

    Returns the number of steps the run has taken; 0 where there is no checkpoint, and `module` then
    stays as it is.
    """
    path = folder / f"{name}.run.pt"
    if not path.exists():
        return 0
    kept = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(kept["average"])
    return int(kept["step"])
