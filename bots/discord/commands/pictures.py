"""The commands that make pictures."""

from __future__ import annotations

import discord
from discord import app_commands

from bots.core import grammar
from bots.core.command import BadCommand, Blend, Command, Edit, Imagine, Upload, Upscale, Vary
from bots.discord.commands.offers import Aspect, Count, Factor, Offers, Prompt, Seed, Strength
from bots.discord.commands.wording import about, options
from bots.discord.reception import Reception

Interaction = discord.Interaction
Image = discord.Attachment


def add_to(tree: app_commands.CommandTree, reception: Reception) -> None:
    """Register the commands of this group."""
    offers = Offers(reception.studio.client)

    async def fetched(image: Image) -> Upload:
        return Upload(await reception.files.fetch(image.url), image.filename)

    async def maybe(image: Image | None) -> Upload | None:
        return await fetched(image) if image else None

    @tree.command(name="imagine", description=about("imagine"))
    @options(
        "prompt", "aspect", "count", "model", "seed", "negative", "reference", "strength", "private"
    )
    @app_commands.autocomplete(model=offers.models)
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
        async def command() -> Command | BadCommand:
            typed = grammar.imagine(prompt)
            if isinstance(typed, BadCommand):
                return typed
            return Imagine(
                typed.prompt,
                aspect=aspect or typed.aspect,
                count=count or typed.count,
                model=model or typed.model,
                seed=typed.seed if seed is None else seed,
                negative=negative or typed.negative,
                reference=await maybe(reference),
                strength=typed.strength if strength is None else strength,
                private=private,
            )

        await reception.answer(interaction, command())

    @tree.command(name="edit", description=about("edit"))
    @options("image", "instruction", "mask", "count", "seed")
    async def edit(
        interaction: Interaction,
        image: Image,
        instruction: Prompt,
        mask: Image | None = None,
        count: Count | None = None,
        seed: Seed | None = None,
    ) -> None:
        async def command() -> Command:
            return Edit(await fetched(image), instruction, await maybe(mask), count, seed)

        await reception.answer(interaction, command())

    @tree.command(name="vary", description=about("vary"))
    @options("image", "strength", "count")
    async def vary(
        interaction: Interaction,
        image: Image,
        strength: Strength | None = None,
        count: Count | None = None,
    ) -> None:
        async def command() -> Command:
            return Vary(await fetched(image), strength, count)

        await reception.answer(interaction, command())

    @tree.command(name="upscale", description=about("upscale"))
    @options("image", "factor")
    async def upscale(interaction: Interaction, image: Image, factor: Factor = 2) -> None:
        async def command() -> Command:
            return Upscale(await fetched(image), factor)

        await reception.answer(interaction, command())

    @tree.command(name="blend", description=about("blend"))
    @options("image1", "image2", "image3", "image4", "prompt")
    async def blend(
        interaction: Interaction,
        image1: Image,
        image2: Image,
        image3: Image | None = None,
        image4: Image | None = None,
        prompt: Prompt = "",
    ) -> None:
        async def command() -> Command:
            images = [image for image in (image1, image2, image3, image4) if image]
            return Blend(tuple([await fetched(image) for image in images]), prompt)

        await reception.answer(interaction, command())
