"""The commands that make pictures."""

from __future__ import annotations

from dataclasses import replace

import discord
from discord import app_commands

from bots.core import command_parser
from bots.core.commands import (
    Imagine,
    Upload,
    Upscale,
    Vary,
)
from bots.discord.commands.choices import (
    Aspect,
    Autocomplete,
    Count,
    Factor,
    Prompt,
    Seed,
    Strength,
)
from bots.discord.commands.localization import describe_options, description
from bots.discord.interaction_responder import InteractionResponder

Interaction = discord.Interaction
Image = discord.Attachment


def add_to(tree: app_commands.CommandTree, responder: InteractionResponder) -> None:
    """Register the commands of this group."""
    autocomplete = Autocomplete(responder.command_handler.client)

    def upload(image: Image) -> Upload:
        return responder.downloader.upload(image.url, image.filename)

    def optional_upload(image: Image | None) -> Upload | None:
        return upload(image) if image else None

    @tree.command(name="imagine", description=description("imagine"))
    @describe_options(
        "prompt", "aspect", "count", "model", "seed", "negative", "reference", "strength", "private"
    )
    @app_commands.autocomplete(model=autocomplete.models)
    async def imagine(  # noqa: PLR0913, PLR0917 - a slash command's options are its parameters
        interaction: Interaction,
        prompt: Prompt,
        aspect: Aspect | None = None,
        count: Count | None = None,
        model: str | None = None,
        seed: Seed | None = None,
        negative: str = "",
        reference: Image | None = None,
        strength: Strength | None = None,
        private: bool = False,
    ) -> None:
        typed = command_parser.parse_prompt_field(prompt)
        if not isinstance(typed, Imagine):
            await responder.answer(interaction, typed)
            return
        command = Imagine(
            typed.prompt,
            aspect=aspect or typed.aspect,
            count=count or typed.count,
            model=model or typed.model,
            seed=typed.seed if seed is None else seed,
            negative=negative or typed.negative,
            strength=typed.strength if strength is None else strength,
            private=private,
        )

        await responder.answer(interaction, replace(command, reference=optional_upload(reference)))

    @tree.command(name="edit", description=description("edit"))
    @describe_options("image", "instruction", "mask", "count", "seed")
    async def edit(
        interaction: Interaction,
        image: Image,
        instruction: Prompt,
        mask: Image | None = None,
        count: Count | None = None,
        seed: Seed | None = None,
    ) -> None:
        source, masked = upload(image), optional_upload(mask)
        command = command_parser.parse_edit(
            instruction, source, mask=masked, count=count, seed=seed
        )
        await responder.answer(interaction, command)

    @tree.command(name="vary", description=description("vary"))
    @describe_options("image", "strength", "count")
    async def vary(
        interaction: Interaction,
        image: Image,
        strength: Strength | None = None,
        count: Count | None = None,
    ) -> None:
        await responder.answer(interaction, Vary(upload(image), strength, count))

    @tree.command(name="upscale", description=description("upscale"))
    @describe_options("image", "factor")
    async def upscale(interaction: Interaction, image: Image, factor: Factor = 2) -> None:
        await responder.answer(interaction, Upscale(upload(image), factor))

    @tree.command(name="blend", description=description("blend"))
    @describe_options("image1", "image2", "image3", "image4", "prompt")
    async def blend(
        interaction: Interaction,
        image1: Image,
        image2: Image,
        image3: Image | None = None,
        image4: Image | None = None,
        prompt: Prompt = "",
    ) -> None:
        images = [image for image in (image1, image2, image3, image4) if image]
        uploads = tuple(upload(image) for image in images)
        await responder.answer(interaction, command_parser.parse_blend(prompt, uploads))
