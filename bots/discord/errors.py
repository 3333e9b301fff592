"""Discord's error codes, and what each of them means for a message that the bot wants to write."""

from __future__ import annotations

import aiohttp
import discord

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
UNKNOWN_MEMBER, UNKNOWN_INTERACTION = 10007, 10062
TOO_LARGE_STATUS, TOO_LARGE = 413, 40005
ALREADY_ACKNOWLEDGED = 40060
MISSING_ACCESS, CANNOT_DM, MISSING_PERMISSIONS, DEAD_TOKEN = 50001, 50007, 50013, 50027
ARCHIVED_THREAD = 50083
REASONS = {
    UNKNOWN_CHANNEL: "channel-gone",
    UNKNOWN_MESSAGE: "message-gone",
    MISSING_ACCESS: "no-permission",
    CANNOT_DM: "no-permission",
    MISSING_PERMISSIONS: "no-permission",
    ARCHIVED_THREAD: "channel-archived",
}
CONNECTION_ERRORS = (aiohttp.ClientError, OSError, TimeoutError)


class PermanentFailure(Exception):
    """Discord will never accept the message; `code` is the reason's name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def classify(error: discord.HTTPException) -> Exception:
    """`PermanentFailure` where no retry can succeed, else the error itself."""
    code = REASONS.get(error.code)
    return PermanentFailure(code) if code else error


def is_too_large(error: discord.HTTPException) -> bool:
    """Whether the files of the request exceed Discord's size limit."""
    return error.status == TOO_LARGE_STATUS or error.code == TOO_LARGE


def is_lasting(error: discord.HTTPException) -> bool:
    """Whether the same request will always be refused: a client error other than a rate limit."""
    return 400 <= error.status < 500 and error.status != 429


def is_token_rejected(error: discord.HTTPException) -> bool:
    """Whether Discord rejected the interaction's token itself."""
    return error.code in (UNKNOWN_WEBHOOK, DEAD_TOKEN) or error.status == 401


def retry_after(error: discord.HTTPException, default: float = 1.0) -> float:
    """Seconds to wait before the next request; `default` where Discord names none.

    discord.py waits by itself, except where the response did not pass Discord's own proxy.
    """
    try:
        return float(error.response.headers.get("Retry-After", default))
    except ValueError:
        return default
