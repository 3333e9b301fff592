"""What a use case is given: who asks, in which language, under which server's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.core.command import Ask
from bots.core.sentences import Sentences
from imaging.profiles import Profile
from tasks.client import Client, WorkspaceSettings


@dataclass(frozen=True, slots=True)
class Context:
    """One ask and all that is known around it."""

    client: Client
    profile: Callable[[str], Profile]
    model: str
    ask: Ask
    say: Sentences
    workspace: WorkspaceSettings
    preferences: Mapping[str, Any]
    in_allowed_channel: bool
