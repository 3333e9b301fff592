"""The machine: the data folder and its disk, torch and the GPU, the model, the page's port."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bots.operator.checkup.finding import Finding, fail, ok, warn
from bots.operator.homelock import holder_of
from bots.operator.port import choose_port
from bots.operator.refusal import WrongSettings
from imaging.errors import ImagingError
from imaging.profiles import Profile, profile_for
from tasks.settings import Settings

GIGABYTE = 1_000_000_000
ENOUGH, LITTLE = 5 * GIGABYTE, GIGABYTE // 2
TORCH_SECONDS = 120

# Asked of another process: this one never imports torch.
_ASK_TORCH = """
import json, torch
gpus = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
print(json.dumps({
    "version": torch.__version__,
    "built_for": torch.version.cuda or torch.version.hip,
    "gpus": [[gpu.name, gpu.total_memory] for gpu in gpus],
    "mps": torch.backends.mps.is_available(),
    "threads": torch.get_num_threads(),
}))
"""


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Every check of this module."""
    yield _home(settings.home)
    yield _disk(settings.home)
    yield _model(settings.model)
    yield from _torch()
    yield _page(settings)


def _home(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        mend = "set ATELIER_HOME to a folder that you may write, or change its owner"
        return fail("data folder", f"{existing} cannot be written", mend)
    holder = holder_of(home)
    state = f"atelier up runs on it (pid {holder})" if holder else "nothing runs on it"
    return ok("data folder", f"{home}; {state}")


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / GIGABYTE:.1f} GB free"
    mend = "free some space, or set ATELIER_HOME and ATELIER_BLOBS_URL to a larger disk"
    if free < LITTLE:
        return fail("disk", text, mend)
    return ok("disk", text) if free > ENOUGH else warn("disk", text, mend)


def _model(name: str) -> Finding:
    try:
        profile = profile_for(name)
    except ImagingError as error:
        return fail("model", f"ATELIER_MODEL is {name}: {error}", "correct ATELIER_MODEL")
    if Path(profile.source).is_dir():
        return ok("model", f"{profile.name}, in {profile.source}")
    return _hub_model(profile)


def _hub_model(profile: Profile) -> Finding:
    if importlib.util.find_spec("huggingface_hub") is None:
        return warn("model", f"{profile.name} ({profile.source})", "check it on the worker itself")
    from huggingface_hub import try_to_load_from_cache

    if isinstance(try_to_load_from_cache(profile.source, "model_index.json"), str):
        return ok("model", f"{profile.name} ({profile.source}), downloaded")
    return warn(
        "model",
        f"{profile.name} ({profile.source}) is not downloaded yet",
        f"the first start will; to do it now: hf download {profile.source}",
    )


def _torch() -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        mend = "on a machine that shall draw: pip install 'atelier[worker]'"
        yield warn("torch", "not installed: bots run here, a worker does not", mend)
        return
    try:
        done = subprocess.run(  # noqa: S603  our own command line
            [sys.executable, "-P", "-c", _ASK_TORCH],
            capture_output=True,
            text=True,
            timeout=TORCH_SECONDS,
            check=True,
        )
        said = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        words = getattr(error, "stderr", None) or str(error)
        last = str(words).strip().splitlines()[-1]
        yield fail("torch", f"does not start: {last}", "install it again: make run, or pip install")
        return
    yield ok("torch", f"{said['version']}, {said['threads']} threads")
    yield _gpu(said)


def _gpu(said: dict[str, object]) -> Finding:
    gpus = said["gpus"]
    if isinstance(gpus, list) and gpus:
        names = ", ".join(f"{name} ({memory / GIGABYTE:.0f} GB)" for name, memory in gpus)
        return ok("GPU", names)
    if said["mps"]:
        return ok("GPU", "Apple's, through MPS")
    if said["built_for"] is None:
        mend = "with a GPU in this machine, install torch's build for it (docs/how-to/gpu-model.md)"
        return warn("GPU", "this torch is built for the CPU alone; postcard is fine with it", mend)
    mend = "check the driver with nvidia-smi; postcard draws on the CPU"
    return warn("GPU", "none found", mend)


def _page(settings: Settings) -> Finding:
    where = f"{settings.web_host}:{settings.web_port}"
    if holder_of(settings.home) is not None:
        return ok("page", "served by the running atelier up")
    try:
        choose_port(settings.web_host, settings.web_port)
    except WrongSettings as wrong:
        return fail("page", f"{where} cannot be listened on", str(wrong))
    return ok("page", f"{where} is free" if settings.web_port else "any free port")
