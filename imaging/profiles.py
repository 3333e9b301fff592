"""Profiles: named models with their defaults and limits. Imports no torch and touches no network.

`profile_for` resolves a registered name, a folder in diffusers' layout, or a hub id; the engine
loads the files. An `atelier.json` beside a folder's `model_index.json` overrides any default:
`steps`, `guidance`, `strength`, `image_guidance`, `aspects` (name → [width, height]), `multiple`,
`largest_pixels`, `dtype`, `checker`, `edit` (a subfolder or a hub id), `edit_steps`,
`edit_guidance`, `unknown_words`, `pausable`, `tile_pixels`, `compile`, `attention`,
`channels_last`, `memory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import lcm, log
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from imaging.distillation import usual_values
from imaging.errors import ModelUnavailable, UnknownProfile, Unsupported
from imaging.memory_choice import MemoryChoice
from imaging.model_files import ModelFiles
from imaging.model_folder import (
    cached_family,
    licence_of,
    read_json,
    read_overrides,
    size_constraints,
)
from imaging.parameters import Parameter
from imaging.pipeline_families import FAMILIES, UNKNOWN_FAMILY, Family
from imaging.prompt_length import SPECIAL_TOKENS, PromptLimit, folder_limit
from imaging.public_models import public_model
from imaging.request import Operation
from imaging.sizes import (
    Size,
    clamp_ratio,
    ratio_of,
    shrink_within,
    size_of_area,
    sizes_around,
)
from imaging.vocabulary import Vocabulary, read_vocabulary

BLANK = "blank"
POSTCARD_FOLDER = Path(__file__).parent / "postcard" / "weights"
CHECKER = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # for its component `safety_checker`
NO_CHECKER = "off"
ALIKE = 1.06
"""Sizes whose ratios differ by less have the same aspect: models round them differently."""


@dataclass(frozen=True, slots=True)
class CorrectionPlan:
    """How estimates of a picture are corrected: see `imaging.engine.corrections`.

    It is done `rounds` times after each step from `first` to `last`, numbered as in
    `CandidatePlan`, and changes the latents by at most `strength` (root mean square) each time.
    Rounds are those of the profile's square. `momentum` is the weight of each direction in the next
    one.
    """

    first: int
    last: int
    strength: float
    rounds: int = 1
    momentum: float = 0.0


@dataclass(frozen=True, slots=True)
class CandidatePlan:
    """How candidates of a picture are made and compared: see `imaging.engine.candidates`.

    There are `count` of each picture until the end of step `until`, then the best is kept. Steps
    are numbered from 1, of the profile's usual number. `selector` is the folder of the network that
    compares them, and corrects them where there is a `correction`.
    """

    selector: str
    count: int
    until: int
    correction: CorrectionPlan | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A named model with its defaults, limits and supported operations.

    `source` is a folder or a hub id. `sizes` maps aspects to sizes in pixels; sides are divisible
    by `multiple`; `largest_pixels` limits one picture. `edit` is the folder or hub id of the
    instruction-editing model, equal to `source` for a model that edits natively, or None. `dtype`
    is the name of a torch dtype or "auto". `checker` is the folder or hub id of a safety checker,
    or None where the model's `atelier.json` says "off". A model that is not `pausable` keeps the
    device until a request's pictures are finished, unless it is cancelled; its requests share no
    denoiser calls. Pictures of more than `tile_pixels` are decoded in tiles. `compile` is a backend
    of torch.compile for the denoiser's repeated blocks, `attention` an attention backend of
    diffusers, None for the usual one; `channels_last` is the memory layout of convolutions; in
    `cpu_dtype` the denoiser and the decoder compute on a CPU that has instructions for it.
    `vocabulary` holds the words that the model knows, where it publishes them; with `unknown_words`
    "ask", members are asked before others are drawn. `parameters` are those of a
    request that the model follows. `files` belong to it beside its source. `memory` is how its
    parts share the device's memory. `candidates` of each picture are made from a prompt alone, None
    for one only.
    """

    name: str
    source: str
    family: str  # a diffusers pipeline class, or "" if not known yet
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
    files: ModelFiles = field(default_factory=ModelFiles)
    licence: str | None = None
    checker: str | None = None
    pausable: bool = True
    parameters: frozenset[Parameter] = frozenset(Parameter)
    tile_pixels: int = 2_500_000
    compile: str | None = None
    attention: str | None = None
    channels_last: bool = False
    cpu_dtype: Literal["bfloat16"] | None = None
    memory: MemoryChoice = "auto"
    vocabulary: Vocabulary | None = field(default=None, repr=False)
    prompt_limit: PromptLimit | None = field(default=None, repr=False)
    unknown_words: Literal["draw", "ask"] = "draw"
    prompt_windows: int = 1
    upscaler: str | None = None
    candidates: CandidatePlan | None = None

    @property
    def native_area(self) -> int:
        """Pixels of the training resolution."""
        width, height = self.sizes["1:1"]
        return width * height

    def size(self, aspect: str) -> Size:
        """The size for an aspect, any from 1:4 to 4:1. Raises Unsupported for another."""
        if aspect in self.sizes:
            return self.sizes[aspect]
        try:
            return self.size_of_ratio(ratio_of(aspect))
        except ValueError:
            raise Unsupported(
                "The aspect must be a ratio from 1:4 to 4:1.", aspect=aspect, known="1:4 to 4:1"
            ) from None

    def size_of_ratio(self, ratio: float) -> Size:
        """A size of the given width / height with about the model's native area."""
        size = size_of_area(ratio, self.native_area, self.multiple)
        return shrink_within(size, self.largest_pixels, self.multiple)

    def size_like(self, size: Size) -> Size:
        """The model's own size for a picture of another model: the same aspect, or about it."""
        ratio = clamp_ratio(size)
        nearest = min(self.sizes.values(), key=lambda one: abs(log(one[0] / one[1] / ratio)))
        alike = abs(log(nearest[0] / nearest[1] / ratio)) < log(ALIKE)
        return nearest if alike else self.size_of_ratio(ratio)

    def size_within(self, aspect: str, megapixels: float) -> Size:
        """The size for an aspect, limited to `megapixels` million pixels."""
        return shrink_within(self.size(aspect), int(megapixels * 1_000_000), self.multiple)

    def size_of_edit(self, source: Size) -> Size:
        """The output size for an edit of a picture of size `source`.

        Keeps the aspect ratio, clamped to 4:1. The area is at least the training resolution and at
        most `largest_pixels`.
        """
        area = min(max(source[0] * source[1], self.native_area), self.largest_pixels)
        size = size_of_area(clamp_ratio(source), area, self.multiple)
        return shrink_within(size, self.largest_pixels, self.multiple)

    def steps_of(self, operation: Operation) -> int:
        """The default number of steps."""
        if operation is Operation.EDIT and self.edit_steps:
            return self.edit_steps
        return self.steps

    def guidance_of(self, operation: Operation) -> float:
        """The default guidance scale."""
        if operation is Operation.EDIT and self.edit_guidance is not None:
            return self.edit_guidance
        return self.guidance

    @property
    def edits_natively(self) -> bool:
        """Whether the generating model also edits by instruction."""
        return self.edit == self.source


def names() -> tuple[str, ...]:
    """The registered names; `blank`, for benchmarks, is not one of them."""
    return ("postcard", *NAMED)


def profile_for(name: str) -> Profile:
    """The profile of a registered name, a folder, or a hub id (`owner/name`).

    Raises UnknownProfile for any other name, ModelUnavailable for a folder without a readable
    `model_index.json`.
    """
    if name == BLANK:
        return _blank()
    if name == "postcard":
        # float32 on every GPU: small enough, and pictures then differ little from those of a CPU.
        return replace(folder_profile("postcard", POSTCARD_FOLDER), dtype="float32", licence="mit")
    if name in NAMED:
        return _named(name)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder_profile(folder.resolve().name, folder.resolve())
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
    """A public model with a short name. `changes` override its family's defaults.

    `licence` is the hub's identifier of it.
    """

    hub: str
    family: str
    changes: Mapping[str, Any]
    licence: str


# Defaults from the models' cards on the hub.
NAMED: Mapping[str, NamedModel] = {
    "sd15": NamedModel(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "StableDiffusionPipeline",
        {"variant": "fp16", "edit": "timbrooks/instruct-pix2pix"},
        "creativeml-openrail-m",
    ),
    "sdxl": NamedModel(
        "stabilityai/stable-diffusion-xl-base-1.0",
        "StableDiffusionXLPipeline",
        {"variant": "fp16", "edit": "diffusers/sdxl-instructpix2pix-768"},
        "openrail++",
    ),
    "sdxl-turbo": NamedModel(
        "stabilityai/sdxl-turbo",
        "StableDiffusionXLPipeline",
        {"variant": "fp16", "steps": 4, "guidance": 0.0, "side": 512},
        "sai-nc-community",
    ),
    "flux1-schnell": NamedModel(
        "black-forest-labs/FLUX.1-schnell",
        "FluxPipeline",
        {"steps": 4, "guidance": 0.0},
        "apache-2.0",
    ),
    "flux2-klein": NamedModel(
        "black-forest-labs/FLUX.2-klein-4B",
        "Flux2KleinPipeline",
        {},
        "apache-2.0",
    ),
    "z-image-turbo": NamedModel(
        "Tongyi-MAI/Z-Image-Turbo",
        "ZImagePipeline",
        {},
        "apache-2.0",
    ),
    "qwen-image": NamedModel(
        "Qwen/Qwen-Image",
        "QwenImagePipeline",
        {"edit": "Qwen/Qwen-Image-Edit-2511", "edit_steps": 40},
        "apache-2.0",
    ),
}


def _named(name: str) -> Profile:
    model = NAMED[name]
    profile = build_profile(name, model.hub, model.family, model.changes)
    return replace(profile, licence=model.licence)


def _from_hub(hub: str) -> Profile:
    """The profile of a hub id; its family may be unknown until it is downloaded."""
    return build_profile(hub.rsplit("/", 1)[1], hub, _hub_family(hub), {})


def folder_profile(
    name: str, folder: Path, more: Mapping[str, Any] = MappingProxyType({}), family: str = ""
) -> Profile:
    """The profile of a folder in diffusers' layout; `more` are values over those of its files.

    `family` is the pipeline class to use in place of the folder's own. Raises ModelUnavailable.
    """
    index = read_json(folder / "model_index.json", name)
    family = family or str(index.get("_class_name", ""))
    own = {**usual_values(folder, index), **read_overrides(folder, name)}
    changes = {**size_constraints(folder), **own, **more}
    if isinstance(changes.get("edit"), str) and (folder / changes["edit"]).is_dir():
        changes["edit"] = str(folder / changes["edit"])
    elif "edit" not in changes and (folder / "edit" / "model_index.json").is_file():
        changes["edit"] = str(folder / "edit")
    if isinstance(changes.get("upscaler"), str):
        changes["upscaler"] = str(folder / changes["upscaler"])
    if isinstance(changes.get("candidates"), Mapping):
        changes["candidates"] = _candidates(name, folder, changes["candidates"])
    if "checker" not in changes and (folder / "safety_checker").is_dir():
        changes["checker"] = str(folder)
    profile = build_profile(name, str(folder), family, changes)
    return replace(
        profile,
        vocabulary=read_vocabulary(folder, name),
        prompt_limit=_windowed(_prompt_limit(family, folder_limit(folder)), profile.prompt_windows),
        licence=profile.licence or licence_of(folder),
    )


def _candidates(name: str, folder: Path, values: Mapping[str, Any]) -> CandidatePlan:
    selector = folder / values["selector"]
    if not (selector / "config.json").is_file():
        raise ModelUnavailable(
            f"{folder / 'atelier.json'}: candidates.selector: {selector} has no config.json.",
            model=name,
        )
    correction = values.get("correction")
    corrected = CorrectionPlan(**correction) if correction else None
    return CandidatePlan(**{**values, "selector": str(selector), "correction": corrected})


def known_source(source: str) -> str:
    """The hub id of a registered name; any other source is itself."""
    return NAMED[source].hub if source in NAMED else source


def _windowed(limit: PromptLimit | None, windows: int) -> PromptLimit | None:
    """What is read of a prompt that is encoded in so many windows."""
    if limit is None:
        return None
    return PromptLimit(windows * (limit.tokens - SPECIAL_TOKENS) + SPECIAL_TOKENS, limit.merges)


def _prompt_limit(family: str, tokenizers: PromptLimit | None) -> PromptLimit | None:
    """What the class reads of what its tokenizers read."""
    if family not in FAMILIES:
        return tokenizers
    tokens = FAMILIES[family].prompt_tokens
    if tokens is None or (tokenizers is not None and tokenizers.tokens <= tokens):
        return None if tokens is None else tokenizers
    return PromptLimit(tokens)


def build_profile(name: str, source: str, family: str, changes: Mapping[str, Any]) -> Profile:
    """The profile of a pipeline class, with changes. An `edit` of None: it does not edit.

    `ignored` among the changes are parameters that the model does not follow.
    """
    known = FAMILIES.get(family, UNKNOWN_FAMILY)
    values = {**known.defaults(), **changes}
    side, multiple = int(values.pop("side")), int(values.pop("multiple"))
    multiple = lcm(multiple, known.divisor)
    sizes = {**_usual_sizes(known, side, multiple), **values.pop("aspects", {})}
    largest = values.pop("largest_pixels", None) or _largest(sizes, known)
    edits = "edit" in values
    edit = values.pop("edit", None)
    checker = values.pop("checker", None) or CHECKER
    variant, ignored = values.pop("variant", None), values.pop("ignored", frozenset())
    profile = Profile(
        name=name,
        source=source,
        family=family,
        sizes=sizes,
        multiple=multiple,
        largest_pixels=largest,
        operations=known.operations,
        parameters=known.parameters(values["guidance"]) - ignored,
        edit=source if known.edits and not edits else None,
        checker=None if checker == NO_CHECKER else checker,
        files=ModelFiles(variant=variant),
        prompt_limit=_windowed(
            PromptLimit(known.prompt_tokens) if known.prompt_tokens else None,
            values["prompt_windows"],
        ),
        **values,
    )
    if edit:
        profile = _with_edit_model(profile, edit, changes)
    if profile.edit:
        profile = replace(profile, operations=profile.operations | {Operation.EDIT})
    return profile


def _usual_sizes(family: Family, side: int, multiple: int) -> Mapping[str, Size]:
    """The class's own sizes, if the model has its side and they suit its multiple."""
    own = family.sizes if side == family.side else {}
    around = sizes_around(side, multiple)
    return {
        aspect: own[aspect]
        if aspect in own and not any(x % multiple for x in own[aspect])
        else size
        for aspect, size in around.items()
    }


def _with_edit_model(profile: Profile, edit: str, changes: Mapping[str, Any]) -> Profile:
    """The profile with an editing model. Steps and guidance that no file tells are its class's."""
    family = _family_of(edit)
    known = FAMILIES.get(family)
    if known is None or family == profile.family:
        return replace(profile, edit=edit)
    steps = None if "steps" in changes else known.steps
    guidance = None if "guidance" in changes else known.guidance
    return replace(
        profile,
        edit=edit,
        edit_steps=profile.edit_steps or steps,
        edit_guidance=guidance if profile.edit_guidance is None else profile.edit_guidance,
    )


def _family_of(source: str) -> str:
    """The pipeline class of a folder or a hub id; "" where it is not known yet."""
    folder = Path(source)
    if folder.is_dir():
        return str(read_json(folder / "model_index.json", source).get("_class_name", ""))
    named = next((one.family for one in NAMED.values() if one.hub == source), "")
    return named or (_hub_family(source) if _looks_like_hub_id(source) else "")


def _hub_family(hub: str) -> str:
    """The pipeline class of a hub id: that of its files, or as it is published; "" for neither."""
    known = public_model(hub)
    return cached_family(hub) or (known.family if known else "")


def _largest(sizes: Mapping[str, Size], family: Family) -> int:
    """The larger of the family's area limit and the largest preset size."""
    square = sizes["1:1"][0] * sizes["1:1"][1]
    return max(
        int(square * family.max_area_factor), *(width * height for width, height in sizes.values())
    )


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
