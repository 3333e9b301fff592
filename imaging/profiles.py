"""Profiles: named models with their defaults and limits. Imports no torch and touches no network.

A name of the registry, a folder in diffusers' layout, or a hub id becomes a `Profile` here; the
files themselves are read by the engine. A folder may carry an `atelier.json` beside its
`model_index.json` that overrides any default: `steps`, `guidance`, `strength`, `image_guidance`,
`aspects` (name → [width, height]), `multiple`, `largest_pixels`, `dtype`, `checker`, `edit` (a
folder inside it, or a hub id), `edit_steps`, `edit_guidance`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imaging.errors import UnknownProfile, Unsupported
from imaging.families import FAMILIES, UNKNOWN_FAMILY, Family
from imaging.folders import family_in_cache, measures_of, read_json, told_defaults
from imaging.request import Operation
from imaging.sizes import Size, clamp_ratio, shrink_within, size_of_area, sizes_around

BLANK = "blank"
POSTCARD_FOLDER = Path(__file__).parent / "postcard" / "weights"
CHECKER = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # for its part `safety_checker`


@dataclass(frozen=True, slots=True)
class Profile:
    """A model by name: where its files are, what it likes, what it can do.

    `source` is a folder or a hub id. `sizes` gives each aspect's size in pixels, `multiple` what
    sides must be divisible by, `largest_pixels` the most pixels of one picture. `edit` is the
    folder or hub id of the model that follows instructions, equal to `source` where the model does
    so itself, or None. `dtype` is a torch type's name or "auto". `checker` is the hub id or folder
    of a picture checker, or None.
    """

    name: str
    source: str
    family: str  # a diffusers pipeline class, or "" where nothing is known yet
    sizes: Mapping[str, Size]
    multiple: int
    largest_pixels: int
    steps: int
    guidance: float
    operations: frozenset[Operation]
    strength: float = 0.6
    image_guidance: float = 1.5
    guidance_argument: str = "guidance_scale"
    edit: str | None = None
    edit_steps: int | None = None
    edit_guidance: float | None = None
    dtype: str = "auto"
    variant: str | None = None
    checker: str | None = None

    @property
    def native_area(self) -> int:
        """Pixels of the square that the model was trained on."""
        width, height = self.sizes["1:1"]
        return width * height

    def size(self, aspect: str) -> Size:
        """The size for an aspect. Raises Unsupported for a shape that is not known."""
        if aspect not in self.sizes:
            known = ", ".join(self.sizes)
            raise Unsupported(f"The aspect must be one of {known}.", aspect=aspect, known=known)
        return self.sizes[aspect]

    def size_within(self, aspect: str, megapixels: float) -> Size:
        """The size for an aspect with at most so many millions of pixels."""
        return shrink_within(self.size(aspect), int(megapixels * 1_000_000), self.multiple)

    def size_of_edit(self, source: Size) -> Size:
        """The size of a result made from a picture of size `source`.

        It keeps the shape. A small source is made as large as the model's square, a large one no
        larger than `largest_pixels`; one that is longer than four to one is cut to that.
        """
        area = min(max(source[0] * source[1], self.native_area), self.largest_pixels)
        size = size_of_area(clamp_ratio(source), area, self.multiple)
        return shrink_within(size, self.largest_pixels, self.multiple)

    def steps_of(self, operation: Operation) -> int:
        """The usual number of steps."""
        if operation is Operation.EDIT and self.edit_steps:
            return self.edit_steps
        return self.steps

    def guidance_of(self, operation: Operation) -> float:
        """The usual weight of the words."""
        if operation is Operation.EDIT and self.edit_guidance is not None:
            return self.edit_guidance
        return self.guidance

    @property
    def edits_itself(self) -> bool:
        """Whether one model both makes pictures and follows instructions on them."""
        return self.edit == self.source


def names() -> tuple[str, ...]:
    """The names that anyone may choose; `blank` is for benches and is not among them."""
    return ("postcard", *NAMED)


def profile_for(name: str) -> Profile:
    """The profile of a registered name, a folder, or a hub id (`owner/name`).

    Raises UnknownProfile where it is none of them, ModelUnavailable for a folder without a readable
    `model_index.json`.
    """
    if name == BLANK:
        return _blank()
    if name == "postcard":
        # Small enough for single precision anywhere, so a picture is the same on every device.
        return replace(_from_folder("postcard", POSTCARD_FOLDER), dtype="float32")
    if name in NAMED:
        return _named(name)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return _from_folder(folder.resolve().name, folder.resolve())
    for known, model in NAMED.items():
        if model.hub == name:
            return _named(known)
    if _looks_like_hub_id(name):
        return _from_hub(name)
    raise UnknownProfile(
        f"No model is called {name!r}: use one of {', '.join(names())}, a folder, or a hub id.",
        name=name,
        known=", ".join(names()),
    )


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A public model that has a short name here. `changes` are those of its family's defaults."""

    hub: str
    family: str
    changes: Mapping[str, Any]


# Defaults are those of each model's card on the hub.
NAMED: Mapping[str, NamedModel] = {
    "sd15": NamedModel(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "StableDiffusionPipeline",
        {"variant": "fp16", "edit": "timbrooks/instruct-pix2pix"},
    ),
    "sdxl": NamedModel(
        "stabilityai/stable-diffusion-xl-base-1.0",
        "StableDiffusionXLPipeline",
        {"variant": "fp16", "edit": "diffusers/sdxl-instructpix2pix-768", "checker": CHECKER},
    ),
    "sdxl-turbo": NamedModel(
        "stabilityai/sdxl-turbo",
        "StableDiffusionXLPipeline",
        {"variant": "fp16", "steps": 4, "guidance": 0.0, "side": 512, "checker": CHECKER},
    ),
    "flux1-schnell": NamedModel(
        "black-forest-labs/FLUX.1-schnell",
        "FluxPipeline",
        {"steps": 4, "guidance": 0.0, "checker": CHECKER},
    ),
    "flux2-klein": NamedModel(
        "black-forest-labs/FLUX.2-klein-4B", "Flux2KleinPipeline", {"checker": CHECKER}
    ),
    "z-image-turbo": NamedModel("Tongyi-MAI/Z-Image-Turbo", "ZImagePipeline", {"checker": CHECKER}),
    "qwen-image": NamedModel(
        "Qwen/Qwen-Image",
        "QwenImagePipeline",
        {"edit": "Qwen/Qwen-Image-Edit-2511", "edit_steps": 40, "checker": CHECKER},
    ),
}


def _named(name: str) -> Profile:
    model = NAMED[name]
    return _build(name, model.hub, model.family, model.changes)


def _from_hub(hub: str) -> Profile:
    """A hub id: its pipeline class is known once it was downloaded; until then a guess serves."""
    return _build(hub.rsplit("/", 1)[1], hub, family_in_cache(hub), {})


def _from_folder(name: str, folder: Path) -> Profile:
    index = read_json(folder / "model_index.json", name)
    family = str(index.get("_class_name", ""))
    changes = {**measures_of(folder), **told_defaults(folder, name)}
    if isinstance(changes.get("edit"), str) and (folder / changes["edit"]).is_dir():
        changes["edit"] = str(folder / changes["edit"])
    elif "edit" not in changes and (folder / "edit" / "model_index.json").is_file():
        changes["edit"] = str(folder / "edit")
    return _build(name, str(folder), family, changes)


def _build(name: str, source: str, family: str, changes: Mapping[str, Any]) -> Profile:
    known = FAMILIES.get(family, UNKNOWN_FAMILY)
    values = {**known.defaults(), **changes}
    side, multiple = int(values.pop("side")), int(values.pop("multiple"))
    trained = known.sizes if known.sizes and side == known.side else sizes_around(side, multiple)
    sizes = {**trained, **values.pop("aspects", {})}
    largest = values.pop("largest_pixels", None) or _largest(sizes, known)
    edit = values.pop("edit", None)
    profile = Profile(
        name=name,
        source=source,
        family=family,
        sizes=sizes,
        multiple=multiple,
        largest_pixels=largest,
        operations=known.operations,
        edit=source if known.edits_itself else None,
        **values,
    )
    if edit:
        profile = replace(profile, edit=edit)
    if profile.edit:
        profile = replace(profile, operations=profile.operations | {Operation.EDIT})
    return profile


def _largest(sizes: Mapping[str, Size], family: Family) -> int:
    """At least the largest of the sizes; the model's square times what its family bears."""
    square = sizes["1:1"][0] * sizes["1:1"][1]
    return max(int(square * family.stretch), *(width * height for width, height in sizes.values()))


def _looks_like_hub_id(name: str) -> bool:
    owner, slash, rest = name.partition("/")
    return bool(owner and slash and rest) and "/" not in rest and not name.startswith((".", "~"))


def _blank() -> Profile:
    return Profile(
        name=BLANK,
        source="",
        family="",
        sizes=sizes_around(64, 8),
        multiple=8,
        largest_pixels=4096 * 4096,
        steps=4,
        guidance=0.0,
        operations=frozenset(Operation),
    )
