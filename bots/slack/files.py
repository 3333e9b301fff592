"""Uploads of pictures in three steps, and downloads of members' files from Slack's hosts only.

An uploaded file that no message shows is invisible, so an upload can be abandoned at any step and
started again. Only the message that shows it must not be repeated.
https://docs.slack.dev/messaging/working-with-files
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp

from bots.slack.mrkdwn import truncate
from bots.slack.transport import FILE_GONE, OutcomeUnknown, RateLimited, Rejected, Web

T = TypeVar("T")

SLACK_API = "https://slack.com/api/"
FILE_HOSTS = frozenset({"files.slack.com", "files.slack-gov.com"})
ALT_LIMIT = 1000
READ_CHUNK = 64 * 1024
READ_TIMEOUT = 30.0
SEND_TIMEOUT = aiohttp.ClientTimeout(total=120.0)
BLOCKS_PAUSES = (1.0, 2.0, 3.0)  # seconds
BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format"})
READY_PAUSES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # seconds between polls of a new file


class FileUnreadable(Exception):
    """A member's file cannot be downloaded; `code` names the sentence with the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to upload to Slack."""

    name: str
    title: str
    alt: str
    data: bytes


async def _ignore(_file: str) -> None:
    """Do nothing when an upload starts."""


async def upload(
    web: Web, file: Upload, started: Callable[[str], Awaitable[None]] = _ignore
) -> str:
    """Upload a file that no message shows yet; its id. Raises SlackError.

    `started` receives the id before any bytes are sent, so that the caller can store it.
    """
    slot = await web.call(
        "files.getUploadURLExternal",
        filename=file.name,
        length=len(file.data),
        alt_txt=truncate(file.alt, ALT_LIMIT),
    )
    await started(str(slot["file_id"]))
    await _send_bytes(web, str(slot["upload_url"]), file.data)
    entries = [{"id": slot["file_id"], "title": truncate(file.title, 250)}]
    await web.call("files.completeUploadExternal", files=entries)
    return str(slot["file_id"])


async def upload_into(web: Web, file: Upload, channel: str, comment: str) -> None:
    """Upload a file and share it in a channel with a comment. Raises SlackError."""
    slot = await web.call("files.getUploadURLExternal", filename=file.name, length=len(file.data))
    await _send_bytes(web, str(slot["upload_url"]), file.data)
    entries = [{"id": slot["file_id"], "title": truncate(file.title, 250)}]
    await web.call(
        "files.completeUploadExternal", files=entries, channel_id=channel, initial_comment=comment
    )


async def exists(web: Web, file: str) -> bool:
    """Whether an upload was completed and not deleted. Raises RateLimited or OutcomeUnknown."""
    try:
        await web.call("files.info", file=file)
    except Rejected:
        return False
    else:
        return True


async def wait_until_processed(web: Web, file: str) -> bool:
    """Wait until Slack has processed a picture; image blocks are rejected before that.

    Returns False after about twelve seconds. Raises SlackError.
    """
    for pause in (0.0, *READY_PAUSES):
        await asyncio.sleep(pause)
        try:
            info = (await web.call("files.info", file=file))["file"]
        except Rejected as refused:
            if refused.code not in FILE_GONE:
                raise
            continue  # a new upload is not visible to all of Slack at once
        if info.get("mimetype", True):  # it is empty until then
            return True
    return False


async def retry_rejected_blocks(edit: Callable[[], Awaitable[T]]) -> T:
    """Post or edit image blocks, retrying for some seconds where Slack rejects the blocks.

    Raises what the last attempt raises. A rejected call changes nothing, so nothing is shown twice.
    """
    for pause in BLOCKS_PAUSES:
        try:
            return await edit()
        except Rejected as refused:
            if refused.code not in BLOCKS_REFUSED:
                raise
        await asyncio.sleep(pause)
    return await edit()


async def download(web: Web, file: Mapping[str, Any], api_url: str, max_bytes: int) -> bytes:
    """A member's file, at most `max_bytes` bytes. Raises FileUnreadable.

    Only Slack's file hosts, or the origin of another `api_url`, are requested; redirects are not
    followed.
    """
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if not url:
        url = await _file_url(web, file)
    if not is_slack_file_url(url, api_url):
        raise FileUnreadable("file-not-allowed")
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return await _download(web, url, max_bytes)
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise FileUnreadable("file-gone") from None


def is_slack_file_url(url: str, api_url: str) -> bool:
    """Whether the bot token may be sent to this URL."""
    try:
        target, api = urlsplit(url), urlsplit(api_url)
    except ValueError:
        return False
    if api_url != SLACK_API:
        return (target.scheme, target.netloc) == (api.scheme, api.netloc)
    return target.scheme == "https" and target.netloc in FILE_HOSTS


async def _file_url(web: Web, file: Mapping[str, Any]) -> str:
    """The URL of a file from a connected workspace, which events omit."""
    try:
        info = (await web.call("files.info", file=str(file.get("id", ""))))["file"]
    except (Rejected, OutcomeUnknown, RateLimited):
        raise FileUnreadable("file-gone") from None
    return str(info.get("url_private_download") or info.get("url_private") or "")


async def _send_bytes(web: Web, url: str, data: bytes) -> None:
    try:
        async with _session(web).post(url, data=data, timeout=SEND_TIMEOUT) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise OutcomeUnknown("upload", type(error).__name__) from None
    if status == 429:
        raise RateLimited("upload", 5.0)
    if status != 200:
        raise OutcomeUnknown("upload", f"http-{status}")


async def _download(web: Web, url: str, max_bytes: int) -> bytes:
    headers = {"Authorization": f"Bearer {web.token}"}
    async with _session(web).get(url, headers=headers, allow_redirects=False) as answer:
        # Slack sends its sign-in page where the token may not read the file.
        if answer.status != 200 or answer.content_type == "text/html":
            raise FileUnreadable("file-gone")
        data = bytearray()
        async for chunk in answer.content.iter_chunked(READ_CHUNK):
            data += chunk
            if len(data) > max_bytes:
                raise FileUnreadable("picture-too-large")
        return bytes(data)


def _session(web: Web) -> aiohttp.ClientSession:
    if web.session is None:
        raise RuntimeError("file transfers need a session")
    return web.session
