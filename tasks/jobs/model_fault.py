"""Why a worker does not serve one of its models now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelFault:
    """`reason` is one English sentence for the operator. `code` is that of an ImagingError.

    `part` is the operation that fails where the others are served, None where the whole model is
    not. `next_try` is None while a try is in progress.
    """

    reason: str
    code: str
    since: datetime
    next_try: datetime | None = None
    part: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fault as JSON values; `from_json` restores it."""
        return {
            "reason": self.reason,
            "code": self.code,
            "since": self.since.isoformat(),
            "next_try": self.next_try.isoformat() if self.next_try else None,
            "part": self.part,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelFault:
        """The fault that `to_json` serialised."""
        next_try = values.get("next_try")
        return cls(
            reason=values["reason"],
            code=values["code"],
            since=datetime.fromisoformat(values["since"]),
            next_try=datetime.fromisoformat(next_try) if next_try else None,
            part=values.get("part"),
        )
