"""The machine: the data folder and its disk, torch and the GPU, the model, the page's port."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from bots.operator.doctor_checks.finding import Finding, fail, ok, warn
from bots.operator.doctor_checks.memory import check_memory, here
from bots.operator.errors import WrongSettings
from bots.operator.instance_lock import holder_of
from bots.operator.ports import choose_port
from imaging.errors import ImagingError
from imaging.local_models import LocalModel, model_called
from imaging.memory_plan import Card
from imaging.profiles import Profile
from tasks.policy.config import Policy
from tasks.runtime.settings import Settings

Report = dict[str, Any]
"""What torch says about itself and its devices."""
GIGABYTE = 1_000_000_000
COMFORTABLE_BYTES, LITTLE = 5 * GIGABYTE, GIGABYTE // 2
TORCH_SECONDS = 120
DEFAULT_MODEL = "postcard"

# Asked of another process: this one never imports torch.
_TORCH_PROBE = """
import json, torch
places = range(torch.cuda.device_count())
gpus = [(torch.cuda.get_device_properties(n), torch.cuda.mem_get_info(n)[0]) for n in places]
print(json.dumps({
    "version": torch.__version__,
    "built_for": torch.version.cuda or torch.version.hip,
    "gpus": [[gpu.name, gpu.total_memory, free] for gpu, free in gpus],
    "mps": torch.backends.mps.is_available(),
    "threads": torch.get_num_threads(),
}))
"""


def check_machine(
    settings: Settings, policy: Policy, card: Card | None = None
) -> Iterator[Finding]:
    """Run every check of this module. Models of other servers are checked in another one.

    `card` is supposed instead of the first GPU's memory.
    """
    yield _home(settings.home)
    yield _disk(settings.home)
    if settings.model not in {**policy.local_models, **policy.models}:
        yield from _default_model(settings.model)
    for model in policy.local_models.values():
        yield from _local_model(model)
    report = yield from _torch()
    if (found := card or _card(report)) is not None:
        for profile in profiles_to_load(settings, policy):
            yield from check_memory(profile, found)
    yield _page(settings)


def _home(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        fix = "set ATELIER_HOME to a folder that you can write, or change its owner"
        return fail("data folder", f"{existing} is not writable", fix)
    holder = holder_of(home)
    state = f"atelier up runs on it (pid {holder})" if holder else "nothing runs on it"
    return ok("data folder", f"{home}; {state}")


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / GIGABYTE:.1f} GB free"
    fix = "free some space, or set ATELIER_HOME and ATELIER_BLOBS_URL to a larger disk"
    if free < LITTLE:
        return fail("disk", text, fix)
    return ok("disk", text) if free > COMFORTABLE_BYTES else warn("disk", text, fix)


def profiles_to_load(settings: Settings, policy: Policy) -> list[Profile]:
    """The default model and those of `atelier.toml` that a worker loads; without broken ones."""
    local = dict(policy.local_models)
    found = []
    if settings.model not in {**local, **policy.models}:
        with contextlib.suppress(ImagingError):  # reported with the model
            found.append(model_called(settings.model).profile())
    for model in local.values():
        with contextlib.suppress(ImagingError):
            found.append(model.profile())
    return found


def _default_model(name: str) -> Iterator[Finding]:
    try:
        model = model_called(name)
        profile = model.profile()
    except ImagingError as error:
        yield fail("model", f"ATELIER_MODEL is {name}: {error}", "correct ATELIER_MODEL")
        return
    yield _files(model, profile)
    yield from _picture_checker(profile, name)


def _local_model(model: LocalModel) -> Iterator[Finding]:
    """A model of `atelier.toml` that a worker loads."""
    try:
        profile = model.profile()
    except ImagingError as error:
        yield fail("model", str(error), f"correct models.{model.name} ({model.origin})")
        return
    yield _files(model, profile)
    yield from _picture_checker(profile, model.name)


def _picture_checker(profile: Profile, name: str) -> Iterator[Finding]:
    """Whether the model's pictures, previews and upscales are checked before anybody sees them."""
    if profile.checker is not None:
        yield ok("safety", f"pictures of {profile.name} are checked with {profile.checker}")
    elif name == DEFAULT_MODEL:
        text = f"{name} draws only its own vocabulary; pictures and uploads are not checked"
        yield ok("safety", text)
    else:
        fix = "remove the checker that is off from atelier.toml or the model's atelier.json"
        yield warn("safety", f"{profile.name} has its picture checker off", fix)


def _files(model: LocalModel, profile: Profile) -> Finding:
    """Whether the model's files are on this machine."""
    source = profile.source or str(model.source)
    if Path(source).exists():
        return ok("model", f"{profile.name}, in {source}")
    if importlib.util.find_spec("huggingface_hub") is None:
        return warn("model", f"{profile.name} ({source})", "check it on the worker itself")
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(source, "model_index.json", revision=model.files.revision)
    if isinstance(cached, str):
        return ok("model", f"{profile.name} ({source}), downloaded")
    return warn(
        "model",
        f"{profile.name} ({source}) is not downloaded yet",
        f"the first start downloads it; to do it now: atelier models fetch {model.name}",
    )


def _card(report: Report) -> Card | None:
    """The first GPU; None where there is none."""
    gpus = report.get("gpus")
    if not isinstance(gpus, list) or not gpus:
        return None
    _, total, free = gpus[0]
    return here(int(free), int(total))


def _torch() -> Generator[Finding, None, Report]:
    """Check torch and the GPU; returns what torch says, empty where it does not import."""
    if importlib.util.find_spec("torch") is None:
        fix = "on a machine that renders: pip install 'atelier[worker]'"
        yield warn("torch", "not installed: bots can run here, a worker cannot", fix)
        return {}
    try:
        done = subprocess.run(  # noqa: S603  our own command line
            [sys.executable, "-P", "-c", _TORCH_PROBE],
            capture_output=True,
            text=True,
            timeout=TORCH_SECONDS,
            check=True,
        )
        report: Report = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        words = getattr(error, "stderr", None) or str(error)
        last = str(words).strip().splitlines()[-1]
        yield fail("torch", f"does not import: {last}", "reinstall it: make run, or pip install")
        return {}
    yield ok("torch", f"{report['version']}, {report['threads']} threads")
    yield _gpu(report)
    return report


def _gpu(report: Report) -> Finding:
    gpus = report["gpus"]
    if isinstance(gpus, list) and gpus:
        names = ", ".join(f"{name} ({memory / GIGABYTE:.0f} GB)" for name, memory, _ in gpus)
        return ok("GPU", names)
    if report["mps"]:
        return ok("GPU", "Apple GPU, through MPS")
    if report["built_for"] is None:
        fix = "if this machine has a GPU, install torch's build for it (docs/how-to/gpu-model.md)"
        return warn("GPU", "this torch build is CPU-only, which is enough for postcard", fix)
    fix = "check the driver with nvidia-smi; postcard runs on the CPU"
    return warn("GPU", "none found", fix)


def _page(settings: Settings) -> Finding:
    where = f"{settings.web_host}:{settings.web_port}"
    if holder_of(settings.home) is not None:
        return ok("page", "served by the running atelier up")
    try:
        choose_port(settings.web_host, settings.web_port)
    except WrongSettings as wrong:
        return fail("page", f"{where} cannot be bound", str(wrong))
    return ok("page", f"{where} is free" if settings.web_port else "any free port")
