"""The table of what people type and send, with what Atelier makes of it and what is right.

`python -m tests.cases_table` writes `docs/operations/what-people-send.md`; a test compares the
file with what the code does now. Cases that need a platform, a browser or a server name their test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image

from bots.core import commands
from bots.core.command_parser import (
    parse,
    parse_about,
    parse_blend,
    parse_edit,
    parse_in_channel,
    parse_reroll,
    parse_with_files,
)
from bots.core.commands import BadCommand, Imagine, Upload
from bots.core.source_images import refused_files, sanitize_mask
from bots.core.typed_text import clean_text
from imaging.errors import ImagingError
from imaging.formats import decode, encode_png
from imaging.profiles import profile_for
from tests.odd_files import SIZE, odd_files, quarters

PAGE = Path(__file__).parents[1] / "docs" / "operations" / "what-people-send.md"
PICTURE = UUID(int=7)
FILE = Upload(b"a picture", "a.png")
FLAGS = "--ar 16:9 --no trees --model sdxl --count 2 --seed 7"
OPTIONS = "ar=16:9 no=trees model=sdxl count=2 seed=7"
_FIELDS = {
    "aspect": "ar",
    "negative": "no",
    "model": "model",
    "count": "count",
    "seed": "seed",
    "strength": "strength",
}
SHOWN_BY_TESTS: Mapping[str, Mapping[str, str]] = {
    "tests/unit/bots/discord/test_message_text.py": {
        "test_commands_in_help_are_clickable_where_their_ids_are_known": (
            "help names commands in each platform's own way"
        ),
        "test_mentions_links_and_emoji_become_names": (
            "mentions and custom emoji on Discord become names"
        ),
        "test_mention_of_the_bots_own_role_addresses_it": "a role mention of the bot counts",
    },
    "tests/unit/bots/core/test_clarification.py": {
        "test_two_buttons_are_offered_and_nothing_is_ordered": (
            "an instruction in a channel asks, with two buttons"
        ),
    },
    "tests/unit/bots/slack/test_mrkdwn.py": {
        "test_mentions_become_names": "mentions on Slack become names",
    },
    "tests/platforms/discord/test_mentions.py": {
        "test_link_is_refused_with_or_without_cached_preview": (
            "a link in a mention, with and without a cached preview"
        ),
        "test_mention_with_several_files_blends_all_of_them": "several files in a Discord mention",
        "test_file_that_is_no_picture_is_refused_by_name": "a PDF among pictures, on Discord",
        "test_one_of_several_pictures_must_be_chosen": (
            "a reply to, and a menu on, a message with several pictures, on Discord"
        ),
    },
    "tests/platforms/slack/test_socket.py": {
        "test_sent_picture_is_edited": "a PDF among pictures, and a fifth picture, on Slack",
        "test_message_shortcuts": "a shortcut on a message with several pictures, on Slack",
        "test_member_is_told_of_an_export_that_fails": (
            "an export whose file fails is told, on Slack"
        ),
    },
    "tests/browser/test_odd_files.py": {
        "test_file_is_read_as_chromium_shows_it": "every unusual file, compared with Chromium",
    },
    "tests/unit/bots/core/test_picture_commands.py": {
        "test_mask_that_would_change_nothing_is_refused_before_charging": (
            "a mask that marks nothing is refused before anything is charged"
        ),
    },
    "tests/unit/imaging/test_file_limits.py": {
        "test_large_photo_is_scaled_down_while_decoding": (
            "photos of 50 megapixels and panoramas are scaled down"
        ),
    },
    "tests/unit/imaging/test_formats_at_limits.py": {
        "test_picture_over_the_pixel_limit_is_scaled_down": (
            "PNG, WebP and AVIF pictures over 16 megapixels are scaled down"
        ),
    },
    "tests/unit/imaging/test_heif.py": {
        "test_large_heic_is_scaled_down": "a large HEIC photo is scaled down",
    },
    "tests/unit/tasks/runtime/test_embedded_servers.py": {
        "test_lock_that_names_another_programs_process_is_stale": (
            "a stale lock of Postgres names a living foreign process"
        ),
    },
    "tests/unit/bots/operator/test_doctor_checks.py": {
        "test_unknown_variables_are_named_with_the_nearest_known_one": (
            "a misspelt setting is named with the nearest one"
        ),
    },
    "tests/platforms/slack/test_slow_slack.py": {
        "test_orders_are_stored_before_their_acknowledgement_while_slack_hangs": (
            "orders are stored before Slack's acknowledgement while Slack hangs"
        ),
    },
    "tests/platforms/discord/test_faults.py": {
        "test_export_whose_file_is_rejected_is_reported": (
            "an export whose file fails is told, on Discord"
        ),
        "test_rejected_commands_are_sent_once": (
            "commands that Discord rejects for good are sent once"
        ),
    },
    "tests/platforms/slack/test_dedupe.py": {
        "test_channel_archived_during_rendering_notifies_the_member": (
            "an archived channel is named as such"
        ),
    },
}
"""Examples that need a platform, a browser or a server, by the test that shows each."""
HEAD = """# What people type and send

Each example of the reports that Atelier was tried against, with what it makes of it and what is
right. Made by `python -m tests.cases_table`; a test compares the page with the code. `?` asks
whether the recent picture is meant, `!` is a refusal, which is never charged.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One example: what was sent, what Atelier makes of it, and what is right."""

    item: str
    sent: str
    got: str
    right: str


def described(command: object) -> str:
    """A command in short: its name, its words and its options."""
    if isinstance(command, BadCommand):
        meant = command.details.get("meant")
        return f"!{command.code}" + (f" (did you mean {meant}?)" if meant else "")
    if isinstance(command, commands.Ask):
        return "?"
    words = getattr(command, "prompt", None) or getattr(command, "instruction", None) or ""
    given = {name: getattr(command, name, None) for name in _FIELDS}
    options = " ".join(
        f"{_FIELDS[name]}={value}" for name, value in given.items() if value not in (None, "")
    )
    name = "" if isinstance(command, Imagine) else f"{type(command).__name__.lower()} "
    return f"{name}{words}{' | ' + options if options else ''}".strip()


def cases() -> Iterator[Case]:
    """Every case, in the order of the items."""
    for make in (
        _words,
        _instructions,
        _flags,
        _near_flags,
        _aspects,
        _texts,
        _masks,
        _odd,
        _files,
    ):
        yield from make()


def page() -> str:
    """The page's text."""
    listed = list(cases())
    right = sum(case.got == case.right for case in listed)
    lines = [HEAD, f"{right} of {len(listed)} are right.", ""]
    item = ""
    for case in listed:
        if case.item != item:
            item = case.item
            lines += [
                "",
                f"## {item}",
                "",
                "| sent | Atelier | right | |",
                "| --- | --- | --- | --- |",
            ]
        mark = "✓" if case.got == case.right else "✗"
        row = " | ".join(map(_cell, (case.sent, case.got, case.right)))
        lines.append(f"| {row} | {mark} |")
    lines += ["", "## Shown by a test of their own", "", "| example | test |", "| --- | --- |"]
    lines += [
        f"| {example} | `{path}::{name}` |"
        for path, names in SHOWN_BY_TESTS.items()
        for name, example in names.items()
    ]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _cell(text: str) -> str:
    shown = text.replace("|", "\\|").replace("\n", "⏎") or " "
    return f"`{shown}`"


def _words() -> Iterator[Case]:
    right = {
        "help": "help", "queue": "queue", "quota": "quota", "history": "history",
        "cancel": "cancel", "undo": "undo", "settings": "settings", "aide": "help",
        "annule": "cancel", "Aide !": "help", "how many credits left?": "quota",
        "c'est quoi les commandes ?": "help", "/imagine prompt: x": "x",
        "help me draw a logo with a whale": "help me draw a logo with a whale",
        "a long queue outside the apple store": "a long queue outside the apple store",
    }  # fmt: skip
    for text, meant in right.items():
        yield Case("1. A word alone is a command", text, described(parse(text)), meant)


def _instructions() -> Iterator[Case]:
    right = {
        "make the house blue": "?", "mets la maison en bleu": "?", "make it darker": "?",
        "et si on ajoute des étoiles ?": "?", "the same dog but on mars": "?",
        "make a blue house": "make a blue house", "fais une maison bleue": "fais une maison bleue",
    }  # fmt: skip
    for text, meant in right.items():
        got = described(parse_in_channel(text))
        yield Case("2. A change, or a new picture", text, got, meant)


def _flags() -> Iterator[Case]:
    item, text = "3. Flags in every way in", f"make it blue {FLAGS}"
    ways: list[tuple[str, Callable[[], object], str]] = [
        ("a prompt", lambda: parse(text), f"make it blue | {OPTIONS}"),
        ("a reply or thread", lambda: parse_about(text, PICTURE), f"edit make it blue | {OPTIONS}"),
        ("/edit, edit forms", lambda: parse_edit(text, FILE), f"edit make it blue | {OPTIONS}"),
        ("with a file", lambda: parse_with_files(text, (FILE,)), f"edit make it blue | {OPTIONS}"),
        ("a blend", lambda: parse_blend(text, (FILE, FILE)), f"blend make it blue | {OPTIONS}"),
        ("Again", lambda: parse_reroll(text, PICTURE), f"reroll make it blue | {OPTIONS}"),
        ("a loose reference", lambda: parse_about("a house --strength 0,5", PICTURE),
         "a house | strength=0.5"),
    ]  # fmt: skip
    for way, call, meant in ways:
        yield Case(item, way, described(call()), meant)


def _near_flags() -> Iterator[Case]:
    wide = "house | ar=16:9"
    right = {
        "house --ar16:9": wide, "house --ar: 16:9": wide, "house --seed:7": "house | seed=7",
        "house--ar 16:9": wide, "house ——ar 16:9": wide, "house — ar 16:9": wide,
        "house -ar 16:9": wide, "house −−ar 16:9": wide, "house －－ar 16:9": wide,
        "house -\u200b-ar 16:9": wide, "house --ar 16x9": wide, "house --ar 16/9": wide,
        "house --ar 16：9": wide, "house --ar 16:9.": wide, "house --ar ١٦:٩": wide,
        "house --ar 16;9": wide, "house --ar 4:3": "house | ar=4:3",
        "house --strength 0,5": "house | strength=0.5", "house --count two": "house | count=2",
        "a knight —tall and brave— in armour": "a knight —tall and brave— in armour",
        "a robot –no face– in the rain": "a robot –no face– in the rain",
        "--no trees a red house": "a red house | no=trees",
        "house --sed 7": "!near-flag (did you mean --seed?)", "house --stylize 5": "!unknown-flag",
        "house —ar potato": "!bad-aspect", "house --ar": "!flag-needs-value",
    }  # fmt: skip
    for text, meant in right.items():
        yield Case("4. Near-flags", text, described(parse(text)), meant)


def _aspects() -> Iterator[Case]:
    profile = profile_for("postcard")
    for aspect, meant in {"1:1": "128 × 128", "16:9": "224 × 128", "21:9": "192 × 80",
                          "1:4": "64 × 256", "4:1": "256 × 64"}.items():  # fmt: skip
        width, height = profile.size(aspect)
        yield Case("5. Any aspect (Postcard's pixels)", aspect, f"{width} × {height}", meant)


def _texts() -> Iterator[Case]:
    kept = [
        "👨‍👩‍👧‍👦 family",
        "🇫🇷 flag",
        "می‌خواهم",
        "Donau\u00addampf",
        "cafe\u0301",
        "\U0001fae9 new emoji",
    ]
    changed = {"a\u200bcat": "acat", "red\x00 ho\x07use": "red house", "red\nhouse": "red house"}
    for text, meant in ({text: text for text in kept} | changed).items():
        yield Case("6. Text is kept whole", ascii_view(text), ascii_view(clean_text(text)),
                   ascii_view(meant))  # fmt: skip


def ascii_view(text: str) -> str:
    """The text with invisible characters written out."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in text
    )


def _masks() -> Iterator[Case]:
    size = (192, 128)
    picture = quarters().rotate(180).resize(size, Image.Resampling.NEAREST)
    black, white = (Image.new("RGB", size, colour) for colour in ("black", "white"))
    box = (40, 30, 100, 80)
    hole = picture.convert("RGBA")
    hole.paste((0, 0, 0, 0), box)
    line, square = black.copy(), Image.new("RGB", (128, 128), "black")
    line.paste("white", (10, 20, 180, 21))
    square.paste("white", (0, 0, 128, 26))
    marked = "marks 40–100 × 30–80"
    files = {
        "white on black": (_painted(black, "white", box), marked),
        "the picture with a hole": (hole, marked),
        "the picture with red paint": (_painted(picture, (235, 20, 30), box), marked),
        "red on white": (_painted(white, (235, 20, 30), box), marked),
        "a line of one pixel": (line, "marks 10–180 × 20–21"),
        "a square mask, its top white": (square, "marks 0–192 × 0–26"),
        "black": (black, "!mask-empty"),
        "the picture itself": (picture, "!mask-empty"),
        "grey": (Image.new("L", size, 128), "!mask-unclear"),
    }
    for name, (mask, meant) in files.items():
        yield Case("8. Masks (of a picture of 192 × 128)", name, _marks(picture, mask), meant)


def _painted(ground: Image.Image, colour: Any, box: tuple[int, int, int, int]) -> Image.Image:
    painted = ground.copy()
    painted.paste(colour, box)
    return painted


def _marks(picture: Image.Image, mask: Image.Image) -> str:
    try:
        read = sanitize_mask(encode_png(picture), picture.size, encode_png(mask))
    except ImagingError as error:
        return f"!{error.code}"
    with Image.open(BytesIO(read.data)) as marked:
        left, top, right, bottom = marked.getbbox() or (0, 0, 0, 0)
    return f"marks {left}–{right} × {top}–{bottom}"


def _odd() -> Iterator[Case]:
    upright = f"{SIZE[0]} × {SIZE[1]}"
    turned = {
        "exif-turned.jpg",
        "exif-turned.png",
        "exif-turned.avif",
        "exif-turned-broken.avif",
        "exif-mirrored.jpg",
    }
    for name, data in sorted(odd_files().items()):
        try:
            picture = decode(data)
            got = f"{picture.width} × {picture.height}"
        except ImagingError as error:
            got = f"!{error.code}"
        meant = f"{SIZE[1]} × {SIZE[0]}" if name in turned else upright
        yield Case("9. Metadata never decides readability", name, got, meant)


def _files() -> Iterator[Case]:
    picture, document = ("a.png", "image/png"), ("report.pdf", "application/pdf")
    sent = {
        "one picture": ([picture], "used"),
        "four pictures": ([picture] * 4, "used"),
        "a HEIC photo without a type": ([("a.heic", "")], "used"),
        "four pictures and a PDF": ([*[picture] * 4, document], "!not-a-picture report.pdf"),
        "five pictures": ([picture] * 5, "!too-many-files"),
    }
    for name, (files, meant) in sent.items():
        refused = refused_files(files)
        named = f" {refused.details['name']}" if refused and refused.details.get("name") else ""
        got = f"!{refused.code}{named}" if refused else "used"
        yield Case("10. Files sent together", name, got, meant)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
