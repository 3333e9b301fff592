"""Fine-tunes and evaluates Postcard on one GPU within a time limit, in one command.

`python -m imaging.postcard.finetune_on_gpu --out FOLDER` trains on the `gpu` config of `finetune`,
whose stages are cut to their shares of `--minutes`. The folder then holds `weights` (a complete
diffusers folder), `figures.json` with its contact sheet, and the logs. The evaluation needs the
detector's checkpoint: give the folder that holds it as `--detector`, or it is trained first.

It has been run with `--try-steps` on a CPU only; its duration and its result on a GPU aren't
measured.
"""

import argparse
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from imaging.postcard import evaluate
from imaging.postcard.finetune import CONFIGS, WEIGHTS, Config, Finetuning, run_stages, shortened

# Shares of the time that remains once the scenes are encoded. The rest is for the evaluation.
SHARES = {
    "text_head": 0.02,
    "text_encoder": 0.12,
    "detector": 0.09,
    "denoiser": 0.32,
    "reward": 0.16,
    "reader": 0.03,
    "estimates": 0.06,
}


def limited(config: Config, seconds: float) -> Config:
    """The config with the stages' time limits for `seconds` in all."""
    stages = {
        name: replace(getattr(config, name), seconds=seconds * share)
        for name, share in SHARES.items()
    }
    return replace(config, **stages)


def finetune_and_evaluate(
    config: Config,
    out: Path,
    seconds: float,
    *,
    weights: Path = WEIGHTS,
    detector: Path | None = None,
    prompts: int = 300,
) -> None:
    """Train within `seconds`, export to `out / "weights"`, evaluate, and copy the logs."""
    start = time.monotonic()
    folder = out / "training"
    training = Finetuning(config, folder, weights)
    training.sets()
    left = max(1.0, seconds - (time.monotonic() - start))
    training.config = limited(config, left)
    run_stages(training)
    training.export(out / "weights")
    print(f"trained after {time.monotonic() - start:.0f} s", flush=True)
    for log in folder.rglob("log.jsonl"):
        shutil.copy(log, out / f"{log.parent.name}.jsonl")
    evaluate.run(
        out / "figures.json", prompts, cache=detector, weights=out / "weights", device=config.device
    )
    # Caches and checkpoints are large and can be made again; what is left is to be copied back.
    shutil.rmtree(folder)
    print(f"finished after {time.monotonic() - start:.0f} s", flush=True)


def main(given: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="an empty folder for the results")
    parser.add_argument("--minutes", type=float, default=12.0, help="for everything")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where to begin from")
    parser.add_argument("--detector", type=Path, help="the folder of the detector's checkpoint")
    parser.add_argument("--prompts", type=int, default=300, help="of the evaluation")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--try-steps", type=int, help="cut every stage to this many small steps")
    arguments = parser.parse_args(given)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.backends.cuda.matmul.allow_tf32 = True
    workers = min(CONFIGS["gpu"].workers, (os.cpu_count() or 1) - 1)
    config = replace(CONFIGS["gpu"], device=arguments.device, workers=workers)
    if arguments.try_steps:
        config = replace(shortened(config, arguments.try_steps), workers=0)
    finetune_and_evaluate(
        config,
        arguments.out,
        arguments.minutes * 60,
        weights=arguments.weights,
        detector=arguments.detector,
        prompts=arguments.prompts,
    )


if __name__ == "__main__":
    main()
