"""Runs every command, on any platform: `CommandHandler.answer` returns the reply to send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, assert_never

from bots.core import (
    account_commands,
    admin_commands,
    clarification,
    commands,
    picture_commands,
    report_commands,
)
from bots.core.commands import BadCommand, Command, Invocation
from bots.core.context import Context
from bots.core.image_decoder import ImageDecoder
from bots.core.locales import Localizer, localizer_for
from bots.core.open_questions import Questions
from bots.core.rate_limit import MemberRateLimiter
from bots.core.refusals import bad_command_reply, refusal
from bots.core.reply import Reply
from imaging.errors import ImagingError
from imaging.local_models import model_called
from imaging.model_files import is_single_file
from imaging.profiles import Profile, profile_for
from tasks.client import BeyondLimit, Client, Unavailable
from tasks.jobs.job import Reason


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """Runs commands through the client of the job system.

    `profile` returns a profile by name as this process knows it without a worker's card, or raises
    `imaging.errors.UnknownProfile`; `model` is the name of the profile used where a member names
    none.
    """

    client: Client
    profile: Callable[[str], Profile]
    model: str
    decoder: ImageDecoder = field(default_factory=ImageDecoder)
    rate_limiter: MemberRateLimiter = field(default_factory=MemberRateLimiter)
    questions: Questions = field(default_factory=Questions)

    async def answer(self, invocation: Invocation, command: Command | BadCommand) -> Reply:
        """Run a command. Never raises for what a member did; an outage is a reply too."""
        if wait := self.rate_limiter.wait(invocation.member, command):
            reason = Reason("rate-limited", {"seconds": wait})
            return refusal(reason, localizer_for(invocation.member.locale))
        try:
            context = await self.context(invocation)
            if isinstance(command, BadCommand):
                return bad_command_reply(command, context.localize)
            try:
                return await _dispatch(context, command)
            except BeyondLimit as beyond:
                return refusal(beyond.reason, context.localize)
        except Unavailable:
            return refusal(Reason("unavailable"), localizer_for(invocation.member.locale))

    async def context(self, invocation: Invocation) -> Context:
        """Load what every command needs: the server's settings and the member's preferences."""
        member, place = invocation.member, invocation.place
        workspace = await self.client.admin.workspace_settings(member.platform, member.workspace)
        preferences = await self.client.members.preferences(member)
        return Context(
            client=self.client,
            profile=self.profile,
            model=self.model,
            invocation=invocation,
            localize=localizer_for(self._language(invocation, workspace.language, preferences)),
            workspace=workspace,
            preferences=preferences,
            in_allowed_channel=not workspace.channels or place.channel in workspace.channels,
            decoder=self.decoder,
            questions=self.questions,
        )

    async def localizer(self, invocation: Invocation) -> Localizer:
        """The localizer for this member's language."""
        return (await self.context(invocation)).localize

    @staticmethod
    def _language(
        invocation: Invocation, server: str | None, preferences: Mapping[str, Any]
    ) -> str:
        """The member's own choice, then the server's, then the platform's locale of the member."""
        return str(preferences.get("language") or server or invocation.member.locale)


def build_command_handler(client: Client, model: str) -> CommandHandler:
    """The handler for a configured model: the name of one, a folder, a file, or a hub id.

    Its files may be on the workers' machines only: it is then known by their cards.
    """
    policy = client.fleet.policy
    servers, local = policy.models, policy.local_models
    default: Profile | None = None
    if model in servers or model in local:
        name = model
    else:
        try:
            default = model_called(model).profile()
            name = default.name
        except ImagingError:
            name = Path(model).stem.lower() if is_single_file(model) else Path(model).name

    def profile(wanted: str) -> Profile:
        # A model in a folder has a name that `profile_for` can't look up.
        if default is not None and wanted == default.name:
            return default
        if wanted in servers:
            return servers[wanted].profile()
        return described(wanted) if wanted in local else profile_for(wanted)

    @cache
    def described(wanted: str) -> Profile:
        return local[wanted].profile()  # reads its files

    return CommandHandler(client, profile, name)


async def _dispatch(context: Context, command: Command) -> Reply:
    if isinstance(command, commands.PictureCommand):
        return await _dispatch_picture_command(context, command)
    if isinstance(command, commands.AccountCommand):
        return await _dispatch_account_command(context, command)
    return await _dispatch_studio_command(context, command)


async def _dispatch_picture_command(  # noqa: PLR0911 - one case a command
    context: Context, command: commands.PictureCommand
) -> Reply:
    match command:
        case commands.Imagine():
            return await picture_commands.imagine(context, command)
        case commands.Ask():
            return await clarification.ask(context, command)
        case commands.Choose():
            return await clarification.choose(context, command)
        case commands.DrawAnyway():
            return await clarification.draw_anyway(context, command)
        case commands.Edit():
            return await picture_commands.edit(context, command)
        case commands.Vary():
            return await picture_commands.vary(context, command)
        case commands.Upscale():
            return await picture_commands.upscale(context, command)
        case commands.Blend():
            return await picture_commands.blend(context, command)
        case commands.Reroll():
            return await picture_commands.reroll(context, command)
        case _:
            assert_never(command)


async def _dispatch_account_command(  # noqa: PLR0911, PLR0912 - one case a command
    context: Context, command: commands.AccountCommand
) -> Reply:
    match command:
        case commands.Undo():
            return await account_commands.undo(context, command)
        case commands.Cancel():
            return await account_commands.cancel(context, command)
        case commands.Details():
            return await account_commands.details(context, command)
        case commands.Delete():
            return await account_commands.delete(context, command)
        case commands.Report():
            return await account_commands.report(context, command)
        case commands.Queue():
            return await account_commands.queue(context, command)
        case commands.Quota():
            return await account_commands.quota(context, command)
        case commands.History():
            return await account_commands.history(context, command)
        case commands.Settings():
            return await account_commands.settings(context, command)
        case commands.Privacy():
            return await account_commands.privacy(context, command)
        case commands.Waitlist():
            return await account_commands.waitlist(context, command)
        case commands.Help():
            return await account_commands.help_(context, command)
        case _:
            assert_never(command)


async def _dispatch_studio_command(  # noqa: PLR0911, PLR0912 - one case a command
    context: Context, command: commands.StudioCommand
) -> Reply:
    match command:
        case commands.StudioRole():
            return await admin_commands.role(context, command)
        case commands.StudioRoles():
            return await admin_commands.roles(context, command)
        case commands.StudioDoors():
            return await admin_commands.doors(context, command)
        case commands.StudioCapacity():
            return await admin_commands.capacity(context, command)
        case commands.StudioBlock():
            return await admin_commands.block(context, command)
        case commands.StudioWords():
            return await admin_commands.words(context, command)
        case commands.StudioSettings():
            return await admin_commands.settings(context, command)
        case commands.StudioAudit():
            return await admin_commands.audit(context, command)
        case commands.StudioGrant():
            return await admin_commands.grant(context, command)
        case commands.StudioReports():
            return await report_commands.reports(context, command)
        case commands.StudioDecideReport():
            return await report_commands.decide(context, command)
        case commands.StudioShowReported():
            return await report_commands.show(context, command)
        case _:
            assert_never(command)
