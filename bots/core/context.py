"""What every command gets: the invocation, the language and the server's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.core.commands import Invocation
from bots.core.image_decoder import ImageDecoder
from bots.core.locales import Localizer
from bots.core.open_questions import Questions
from imaging.errors import ImagingError
from imaging.profile_card import described
from imaging.profiles import Profile
from tasks.client import Client, WorkspaceSettings


@dataclass(frozen=True, slots=True)
class Context:
    """One invocation, with everything loaded that a command needs.

    `profile` is this process's own knowledge of a profile, for when no worker describes it.
    """

    client: Client
    profile: Callable[[str], Profile]
    model: str
    invocation: Invocation
    localize: Localizer
    workspace: WorkspaceSettings
    preferences: Mapping[str, Any]
    in_allowed_channel: bool
    decoder: ImageDecoder
    questions: Questions

    async def served_profile(self, name: str) -> Profile:
        """The profile with what a live worker says about it, else as this process knows it.

        Raises ImagingError for one that neither knows.
        """
        return self.with_card(name, (await self.client.fleet.profiles()).get(name))

    def with_card(self, name: str, card: Profile | None) -> Profile:
        """This process's profile with a card's facts. Raises ImagingError where there is neither.

        A model that this process does not know, such as another server's, is its card alone.
        """
        try:
            return described(self.profile(name), card)
        except ImagingError:
            if card is None:
                raise
            return card
