"""`atelier imagine`: makes a picture through the whole stack, starting what does not run."""

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

from bots.core import command_parser
from bots.core.command_handler import build_command_handler
from bots.core.commands import BadCommand, Imagine
from bots.core.locales import localizer_for
from bots.core.refusals import bad_command_reply
from bots.operator.errors import CommandError
from bots.operator.settings_errors import read_settings
from bots.operator.terminal_client import Order, member
from bots.operator.up import servers_with_worker
from tasks.client import Unavailable, connect
from tasks.jobs.tiers import Tier
from tasks.runtime import logs
from tasks.runtime.settings import Settings

FORMATS: Mapping[str, str] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
LONGEST_NAME = 250  # bytes; file systems allow 255, and each of several pictures gets a number


@dataclass(frozen=True, slots=True)
class ImagineOptions:
    """The command-line options; None where one was not given. Flags in the prompt work too."""

    prompt: str
    tier: str
    seed: str | None = None
    count: str | None = None
    aspect: str | None = None

    def command(self) -> Imagine | BadCommand:
        """The options as a member's command; an option overrides a flag in the prompt."""
        flags = {"seed": self.seed, "count": self.count, "ar": self.aspect}
        given = [f"--{name} {value}" for name, value in flags.items() if value is not None]
        return command_parser.imagine(" ".join([self.prompt, *given]))


def imagine(options: ImagineOptions, out: Path) -> None:
    """Make pictures and write them to `out`. Raises CommandError with the reason for a failure."""
    try:
        settings = read_settings()
        _imagine(settings, options, out)
    except CommandError as error:
        raise CommandError(str(error)) from None


def _imagine(settings: Settings, options: ImagineOptions, out: Path) -> None:
    logs.configure(settings.log_format, level=logging.WARNING)
    locale = _language(os.environ)
    command = options.command()
    if isinstance(command, BadCommand):
        raise CommandError(bad_command_reply(command, localizer_for(locale)).text)
    _check_out(out)
    if options.tier not in [tier.value for tier in Tier]:
        raise CommandError(f"--tier is wrong: expected one of {', '.join(Tier)}.")
    console = Console(stderr=True)
    try:
        pictures = asyncio.run(_render(settings, command, (Tier(options.tier), locale), console))
    except KeyboardInterrupt:
        raise CommandError(localizer_for(locale)("cancelled")) from None
    for path, data in zip(paths(out, len(pictures)), pictures, strict=True):
        try:
            path.write_bytes(encode_as(data, FORMATS[out.suffix.lower()]))
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        print(path)


def paths(out: Path, count: int) -> list[Path]:
    """The files of `count` pictures: `star.png`, or `star-1.png`, `star-2.png` … for several."""
    if count == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{number}") for number in range(1, count + 1)]


def encode_as(data: bytes, image_format: str) -> bytes:
    """The picture in this format; unchanged if it has it already."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        if picture.format == image_format:
            return data
        written = io.BytesIO()
        picture.convert("RGB").save(written, image_format, quality=95)
        return written.getvalue()


async def _render(
    settings: Settings, command: Imagine, who: tuple[Tier, str], console: Console
) -> Sequence[bytes]:
    """Connect to a stack, or start one, and run the order; a signal cancels it."""
    task = asyncio.current_task()
    if task:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with contextlib.AsyncExitStack() as stack:
        with console.status("starting …"):
            place = await stack.enter_async_context(servers_with_worker(settings))
        return await _run_order(place, command, who, console)


async def _run_order(
    settings: Settings, command: Imagine, who: tuple[Tier, str], console: Console
) -> Sequence[bytes]:
    tier, locale = who
    client = await connect(settings)
    try:
        command_handler = build_command_handler(client, settings.model)
        order = Order(client, command_handler, member(tier, locale), localizer_for(locale), console)
        return await order.run(command)
    except Unavailable as error:
        raise CommandError(f"The database cannot be reached: {error}") from error
    finally:
        await client.close()


def _check_out(out: Path) -> None:
    if out.suffix.lower() not in FORMATS:
        raise CommandError(f"--out is wrong: expected a file that ends in {', '.join(FORMATS)}.")
    if len(os.fsencode(out.name)) > LONGEST_NAME:
        raise CommandError("--out is wrong: the file's name is too long.")
    if not out.absolute().parent.is_dir():
        raise CommandError(f"--out is wrong: there is no folder {out.absolute().parent}.")
    if out.is_dir():
        raise CommandError(f"--out is wrong: {out} is a folder.")
    if not os.access(out if out.exists() else out.absolute().parent, os.W_OK):
        raise CommandError(f"--out is wrong: {out} cannot be written.")


def _language(environ: Mapping[str, str]) -> str:
    """The locale of the terminal, from LC_ALL, LC_MESSAGES or LANG."""
    return environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or "en"
