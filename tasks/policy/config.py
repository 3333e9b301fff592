"""The operator's policy: `atelier.toml` over the defaults, validated once at the start.

An invalid file stops the start with one sentence that names the file, the line, the key and what is
expected. A `Policy` is immutable; entry points load it and pass it on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import tomlkit
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from imaging.local_models import LocalModel
from imaging.server_models import ServerModel
from tasks.jobs.members import Member
from tasks.jobs.tiers import DoorState, Feature, Quota, Tier, TierPolicy, resolve_tier
from tasks.policy.access import (
    UNKNOWN,
    UNLIMITED,
    AccessMode,
    AccessPolicy,
    ServerLimits,
    read_server_name,
)
from tasks.policy.door_overrides import UsualDoors
from tasks.policy.doors import DoorLimits
from tasks.policy.durations import UNITS, parse_duration, parse_wait
from tasks.policy.local_models import local_models
from tasks.policy.model_rules import ModelRule
from tasks.policy.models import ModelName, ModelTable, WrongModel, server_models
from tasks.policy.rollout import Stage, Stages, read_stage
from tasks.policy.toml_lines import line_of

FILE = "atelier.toml"
MOST_UPLOAD_MEGABYTES = 50
"""What the decoder of members' files takes: see `imaging.formats.FileLimits`."""
ANY = "*"  # in place of a workspace: every one of the platform


_HIDDEN = frozenset({"key_env", "url"})
"""Keys whose wrong value may be a secret."""


class PolicyError(Exception):
    """The file is invalid; the message names the line, the key and what is expected."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every order, whatever the tier."""

    prompt_characters: int = 2000
    upload_megabytes: int = 25  # MiB of one file that a member sends
    attempts: int = 3  # starts of one job before it fails, where workers die

    @property
    def upload_bytes(self) -> int:
        """The most bytes of one file that a member sends, on every platform."""
        return self.upload_megabytes * 2**20


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's decisions. `roles` is (platform, workspace) → role id → tier."""

    tiers: Mapping[Tier, TierPolicy]
    roles: Mapping[tuple[str, str], Mapping[str, Tier]] = field(default_factory=dict)
    stages: Stages = field(default_factory=dict)
    words: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    auto_doors: DoorLimits = field(default_factory=DoorLimits)
    sign_ups: bool = True  # whether new members of unpaid tiers are admitted
    feature_doors: Mapping[Feature, DoorState] = field(default_factory=dict)
    access: AccessPolicy = field(default_factory=AccessPolicy)
    models: Mapping[str, ServerModel] = field(default_factory=dict)  # drawn by other servers
    local_models: Mapping[str, LocalModel] = field(default_factory=dict)  # loaded by workers
    model_rules: Mapping[str, ModelRule] = field(default_factory=dict)

    @property
    def doors(self) -> UsualDoors:
        """The doors of the file."""
        tiers = {tier: row.doors for tier, row in self.tiers.items()}
        return UsualDoors(tiers, self.feature_doors, self.sign_ups)

    def roles_of(self, platform: str, workspace: str) -> Mapping[str, Tier]:
        """Role id → tier of the file."""
        return self.roles.get((platform, workspace)) or self.roles.get((platform, ANY), {})

    def tier_of(
        self, member: Member, set_by_administrators: Mapping[str, Tier | None], default: Tier
    ) -> Tier:
        """The highest tier of the member's roles; administrators' mappings win over the file.

        A role that they mapped to None gives no tier.
        """
        merged = {**self.roles_of(member.platform, member.workspace), **set_by_administrators}
        mapping = {role: tier for role, tier in merged.items() if tier is not None}
        return resolve_tier(member.roles, mapping, default)


_USUAL = frozenset({Feature.IMAGINE})
_PAID = _USUAL | {Feature.EDIT, Feature.VARY, Feature.UPSCALE, Feature.BLEND}
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

DEFAULT_TIERS: Mapping[Tier, TierPolicy] = {
    Tier.FREE: TierPolicy(Tier.FREE, 1, 1, 1, Quota(3, _DAY), 1.0, 1, _USUAL, DoorState.AUTO),
    Tier.PLUS: TierPolicy(Tier.PLUS, 4, 3, 10, Quota(50, 3 * _HOUR), 2.0, 4, _PAID, DoorState.OPEN),
    Tier.TEAM: TierPolicy(
        Tier.TEAM,
        6,
        3,
        10,
        Quota(100, 3 * _HOUR),
        2.0,
        4,
        _PAID,
        DoorState.OPEN,
        pool=Quota(1000, 3 * _HOUR),
    ),
    Tier.PRO: TierPolicy(
        Tier.PRO,
        8,
        12,
        10,
        Quota(1800, 30 * _DAY),
        4.0,
        4,
        frozenset(Feature),
        DoorState.OPEN,
        relaxed=True,
    ),
}

LOCAL_ROLES: Mapping[str, Tier] = {tier.value: tier for tier in Tier}
"""On the playground and in the terminal, roles are tier names."""

_DOORS = DoorLimits()
_QUOTA = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*/\s*(\d{1,5})\s*([mhd])")


def parse_quota(value: object) -> Quota:
    """A quota from its text: "3/24h" is three credits in a rolling day; units are m, h, d.

    Raises ValueError.
    """
    match = _QUOTA.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[2]) == 0:
        raise ValueError('credits over a window, such as "3/24h", "50/3h" or "1800/30d"')
    return Quota(float(match[1]), int(match[2]) * UNITS[match[3]])


def parse_features(value: object) -> frozenset[Feature]:
    """Features from their list; "all" means every one. Raises ValueError."""
    known = ", ".join(feature.value for feature in Feature)
    expected = f'a list of features out of {known}, or ["all"]'
    names = [str(name) for name in value] if isinstance(value, list) else [str(value)]
    if "all" in names:
        return frozenset(Feature)
    try:
        return frozenset(Feature(name) for name in names)
    except ValueError as error:
        raise ValueError(expected) from error


def parse_stage(value: object) -> Stage:
    """When, or for what share of members, a feature opens. Raises ValueError."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return Stage(opens=value)
    try:
        return read_stage(str(value))
    except ValueError as error:
        raise ValueError(
            'a day such as "2026-12-15", a share such as "25%", "open" or "closed"'
        ) from error


def parse_server(value: str) -> str:
    """The name of a server: "discord:GUILD" or "slack:WORKSPACE". Raises ValueError."""
    read_server_name(value)
    return value


QuotaText = Annotated[Quota, BeforeValidator(parse_quota)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Wait = Annotated[timedelta, BeforeValidator(parse_wait)]  # with 0, doors would never open again
Features = Annotated[frozenset[Feature], BeforeValidator(parse_features)]
ServerName = Annotated[str, AfterValidator(parse_server)]
StageText = Annotated[Stage, BeforeValidator(parse_stage)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


_EnumTier = Annotated[Tier, Field(strict=False)]
_EnumDoors = Annotated[DoorState, Field(strict=False)]
_EnumFeature = Annotated[Feature, Field(strict=False)]


class _TierTable(_Table):
    weight: float | None = Field(None, gt=0, le=1_000_000)
    running: int | None = Field(None, ge=1, le=1000)
    waiting: int | None = Field(None, ge=0, le=1000)
    quota: QuotaText | None = None
    largest_megapixels: float | None = Field(None, gt=0, le=64)
    count: int | None = Field(None, ge=1, le=4)
    features: Features | None = None
    doors: _EnumDoors | None = None
    relaxed: bool | None = None
    pool: QuotaText | None = None


class _Roles(_Table):
    roles: dict[str, _EnumTier] = {}


class _UserGroups(_Table):
    usergroups: dict[str, _EnumTier] = {}


class _Discord(_Table):
    guilds: dict[str, _Roles] = {}


class _Slack(_Table):
    workspaces: dict[str, _UserGroups] = {}


class _Web(_Table):
    roles: dict[str, _EnumTier] = {}


class _Limits(_Table):
    prompt_characters: int = Field(2000, ge=1, le=100_000)
    upload_megabytes: int = Field(25, ge=1, le=MOST_UPLOAD_MEGABYTES)
    attempts: int = Field(3, ge=1, le=100)


class _Doors(_Table):
    longest_wait: Wait = timedelta(seconds=_DOORS.longest_wait)
    degrade_at: float = Field(_DOORS.degrade_at, gt=0, lt=1)
    close_at: float = Field(_DOORS.close_at, gt=1, le=1000)
    return_at: float = Field(_DOORS.return_at, gt=0, lt=1)
    stands: Duration = timedelta(seconds=_DOORS.stands)
    rises: Duration = timedelta(seconds=_DOORS.rises)
    sign_ups: bool = True
    features: dict[_EnumFeature, _EnumDoors] = {}


class _Safety(_Table):
    words: list[str] = []


class _ServerLimits(_Table):
    highest_tier: _EnumTier = Tier.PRO
    highest_grant: float | None = Field(None, ge=0, le=1_000_000_000)


class _Access(_Table):
    mode: Annotated[AccessMode, Field(strict=False)] = AccessMode.EVERYONE
    highest_tier: _EnumTier = UNKNOWN.highest_tier
    highest_grant: float = Field(UNKNOWN.highest_grant or 0, ge=0, le=1_000_000_000)
    servers: dict[ServerName, _ServerLimits] = {}


class _File(_Table):
    tiers: dict[_EnumTier, _TierTable] = {}
    discord: _Discord = _Discord()
    slack: _Slack = _Slack()
    web: _Web = _Web()
    stages: dict[_EnumFeature, dict[_EnumTier, StageText]] = {}
    limits: _Limits = _Limits()
    doors: _Doors = _Doors()
    safety: _Safety = _Safety()
    access: _Access = _Access()
    models: dict[ModelName, ModelTable] = {}


def load(path: Path | None) -> Policy:
    """The policy of a file, or the defaults where `path` is None. Raises PolicyError."""
    if path is None:
        return _policy(_File())
    try:
        text = path.read_text(encoding="utf-8-sig")  # a byte order mark is skipped
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} cannot be read: {error}.") from error
    return read(text, str(path))


def find(config: Path | None) -> Path | None:
    """The file to read: the given one, else `atelier.toml` in the current folder, else None."""
    here = Path(FILE)
    return config if config is not None else here if here.is_file() else None


def read(text: str, name: str = FILE) -> Policy:
    """The policy of a file's text; `name` appears in errors. Raises PolicyError."""
    try:
        values = tomlkit.parse(text).unwrap()
    except TOMLKitError as error:
        fault = re.sub(r" at line \d+ col \d+$", "", str(error)).rstrip(".")
        if fault.endswith(r"'\x00'") and "\0" not in text:
            fault = "the file ends within a value"
        raise PolicyError(f"{name}{_error_line(text)}: this is not TOML: {fault}.") from error
    try:
        file = _File.model_validate(values)
        origins, folder = _origins(file, text, name), Path(name).parent
        return replace(
            _policy(file),
            models=server_models(file.models, folder, origins),
            local_models=local_models(file.models, folder, origins),
            model_rules={
                model: ModelRule(table.price, frozenset(table.tiers or Tier))
                for model, table in file.models.items()
            },
        )
    except ValidationError as error:
        lines = (_sentence(name, text, fault) for fault in error.errors())
        raise PolicyError("\n".join(dict.fromkeys(lines))) from None
    except WrongModel as wrong:
        path = ["models", *wrong.path]
        raise PolicyError(f"{_where(name, text, path)} {wrong.sentence}.") from None


def _error_line(text: str) -> str:
    """Where the text is not TOML; tomlkit does not tell the line of a repeated key."""
    try:
        tomllib.loads(text)
    except RecursionError:
        return ""
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return f", line {line[1] if line else max(1, len(text.rstrip().splitlines()))}"
    return ""


def _sentence(name: str, text: str, error: Any) -> str:
    """One sentence for a mistake: file, line, key, and what is expected."""
    path = [str(part) for part in error["loc"] if part != "[key]"]
    where = _where(name, text, path)
    given = "wrong" if path[-1] in _HIDDEN else repr(error["input"])
    match error["type"]:
        case "missing":
            return f"{where} is missing."
        case "extra_forbidden":
            known = ", ".join(_keys_beside(path))
            return f"{where} is not a valid key here; expected one of {known}."
        case "enum":
            return f"{where} is {given}; expected {error['ctx']['expected']}."
        case "value_error":
            return f"{where} is {given}; expected {error['ctx']['error']}."
        case _:
            wanted = error["msg"].removeprefix("Input should be ")
            wanted = "a table" if "dictionary" in wanted else wanted
            return f"{where} is {given}; expected {wanted}."


def _where(name: str, text: str, path: list[str]) -> str:
    return f"{name}, line {line_of(text, path)}: {'.'.join(path)}"


def _origins(file: _File, text: str, name: str) -> Mapping[str, str]:
    """Where each model is set."""
    return {model: f"{name}, line {line_of(text, ['models', model])}" for model in file.models}


def _keys_beside(path: list[str]) -> list[str]:
    """The keys that the table around `path` knows."""
    table: Any = _File
    for part in path[:-1]:
        annotation = table.model_fields[part].annotation if part in table.model_fields else table
        table = _inner_table(annotation)
    return [field.alias or name for name, field in table.model_fields.items()]


def _inner_table(annotation: Any) -> Any:
    """The table class of a field, through `dict[key, table]`."""
    arguments = getattr(annotation, "__args__", ())
    return arguments[-1] if arguments else annotation


def _policy(file: _File) -> Policy:
    return Policy(
        tiers={tier: _tier(tier, file.tiers.get(tier)) for tier in Tier},
        roles=_roles(file),
        stages=file.stages,
        words=tuple(file.safety.words),
        limits=Limits(**file.limits.model_dump()),
        auto_doors=DoorLimits(
            longest_wait=file.doors.longest_wait.total_seconds(),
            degrade_at=file.doors.degrade_at,
            close_at=file.doors.close_at,
            return_at=file.doors.return_at,
            stands=file.doors.stands.total_seconds(),
            rises=file.doors.rises.total_seconds(),
        ),
        sign_ups=file.doors.sign_ups,
        feature_doors=file.doors.features,
        access=_access(file),
    )


def _access(file: _File) -> AccessPolicy:
    """The allow-list; a server whose roles the file maps is on it."""
    table = file.access
    listed = {server: UNLIMITED for server in _roles(file) if server[1] != ANY}
    listed |= {
        read_server_name(name): ServerLimits(limits.highest_tier, limits.highest_grant)
        for name, limits in table.servers.items()
    }
    unknown = ServerLimits(table.highest_tier, table.highest_grant)
    return AccessPolicy(table.mode, unknown, listed)


def _tier(tier: Tier, table: _TierTable | None) -> TierPolicy:
    """The defaults with the file's values over them."""
    if table is None:
        return DEFAULT_TIERS[tier]
    said = {name: getattr(table, name) for name in table.model_fields_set}
    return replace(DEFAULT_TIERS[tier], **said)


def _roles(file: _File) -> dict[tuple[str, str], Mapping[str, Tier]]:
    roles: dict[tuple[str, str], Mapping[str, Tier]] = {
        ("discord", guild): table.roles for guild, table in file.discord.guilds.items()
    }
    for workspace, groups in file.slack.workspaces.items():
        roles["slack", workspace] = groups.usergroups
    roles["web", ANY] = {**LOCAL_ROLES, **file.web.roles}
    roles["terminal", ANY] = LOCAL_ROLES
    return roles
