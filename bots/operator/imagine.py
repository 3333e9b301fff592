"""`atelier imagine`: a picture through the whole stack, which is started where it does not run."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bots.core import grammar
from bots.core.command import BadCommand, Imagine
from bots.core.reasons import misread
from bots.core.sentences import speak
from bots.core.studio import Studio
from bots.operator.complaints import read_settings
from bots.operator.refusal import Refusal
from bots.operator.terminal import Order, member
from bots.operator.up import workplace
from imaging.profiles import profile_for
from tasks import logs
from tasks.client import Unavailable, connect
from tasks.settings import Settings
from tasks.tiers import Tier

FORMATS: Mapping[str, str] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
LONGEST_NAME = 250  # bytes; file systems take 255, and several pictures get a number each


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed. Options that were not given are None; flags inside the prompt work too."""

    prompt: str
    tier: str
    seed: str | None = None
    count: str | None = None
    aspect: str | None = None

    def command(self) -> Imagine | BadCommand:
        """The same as a member's command; an option wins over a flag in the prompt."""
        flags = {"seed": self.seed, "count": self.count, "ar": self.aspect}
        given = [f"--{name} {value}" for name, value in flags.items() if value is not None]
        return grammar.imagine(" ".join([self.prompt, *given]))


def imagine(wish: Wish, out: Path) -> None:
    """Make pictures and write them to `out`. Raises Refusal with the reason where none is made."""
    try:
        settings = read_settings()
        _imagine(settings, wish, out)
    except Refusal as refusal:
        raise Refusal(str(refusal)) from None  # whatever it was: a picture was made, or it was not


def _imagine(settings: Settings, wish: Wish, out: Path) -> None:
    logs.configure(settings.log_format, level=logging.WARNING)
    locale = _language(os.environ)
    command = wish.command()
    if isinstance(command, BadCommand):
        raise Refusal(misread(command, speak(locale)).text)
    _check_out(out)
    if wish.tier not in [tier.value for tier in Tier]:
        raise Refusal(f"--tier is wrong: expected one of {', '.join(Tier)}.")
    console = Console(stderr=True)
    try:
        pictures = asyncio.run(_make(settings, command, (Tier(wish.tier), locale), console))
    except KeyboardInterrupt:
        raise Refusal(speak(locale)("cancelled")) from None
    for path, data in zip(paths(out, len(pictures)), pictures, strict=True):
        try:
            path.write_bytes(encoded(data, FORMATS[out.suffix.lower()]))
        except OSError as error:
            raise Refusal(f"{path} cannot be written: {error.strerror}.") from None
        print(path)


def paths(out: Path, count: int) -> list[Path]:
    """Where `count` pictures go: `star.png`, or `star-1.png`, `star-2.png` … where several."""
    if count == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{number}") for number in range(1, count + 1)]


def encoded(data: bytes, form: str) -> bytes:
    """The picture's file as it is where it has this format already, else written anew in it."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        if picture.format == form:
            return data
        written = io.BytesIO()
        picture.convert("RGB").save(written, form, quality=95)
        return written.getvalue()


async def _make(
    settings: Settings, command: Imagine, who: tuple[Tier, str], console: Console
) -> Sequence[bytes]:
    """Find or start what it needs, and carry the order out; a signal cancels it."""
    task = asyncio.current_task()
    if task:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with contextlib.AsyncExitStack() as stack:
        with console.status("getting ready …"):
            place = await stack.enter_async_context(workplace(settings))
        return await _order(place, command, who, console)


async def _order(
    settings: Settings, command: Imagine, who: tuple[Tier, str], console: Console
) -> Sequence[bytes]:
    tier, locale = who
    client = await connect(settings)
    try:
        studio = Studio(client, profile_for, settings.model)
        order = Order(client, studio, member(tier, locale), speak(locale), console)
        return await order.carry_out(command)
    except Unavailable as error:
        raise Refusal(f"The studio cannot be reached: {error}") from error
    finally:
        await client.close()


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in FORMATS:
        raise Refusal(f"--out is wrong: expected a file that ends in {', '.join(FORMATS)}.")
    if len(os.fsencode(out.name)) > LONGEST_NAME:
        raise Refusal("--out is wrong: the file's name is too long.")
    if not out.absolute().parent.is_dir():
        raise Refusal(f"--out is wrong: there is no folder {out.absolute().parent}.")
    if out.is_dir():
        raise Refusal(f"--out is wrong: {out} is a folder.")
    if not os.access(out if out.exists() else out.absolute().parent, os.W_OK):
        raise Refusal(f"--out is wrong: {out} cannot be written.")


def _language(environ: Mapping[str, str]) -> str:
    """The language of the terminal, as the usual variables say."""
    return environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or "en"
