"""The GPUs that workers may use: `atelier up` starts one worker for each."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

import structlog

log = structlog.get_logger()

CHOICE = "CUDA_VISIBLE_DEVICES"
NO_GPU = "-1"
ANSWER_SECONDS = 10.0


def gpus(environment: Mapping[str, str], tool: str = "nvidia-smi") -> tuple[str, ...]:
    """Values of CUDA_VISIBLE_DEVICES, one for each GPU; empty where there is none.

    The variable itself limits them, where it is set. `tool` lists the GPUs of the machine.
    """
    chosen = environment.get(CHOICE)
    if chosen is not None:
        named = tuple(part.strip() for part in chosen.split(",") if part.strip())
        return named[: named.index(NO_GPU)] if NO_GPU in named else named
    found = shutil.which(tool, path=environment.get("PATH"))
    if found is None:
        return ()
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            [found, "--query-gpu=uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("gpus-not-listed", reason=str(error))
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip())


def worker_environments(
    environment: Mapping[str, str], devices: tuple[str, ...]
) -> Mapping[str, Mapping[str, str]]:
    """The workers' names with their environments: one worker, or one for each of several GPUs."""
    if len(devices) < 2:
        return {"worker": environment}
    return {
        "worker" if number == 1 else f"worker-{number}": {**environment, CHOICE: device}
        for number, device in enumerate(devices, 1)
    }
