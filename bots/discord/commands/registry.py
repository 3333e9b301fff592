"""All commands in one tree, and their registration with Discord when they have changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import anyio.to_thread
import discord
import structlog
from discord import app_commands

from bots.core.locales import localizer_for
from bots.core.refusals import refusal
from bots.discord import initial_response, message_view
from bots.discord.commands import account, admin, context_menus, pictures
from bots.discord.commands.localization import Translator
from bots.discord.components import ComponentHandler
from bots.discord.errors import CONNECTION_ERRORS, is_lasting
from bots.discord.interaction_responder import InteractionResponder
from bots.discord.roles import language
from bots.discord.source_images import SourceImages
from tasks.jobs.job import Reason

ANY_CONTEXT = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
ANY_INSTALL = app_commands.AppInstallationType(guild=True, user=True)
REGISTRATION_ATTEMPTS = 5
LONGEST_RETRY_DELAY = 60.0  # seconds
log = structlog.get_logger(platform="discord")


class Tree(app_commands.CommandTree[discord.Client]):
    """discord.py's tree, which also reports its errors to the member."""

    def __init__(self, client: discord.Client, command_ids: dict[str, str]) -> None:
        super().__init__(client)
        self.command_ids = command_ids
        """By name; filled in when the commands are registered."""

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Log the error; refuse the member privately if nothing was answered yet."""
        log.error("command-dispatch-failed", exc_info=error)
        if interaction.response.is_done():
            return
        localize = localizer_for(language(interaction.locale.value))
        text = message_view.answer_text(refusal(Reason("unavailable"), localize))
        await initial_response.send_text(interaction, text)


async def build(
    client: discord.Client, responder: InteractionResponder, components: ComponentHandler
) -> Tree:
    """The tree with every command.

    All but `/studio` work in servers, in direct messages, and wherever a member uses the app that
    they installed for themselves.
    """
    tree = Tree(client, responder.command_ids)
    await tree.set_translator(Translator())
    sources = SourceImages(responder.command_handler.client, responder.downloader)
    pictures.add_to(tree, responder)
    account.add_to(tree, responder)
    context_menus.add_to(tree, responder, components, sources)
    for command in (*tree.get_commands(), *_context_menus(tree)):
        command.allowed_contexts = ANY_CONTEXT
        command.allowed_installs = ANY_INSTALL
    admin.add_to(tree, responder)
    return tree


async def register_with_retries(tree: Tree, state_file: Path, target: str) -> None:
    """`register`, repeated a few times while Discord is unreachable.

    A failure is logged: the commands that were registered before remain in use.
    """
    for attempt in range(1, REGISTRATION_ATTEMPTS + 1):
        try:
            changed = await register(tree, state_file, target)
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            if isinstance(error, discord.HTTPException) and is_lasting(error):
                log.exception("commands-rejected")
                return
            log.warning("command-registration-failed", error=str(error), attempt=attempt)
            await asyncio.sleep(min(LONGEST_RETRY_DELAY, 2**attempt))
        else:
            log.info("commands-registered", changed=changed)
            return


async def register(tree: Tree, state_file: Path, target: str) -> bool:
    """Send the commands to Discord unless they are unchanged and still registered.

    `state_file` holds the hash of what was sent last; `target` names the API and the application.
    Returns whether they were sent. Raises what discord.py raises.
    """
    wanted = await fingerprint(tree, target)
    unchanged = await anyio.to_thread.run_sync(_read, state_file) == wanted
    if unchanged and await _are_registered(tree):
        return False
    tree.command_ids.update({command.name: str(command.id) for command in await tree.sync()})
    await anyio.to_thread.run_sync(_write, state_file, wanted)
    return True


async def fingerprint(tree: Tree, target: str) -> str:
    """A hash that changes whenever the commands must be sent again."""
    translator = tree.translator or Translator()
    payloads = [
        await command.get_translated_payload(tree, translator)
        for command in (*tree.get_commands(), *_context_menus(tree))
    ]
    payloads.sort(key=lambda payload: json.dumps(payload, sort_keys=True))
    return hashlib.sha256(json.dumps([target, payloads], sort_keys=True).encode()).hexdigest()


async def _are_registered(tree: Tree) -> bool:
    """Whether Discord has all commands by name: an administrator may have removed some."""
    ours = {command.name for command in (*tree.get_commands(), *_context_menus(tree))}
    try:
        found = await tree.client.http.get_global_commands(tree.client.application_id or 0)
    except (discord.HTTPException, *CONNECTION_ERRORS) as error:
        log.warning("commands-not-listed", error=str(error))
        return True  # they were sent before
    tree.command_ids.update({command["name"]: str(command["id"]) for command in found})
    return ours <= {command["name"] for command in found}


def _read(state_file: Path) -> str:
    return state_file.read_text().strip() if state_file.exists() else ""


def _write(state_file: Path, text: str) -> None:
    state_file.parent.mkdir(parents=True, exist_ok=True)
    state_file.write_text(text + "\n")


def _context_menus(tree: Tree) -> list[app_commands.ContextMenu]:
    return tree.get_commands(type=discord.AppCommandType.message)
