"""Where a model's files are: the model itself, what a single file lacks, and what is added to it.

Pure; imports no torch. A location is a folder, a hub id, or a file; a `WebFile` is one that has to
be downloaded by its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SAFETENSORS = ".safetensors"
GGUF = ".gguf"
PICKLES = frozenset({".ckpt", ".bin", ".pt", ".pth", ".pkl", ".pickle"})
"""Endings of files that run code when they are opened."""


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file of the web; its content is known by the SHA-256 in hexadecimal digits."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """The name to store it under: by content, with the address's ending."""
        ending = PurePosixPath(self.url.partition("?")[0]).suffix.lower()
        return f"{self.sha256}{ending if ending in {SAFETENSORS, GGUF} else SAFETENSORS}"


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository of the hub."""

    repository: str
    file: str
    revision: str | None = None


Location = Path | WebFile | HubFile
"""Where a single file is."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA, its weight, and the words that it was trained with, "" for none."""

    location: Location
    weight: float = 1.0
    trigger: str = ""


@dataclass(frozen=True, slots=True)
class Embedding:
    """A textual inversion, and the word in prompts that stands for it."""

    location: Location
    token: str


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What belongs to a model beside its source.

    `revision` is that of a hub id. `base` is the folder or hub id with the parts that a single
    file lacks. `variant` names the weight files to use, such as "fp16". `upscaler` is the file of a
    network that enlarges pictures.
    """

    revision: str | None = None
    base: str | None = None
    variant: str | None = None
    loras: tuple[Lora, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    upscaler: Location | None = None

    @property
    def triggers(self) -> tuple[str, ...]:
        """The trigger words of all LoRAs."""
        return tuple(lora.trigger for lora in self.loras if lora.trigger)


def pickle_fault(name: str) -> str | None:
    """Why a file is not used, by the ending of its name; None where it may be."""
    ending = PurePosixPath(name).suffix.lower()
    if ending in PICKLES:
        return (
            f"{PurePosixPath(name).name} is a pickle, which can run code when it is opened: "
            "use the file in the format safetensors, or convert it"
        )
    return None


def with_triggers(prompt: str, triggers: tuple[str, ...]) -> str:
    """The prompt with the trigger words that it lacks in front."""
    said = prompt.casefold()
    missing = [words for words in triggers if words.casefold() not in said]
    return ", ".join([*missing, prompt] if prompt else missing)


def is_single_file(source: str) -> bool:
    """Whether a source is one file of weights, not a folder or a hub id."""
    return Path(source).suffix.lower() in {SAFETENSORS, GGUF}


def values_of(index: Mapping[str, object]) -> Mapping[str, tuple[str, str]]:
    """The parts of a `model_index.json`: name → library and class; unset ones are left out."""
    return {
        name: (str(value[0]), str(value[1]))
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and value[0] and value[1]
    }
