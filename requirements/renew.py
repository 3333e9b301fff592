"""Renews the locks in this folder: `make lock`, or `make lock ARGS=--upgrade` for newer versions.

Each extra of pyproject.toml becomes a file of exact versions with hashes, for Python 3.11 and newer
on every system. torch and torchvision are the exceptions: which CUDA libraries they need depends on
the build, and the build on the machine. torch's version is pinned without hashes in `torch.txt`,
which pip installs after the locked packages, so that the same lock fits CPU, CUDA and ROCm builds.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
EXTRAS = (
    "dev",
    "worker",
    "bots",
    "upscalers",
)  # dev first: the others are constrained to its versions
NOT_LOCKED = re.compile(r"(torch|torchvision|nvidia-.*|cuda-.*|triton)$")


def compiled(extra: str, arguments: list[str]) -> str:
    """The lock of one extra, as uv resolves it."""
    constraints = [] if extra == "dev" else ["--constraints", "requirements/dev.txt"]
    command = [
        *("uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal"),
        *("--python-version", "3.11", "--extra", extra, "--generate-hashes", "--no-annotate"),
        *("--no-header", "--no-emit-index-url", "--no-emit-find-links", *constraints, *arguments),
    ]
    done = subprocess.run(  # noqa: S603 - our own command line
        command, cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def entries(lock: str) -> list[str]:
    """The lock's entries, each with its hashes, without the packages that are not locked."""
    found = re.findall(r"^\S.*?(?=^\S|\Z)", lock, re.S | re.M)
    return [entry for entry in found if not NOT_LOCKED.match(re.split(r"[=\[ ]", entry)[0])]


def main() -> None:
    """Renew every lock."""
    for extra in EXTRAS:
        head = f'# Exact versions of the extra "{extra}". Renew with: make lock\n'
        text = "".join(entries(compiled(extra, sys.argv[1:])))
        (FOLDER / f"{extra}.txt").write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
