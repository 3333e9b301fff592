"""Escapes text for Discord's markdown: the client shows exactly the characters of the value."""

from __future__ import annotations

import re

_INLINE = re.compile(
    r"""
      [\\*_~`|\[\]()<>@]          # emphasis, code, spoilers, links, mentions, custom emoji
    | (?<!\d):(?=\S) | :(?!\d)(?=\S)  # URLs and emoji names; a ratio such as 16:9 stays readable
    | :(?=[^\s:]*:) | (?<=:):          # but in 1:100: there is an emoji
    | (?<=\.gg)/ | (?<=\.com)/         # invitations need no https:// before them
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LINE_START = re.compile(
    r"""
    ^(?P<indent>[^\S\n]*)
    (?P<marker> [#+-] | \d+(?=[.)]) )   # headings, subtext, lists
    (?P<point> [.)]? )
    """,
    re.VERBOSE | re.MULTILINE,
)


def escape(text: str) -> str:
    """Text that Discord shows as it is: no link, mention, emoji or formatting.

    Discord's client shows a backslash before punctuation as the punctuation alone. Messages also
    need empty `allowed_mentions`, because the server looks for mentions by itself.
    """
    return _LINE_START.sub(_escape_line_start, _INLINE.sub(r"\\\g<0>", text))


def _escape_line_start(match: re.Match[str]) -> str:
    marker, point = match["marker"], match["point"]
    if marker.isdigit():
        return f"{match['indent']}{marker}\\{point}"
    return f"{match['indent']}\\{marker}{point}"
