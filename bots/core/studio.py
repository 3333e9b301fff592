"""The studio as a bot holds it: one `answer` for every command, on any platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.core import account, administration, orders
from bots.core import command as commands
from bots.core.command import Ask, BadCommand, Command
from bots.core.context import Context
from bots.core.reasons import misread, refusal
from bots.core.reply import Reply
from bots.core.sentences import Sentences, speak
from imaging.profiles import Profile
from tasks.client import Client, Unavailable
from tasks.job import Reason


@dataclass(frozen=True, slots=True)
class Studio:
    """What answers members: the door to the jobs, and the profiles that can be asked for.

    `profile` gives a profile by name or raises `imaging.errors.UnknownProfile`; `model` is the name
    of the one that draws where a member names none.
    """

    client: Client
    profile: Callable[[str], Profile]
    model: str

    async def answer(self, ask: Ask, command: Command | BadCommand) -> Reply:
        """Carry a command out. Never raises for what a member did; an outage is an answer too."""
        try:
            context = await self.context(ask)
            if isinstance(command, BadCommand):
                return misread(command, context.say)
            return await _USE_CASES[type(command)](context, command)
        except Unavailable:
            return refusal(Reason("unavailable"), speak(ask.member.locale))

    async def context(self, ask: Ask) -> Context:
        """What every use case needs to know of the one who asks."""
        member, place = ask.member, ask.place
        workspace = await self.client.workspace_settings(member.platform, member.workspace)
        preferences = await self.client.preferences(member)
        return Context(
            client=self.client,
            profile=self.profile,
            model=self.model,
            ask=ask,
            say=speak(self._language(ask, workspace.language, preferences)),
            workspace=workspace,
            preferences=preferences,
            in_allowed_channel=not workspace.channels or place.channel in workspace.channels,
        )

    async def say(self, ask: Ask) -> Sentences:
        """The language this member is spoken to in."""
        return (await self.context(ask)).say

    @staticmethod
    def _language(ask: Ask, server: str | None, preferences: Mapping[str, Any]) -> str:
        """The member's own choice, then the server's, then the platform's word for the member."""
        return str(preferences.get("language") or server or ask.member.locale)


_USE_CASES: Mapping[type, Callable[[Context, Any], Awaitable[Reply]]] = {
    commands.Imagine: orders.imagine,
    commands.Edit: orders.edit,
    commands.Vary: orders.vary,
    commands.Upscale: orders.upscale,
    commands.Blend: orders.blend,
    commands.Reroll: orders.reroll,
    commands.Undo: account.undo,
    commands.Cancel: account.cancel,
    commands.Details: account.details,
    commands.Delete: account.delete,
    commands.Report: account.report,
    commands.Queue: account.queue,
    commands.Quota: account.quota,
    commands.History: account.history,
    commands.Settings: account.settings,
    commands.Privacy: account.privacy,
    commands.Waitlist: account.waitlist,
    commands.Help: account.help_,
    commands.StudioRole: administration.role,
    commands.StudioRoles: administration.roles,
    commands.StudioDoors: administration.doors,
    commands.StudioCapacity: administration.capacity,
    commands.StudioBlock: administration.block,
    commands.StudioWords: administration.words,
    commands.StudioSettings: administration.settings,
    commands.StudioAudit: administration.audit,
    commands.StudioGrant: administration.grant,
}
