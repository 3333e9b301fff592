"""All commands in one tree, and their registration with Discord: only when they changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import anyio.to_thread
import discord
import structlog
from discord import app_commands

from bots.core.reasons import refusal
from bots.core.sentences import speak
from bots.discord import layout
from bots.discord.commands import account, messages, pictures, studio
from bots.discord.commands.wording import Translator
from bots.discord.posts import LOST, NOBODY
from bots.discord.presses import Presses
from bots.discord.reception import Reception
from bots.discord.roles import language
from bots.discord.sources import Sources
from tasks.job import Reason

EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
EVERY_INSTALL = app_commands.AppInstallationType(guild=True, user=True)
log = structlog.get_logger(platform="discord")


class Tree(app_commands.CommandTree[discord.Client]):
    """discord.py's tree, whose errors are told to the member as well."""

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Log what broke; the member gets a private apology where that is still possible."""
        log.error("a command failed", exc_info=error)
        if interaction.response.is_done():
            return
        say = speak(language(interaction.locale.value))
        text = layout.answer_text(refusal(Reason("unavailable"), say))
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)


async def build(client: discord.Client, reception: Reception, presses: Presses) -> Tree:
    """The tree with every command.

    Members may use all but `/studio` in servers, in direct messages, and anywhere at all where they
    installed the app for themselves.
    """
    tree = Tree(client)
    await tree.set_translator(Translator())
    sources = Sources(reception.studio.client, reception.files)
    pictures.add_to(tree, reception)
    account.add_to(tree, reception)
    messages.add_to(tree, reception, presses, sources)
    for command in (*tree.get_commands(), *_menus(tree)):
        command.allowed_contexts = EVERYWHERE
        command.allowed_installs = EVERY_INSTALL
    studio.add_to(tree, reception)
    return tree


async def register(tree: Tree, note: Path, where: str) -> bool:
    """Send the commands to Discord unless `note` says that these very ones were sent before and
    Discord still has them.

    `where` names the application and the server they are registered with. Whether they were sent.
    Raises what discord.py raises.
    """
    wanted = await fingerprint(tree, where)
    if await anyio.to_thread.run_sync(_noted, note) == wanted and await _stand(tree):
        return False
    await tree.sync()
    await anyio.to_thread.run_sync(_write, note, wanted)
    return True


async def fingerprint(tree: Tree, where: str) -> str:
    """A hash that changes whenever Discord would have to be told something new."""
    translator = tree.translator or Translator()
    told = [
        await command.get_translated_payload(tree, translator)
        for command in (*tree.get_commands(), *_menus(tree))
    ]
    text = json.dumps(
        [where, sorted(told, key=lambda one: json.dumps(one, sort_keys=True))], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


async def _stand(tree: Tree) -> bool:
    """Whether Discord has the commands by their names: somebody may have taken them away."""
    ours = {command.name for command in (*tree.get_commands(), *_menus(tree))}
    try:
        found = await tree.client.http.get_global_commands(tree.client.application_id or 0)
    except (discord.HTTPException, *LOST) as error:
        log.warning("commands were not looked at", why=str(error))
        return True  # they were sent
    return ours <= {command["name"] for command in found}


def _noted(note: Path) -> str:
    return note.read_text().strip() if note.exists() else ""


def _write(note: Path, text: str) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(text + "\n")


def _menus(tree: Tree) -> list[app_commands.ContextMenu]:
    return tree.get_commands(type=discord.AppCommandType.message)
