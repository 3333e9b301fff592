"""Checks every call against Slack's published methods: arguments, scopes and rate limits.

Without them (`ATELIER_SPECS` unset) nothing is checked, and rate limits come from a built-in table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PER_MINUTE = {"t1": 1, "t2": 20, "t3": 50, "t4": 100}
TIERS = {
    "chat.update": "t3",
    "chat.delete": "t3",
    "conversations.replies": "t3",
    "conversations.history": "t3",
    "usergroups.list": "t2",
    "usergroups.users.list": "t2",
}
# Arguments of `oauth.v2.access` and the token itself may travel in the Authorization header.
IN_HEADER = frozenset({"token"})
# The published list gives one "required" for either of two arguments of these methods.
LOOSE: Mapping[str, frozenset[str]] = {"usergroups.list": frozenset({"include_users"})}


class Specs:
    """The published methods, where ATELIER_SPECS names them."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def available(self) -> bool:
        """Whether the published methods are available."""
        return self._folder is not None

    def per_minute(self, method: str) -> int | None:
        """The calls allowed per minute; None where the method has a special limit."""
        spec = self._read(method)
        tier = spec["rate_limits"] if spec else TIERS.get(method, "t4")
        return PER_MINUTE.get(tier)

    def faults(self, method: str, args: Mapping[str, Any]) -> list[str]:
        """Unknown and missing arguments of one call."""
        if not self.available:
            return []
        spec = self._read(method)
        if spec is None:
            return [f"{method}: no such method"]
        properties = spec["args"]["properties"]
        faults = [f"{method}: unknown argument {name}" for name in args if name not in properties]
        needed = set(spec["args"].get("required", [])) - IN_HEADER
        faults += [f"{method}: missing argument {name}" for name in sorted(needed - set(args))]
        return faults

    def lacks_scope(self, method: str, scopes: frozenset[str]) -> str | None:
        """The missing scopes, where none of the sufficient ones was granted."""
        spec = self._read(method)
        needed = spec.get("scope", {}).get("bot", []) if spec else []
        if not needed or scopes & set(needed):
            return None
        return ",".join(needed)

    def _read(self, method: str) -> dict[str, Any] | None:
        return _read(self._folder / f"{method}.json") if self._folder else None


@cache
def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None
