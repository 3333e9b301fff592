"""Texts as hostile members write them, from a seeded generator."""

from __future__ import annotations

import sys
from random import Random

WORDS = (
    "a", "red", "house", "make it", "blue", "une maison", "plus sombre", "a cat, a dog", "imagine",
    "help", "quota", "undo", "again", "vary", "upscale", "cancel", "studio", "waitlist", "settings",
    "privacy export", "4:5", "16:9", "7", "0.5", "0,5", "1e9", "-1", "９", "postcard", "star",
)  # fmt: skip
FLAGS = (
    "--ar", "--aspect", "--count", "--seed", "--no", "--model", "--strength", "—ar", "–no", "--sed",
    "-no", "--", "—", "-", "--ar 16:9", "--count 2", "--no trees, cars", "--seed 7",
    "--strength .5",
    "--ar=1:1", "--no=", "--model=postcard", "--n", "--stylize 5", "−−count 3",
)  # fmt: skip
SIGNS = (
    "\u200b", "\u2060", "\ufeff", "\u202e", "\u00ad", "\0", "\x1b[31m", "\ud800", "\udfff",
    "\u0301",
    "👨\u200d👩\u200d👧", "é", "ﬁ", "İ", "ß", "ー", "한", "\U000e0001", "\n", "\r\n", "\t",
    "\u2028", "  ",
    "/", "／", "=", ":", ",", ".", "(", ")", "|", "*", "_", "~", "`", "```", "||", ">", "#",
    "[x](y)",
    "prompt:", "/imagine", "/atelier", "/studio", "\\", "\"", "'", "«", "…", "$", "%s", "{0}",
    "&amp;",
)  # fmt: skip
MARKUP = (
    "<@1>", "<@!40>", "<@&7>", "<#5>", "<:party:123>", "<a:b:4>", "<@U0BOT>", "<@U1|ann>",
    "<!here>",
    "<!channel>", "<!subteam^S1|x>", "<https://x.test|y>", "<mailto:a@b|c>", "<", ">", "<@",
    "|", "&lt;",
    "@everyone", "https://cdn.discordapp.com/a.png", "http://[", "<t:1:R>", "<!date^1^{date}|x>",
)  # fmt: skip
MAX_LENGTH = 4000


def text(random: Random, extra: tuple[str, ...] = ()) -> str:
    """A text: a few pieces as a rule, sometimes one piece many times over."""
    pools = (WORDS, FLAGS, SIGNS, MARKUP, *((extra,) if extra else ()))
    shape = random.random()
    if shape < 0.05:
        return _repeated(random, pools)
    if shape < 0.1:
        return "".join(map(_character, (random for _ in range(random.randrange(60)))))
    glue = random.choice((" ", " ", "", "  ", "\n"))
    pieces = [random.choice(random.choice(pools)) for _ in range(random.randrange(14))]
    return glue.join(pieces)


def _repeated(random: Random, pools: tuple[tuple[str, ...], ...]) -> str:
    """What makes backtracking matchers slow: a short unit many times, then something else."""
    unit = "".join(random.choice(random.choice(pools)) for _ in range(random.randrange(1, 4)))
    times = random.choice((10, 100, 1000, MAX_LENGTH))
    return f"{(unit * times)[:MAX_LENGTH]}{random.choice(random.choice(pools))}"


def _character(random: Random) -> str:
    if random.random() < 0.5:
        return chr(random.randrange(0x250))
    return chr(random.randrange(sys.maxunicode + 1))


def value(random: Random) -> object:
    """A JSON value of any kind."""
    return random.choice(
        (
            None, True, False, 0, -1, 2**63, 1.5, "", text(random), [], {}, [text(random)],
            {"value": text(random)}, [{}], [None],
        )
    )  # fmt: skip
