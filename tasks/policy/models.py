"""`[models.NAME]` of `atelier.toml`: the table, and models that other image servers draw. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt

from imaging.memory_choice import MemoryChoice
from imaging.profiles import BLANK, CHECKER, NO_CHECKER, names
from imaging.request import Operation
from imaging.server_models import Field as ApiField
from imaging.server_models import Lora, ServerKind, ServerModel
from imaging.sizes import ASPECTS, Size, sizes_around
from tasks.jobs.tiers import Tier
from tasks.policy.durations import parse_wait

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LARGEST_SIDE = 8192
_SERVED = frozenset(Operation) - {Operation.UPSCALE}  # Atelier enlarges by itself
_OPENAI = frozenset({Operation.IMAGINE, Operation.EDIT, Operation.FILL, Operation.BLEND})
LOCAL, OPENAI, COMFYUI = "local", "openai", "comfyui"
_BOTH_SERVERS = (
    *("kind", "url", "key_env", "side", "multiple", "sizes", "only_sizes", "largest_megapixels"),
    *("steps", "guidance", "strength", "checker", "in_flight", "preempt", "timeout"),
    *("licence", "price", "tiers"),
)
_KEYS: Mapping[str, frozenset[str]] = {
    OPENAI: frozenset({*_BOTH_SERVERS, "model", "operations", "takes"}),
    COMFYUI: frozenset({*_BOTH_SERVERS, "workflow", "workflows", "loras"}),
    LOCAL: frozenset(
        {
            *("kind", "source", "revision", "sha256", "base", "class", "variant", "loras"),
            *("embeddings", "edit", "edit_steps", "edit_guidance", "upscaler", "side", "multiple"),
            *("sizes", "largest_megapixels", "steps", "guidance", "guidance_kind", "negative"),
            *("strength", "checker", "dtype", "memory", "licence", "price", "tiers"),
        }
    ),
}
"""The keys of each kind."""


class WrongModel(Exception):
    """A model's table is inconsistent: the key below `[models]`, and what is wrong with it."""

    def __init__(self, path: tuple[str, ...], sentence: str) -> None:
        super().__init__(sentence)
        self.path = path
        self.sentence = sentence


def _model_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("a name of small letters, digits, dots and dashes, at most 40 long")
    if value == BLANK:
        raise ValueError("another name: this one is for benchmarks")
    return value


def _sha256(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise ValueError("the file's SHA-256: 64 hexadecimal digits")
    return value.lower()


def _address(value: str) -> str:
    """An address without a trailing slash. A key in it would reach logs. Raises ValueError."""
    expected = "an address such as http://127.0.0.1:8188, without a user, a query or a fragment"
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError for a malformed port
    except ValueError:
        raise ValueError(expected) from None
    extra = parts.username or parts.password or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or extra:
        raise ValueError(expected)
    return value.rstrip("/")


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError("the name of an environment variable, not the key itself")
    return value


def _size(value: object) -> Size:
    """A size from a list of two numbers: TOML has no pairs. Raises ValueError."""
    match value:
        case [int(width), int(height)] if 16 <= min(width, height) <= max(value) <= _LARGEST_SIDE:
            return width, height
    raise ValueError(f"[width, height] in pixels, from 16 to {_LARGEST_SIDE}")


def _aspect(value: str) -> str:
    if value not in ASPECTS:
        raise ValueError(f"an aspect out of {', '.join(ASPECTS)}")
    return value


def _operation(value: object) -> Operation:
    known = ", ".join(sorted(_SERVED))
    try:
        found = Operation(str(value))
    except ValueError:
        found = Operation.UPSCALE
    if found not in _SERVED:
        raise ValueError(f"an operation out of {known}")
    return found


ModelName = Annotated[str, AfterValidator(_model_name)]
_Address = Annotated[str, AfterValidator(_address)]
_Variable = Annotated[str, AfterValidator(_variable)]
_SizeList = Annotated[Size, BeforeValidator(_size)]
_Aspect = Annotated[str, AfterValidator(_aspect)]
_EnumOperation = Annotated[Operation, BeforeValidator(_operation)]
_EnumKind = Literal["local", "openai", "comfyui"]
_EnumTier = Annotated[Tier, Field(strict=False)]
_Sha256 = Annotated[str, AfterValidator(_sha256)]
_EnumField = Annotated[ApiField, Field(strict=False)]
_Wait = Annotated[timedelta, BeforeValidator(parse_wait)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class FileTable(_Table):
    """A file: a path, a file of a hub id, or an address with the file's SHA-256."""

    file: str | None = Field(None, min_length=1)
    hub: str | None = Field(None, pattern=r"^[^/\s]+/[^/\s]+$")
    revision: str | None = None
    url: str | None = Field(None, pattern=r"^https?://[^\s]+$")
    sha256: _Sha256 | None = None


class LoraTable(FileTable):
    """One entry of `loras`. ComfyUI knows a LoRA by its name."""

    name: str | None = Field(None, min_length=1)
    weight: float = Field(1.0, ge=-10, le=10)
    trigger: str = Field("", max_length=200)


class EmbeddingTable(FileTable):
    """One entry of `embeddings`: a textual inversion, and the word that stands for it."""

    token: str = Field(min_length=1, max_length=100, pattern=r"^\S+$")


class ModelTable(_Table):
    """The keys of one `[models.NAME]`, of every kind."""

    kind: _EnumKind = "local"
    source: str | None = Field(None, min_length=1)
    revision: str | None = Field(None, min_length=1)
    sha256: _Sha256 | None = None
    base: str | None = Field(None, min_length=1)
    class_: str | None = Field(None, alias="class", pattern=r"^[A-Z]\w+Pipeline$")
    variant: str | None = Field(None, min_length=1)
    embeddings: list[EmbeddingTable] = Field(default=[], max_length=16)
    edit: str | Literal[False] | None = None
    edit_steps: int | None = Field(None, ge=1, le=200)
    edit_guidance: float | None = Field(None, ge=0, le=100)
    upscaler: FileTable | None = None
    guidance_kind: Literal["guidance_scale", "true_cfg_scale", "none"] | None = None
    negative: bool | None = None
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None
    memory: MemoryChoice | None = None
    licence: str | None = Field(None, min_length=1, max_length=200)
    price: float = Field(1.0, gt=0, le=1000)
    tiers: list[_EnumTier] | None = Field(None, min_length=1)
    url: _Address | None = None
    key_env: _Variable | None = None
    model: str = ""
    operations: list[_EnumOperation] = [Operation.IMAGINE]
    takes: list[_EnumField] = [ApiField.SIZE]
    workflow: str | None = None
    workflows: dict[_EnumOperation, str] = {}
    loras: list[LoraTable] = Field(default=[], max_length=8)
    side: int = Field(1024, ge=64, le=4096)
    multiple: PositiveInt = Field(16, le=256)
    sizes: dict[_Aspect, _SizeList] = {}
    only_sizes: bool = False
    largest_megapixels: float | None = Field(None, gt=0, le=64)
    steps: int = Field(20, ge=1, le=200)
    guidance: float = Field(5.0, ge=0, le=100)
    strength: float = Field(0.6, gt=0, le=1)
    checker: str | None = None
    in_flight: int = Field(1, ge=1, le=64)
    preempt: Literal["wait", "restart"] = "wait"
    timeout: _Wait = timedelta(minutes=5)


def server_models(
    tables: Mapping[str, ModelTable], folder: Path, origins: Mapping[str, str]
) -> Mapping[str, ServerModel]:
    """The models of the tables. Workflow files are looked for in `folder`. Raises WrongModel.

    `origins` tells where each is set, for later errors.
    """
    served = {name: table for name, table in tables.items() if table.kind != LOCAL}
    for name, table in served.items():
        check_keys(name, table)
        for fault in _faults(name, table):
            raise fault
    return {name: _model(name, table, folder, origins[name]) for name, table in served.items()}


def check_keys(name: str, table: ModelTable) -> None:
    """Raise WrongModel for a key that the table's kind does not have."""
    if "url" in said_keys(table) and "kind" not in said_keys(table):
        raise WrongModel((name, "kind"), "is missing: openai or comfyui, for a model with a url")
    for key in sorted(said_keys(table)):
        if key not in _KEYS[table.kind]:
            known = ", ".join(sorted(_KEYS[table.kind]))
            sentence = f"is not a key of the kind {table.kind}; expected one of {known}"
            raise WrongModel((name, key), sentence)


def said_keys(table: BaseModel) -> frozenset[str]:
    """The keys that the file sets, by their names there."""
    return frozenset(key.removesuffix("_") for key in table.model_fields_set)


def _faults(name: str, table: ModelTable) -> Iterator[WrongModel]:
    """What is inconsistent in a table whose values are valid alone."""
    if name in names():
        yield WrongModel((name,), "is the name of a model of Atelier; choose another")
    if table.url is None:
        yield WrongModel((name, "url"), "is missing: the server's address")
    for number, lora in enumerate(table.loras):
        if said_keys(lora) - {"name", "weight"} or lora.name is None:
            sentence = "takes name, as ComfyUI knows it, and weight"
            yield WrongModel((name, "loras", str(number)), sentence)
    if table.kind == OPENAI and (wrong := set(table.operations) - _OPENAI):
        known = ", ".join(sorted(_OPENAI))
        sentence = f"has {min(wrong)}; the images API has {known}"
        yield WrongModel((name, "operations"), sentence)
    if table.kind == COMFYUI and not (table.workflow or table.workflows):
        yield WrongModel((name, "workflow"), "is missing: the file of a workflow in the API format")
    if table.workflow and Operation.IMAGINE in table.workflows:
        yield WrongModel((name, "workflow"), "is set twice: here and as workflows.imagine")
    yield from size_faults(name, table)
    if table.only_sizes and "1:1" not in table.sizes:
        yield WrongModel((name, "only_sizes"), 'needs sizes, at least one for "1:1"')


def size_faults(name: str, table: ModelTable) -> Iterator[WrongModel]:
    """Sizes that are not multiples of `multiple`."""
    for aspect, (width, height) in table.sizes.items():
        if width % table.multiple or height % table.multiple:
            sentence = f"is {width} × {height}, and both must be multiples of {table.multiple}"
            yield WrongModel((name, "sizes", aspect), sentence)


def _model(name: str, table: ModelTable, folder: Path, origin: str) -> ServerModel:
    sizes = dict(table.sizes)
    if not table.only_sizes:
        sizes = {**sizes_around(table.side, table.multiple), **sizes}
    workflows = {operation: folder / file for operation, file in table.workflows.items()}
    if table.workflow:
        workflows[Operation.IMAGINE] = folder / table.workflow
    comfyui = table.kind == COMFYUI
    return ServerModel(
        name=name,
        origin=origin,
        kind=ServerKind(table.kind),
        url=table.url or "",
        sizes=sizes,
        multiple=table.multiple,
        operations=frozenset(workflows if comfyui else table.operations),
        largest_pixels=_largest_pixels(table, sizes),
        model=table.model,
        key_env=table.key_env,
        workflows=workflows,
        takes=frozenset(() if comfyui else table.takes),
        loras=tuple(Lora(one.name or "", one.weight) for one in table.loras),
        only_sizes=table.only_sizes,
        steps=table.steps,
        guidance=table.guidance,
        strength=table.strength,
        checker=None if table.checker == NO_CHECKER else table.checker or CHECKER,
        in_flight=table.in_flight,
        restarts=table.preempt == "restart",
        timeout=table.timeout.total_seconds(),
        licence=table.licence,
    )


def _largest_pixels(table: ModelTable, sizes: Mapping[str, Size]) -> int:
    """The setting, or the largest of the sizes."""
    largest = max(width * height for width, height in sizes.values())
    if table.largest_megapixels is None:
        return largest
    return max(largest, int(table.largest_megapixels * 1_000_000))
