"""Files on Slack: pictures go up in three steps; members' are read from Slack's hosts alone.

A file that is uploaded but in no message is seen by nobody, so an upload can be given up at any
step and begun anew; only the message that shows it must not be repeated.
https://docs.slack.dev/messaging/working-with-files
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp

from bots.slack.mrkdwn import clip
from bots.slack.web import FILE_GONE, Limited, Lost, Refused, Web

T = TypeVar("T")

SLACK_API = "https://slack.com/api/"
FILE_HOSTS = frozenset({"files.slack.com", "files.slack-gov.com"})
ALT_LIMIT = 1000
READ_CHUNK = 64 * 1024
READ_TIMEOUT = 30.0
SEND_TIMEOUT = aiohttp.ClientTimeout(total=120.0)
BLOCKS_PAUSES = (1.0, 2.0, 3.0)  # seconds
BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format"})
READY_PAUSES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # seconds between looks at a new file


class FileUnreadable(Exception):
    """A member's file cannot be had; `code` names the sentence that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be put on Slack."""

    name: str
    title: str
    alt: str
    data: bytes


async def _nobody(_file: str) -> None:
    """Nobody wants to know."""


async def upload(
    web: Web, file: Upload, started: Callable[[str], Awaitable[None]] = _nobody
) -> str:
    """Put a file on Slack, shown nowhere yet; its id. Raises Limited, Lost or Refused.

    `started` is told the id before anything is sent, so that it can be remembered.
    """
    place = await web.call(
        "files.getUploadURLExternal",
        filename=file.name,
        length=len(file.data),
        alt_txt=clip(file.alt, ALT_LIMIT),
    )
    await started(str(place["file_id"]))
    await _send(web, str(place["upload_url"]), file.data)
    listed = [{"id": place["file_id"], "title": clip(file.title, 250)}]
    await web.call("files.completeUploadExternal", files=listed)
    return str(place["file_id"])


async def upload_into(web: Web, file: Upload, channel: str, words: str) -> None:
    """Put a file on Slack and share it in a channel with a few words."""
    place = await web.call("files.getUploadURLExternal", filename=file.name, length=len(file.data))
    await _send(web, str(place["upload_url"]), file.data)
    listed = [{"id": place["file_id"], "title": clip(file.title, 250)}]
    await web.call(
        "files.completeUploadExternal", files=listed, channel_id=channel, initial_comment=words
    )


async def usable(web: Web, file: str) -> bool:
    """Whether an upload was finished and still stands. Raises Limited or Lost."""
    try:
        await web.call("files.info", file=file)
    except Refused:
        return False
    else:
        return True


async def wait_ready(web: Web, file: str) -> bool:
    """Wait until Slack has processed a picture: before that, blocks that show it are refused.

    Whether it has; False after some ten seconds. Raises what the look itself raises.
    """
    for pause in (0.0, *READY_PAUSES):
        await asyncio.sleep(pause)
        try:
            seen = (await web.call("files.info", file=file))["file"]
        except Refused as refused:
            if refused.code not in FILE_GONE:
                raise
            continue  # it was finished a moment ago: not every part of Slack knows of it yet
        if seen.get("mimetype", True):  # it is empty until then
            return True
    return False


async def taken(show: Callable[[], Awaitable[T]]) -> T:
    """Do what shows new pictures in blocks: again for some seconds where Slack refuses those.

    Raises what the last try raises. A refusal changed nothing, so nothing is shown twice.
    """
    for pause in BLOCKS_PAUSES:
        try:
            return await show()
        except Refused as refused:
            if refused.code not in BLOCKS_REFUSED:
                raise
        await asyncio.sleep(pause)
    return await show()


async def read(web: Web, file: Mapping[str, Any], api_url: str, most: int) -> bytes:
    """A member's file, at most `most` bytes. Raises FileUnreadable.

    Only Slack's own file hosts are asked (or the origin of another `api_url`), never a redirect.
    """
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if not url:
        url = await _look_up(web, file)
    if not allowed(url, api_url):
        raise FileUnreadable("file-not-allowed")
    try:
        return await asyncio.wait_for(_fetch(web, url, most), READ_TIMEOUT)
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise FileUnreadable("file-gone") from None


def allowed(url: str, api_url: str) -> bool:
    """Whether the bot token may be shown to this address."""
    try:
        wanted, api = urlsplit(url), urlsplit(api_url)
    except ValueError:
        return False
    if api_url != SLACK_API:
        return (wanted.scheme, wanted.netloc) == (api.scheme, api.netloc)
    return wanted.scheme == "https" and wanted.netloc in FILE_HOSTS


async def _look_up(web: Web, file: Mapping[str, Any]) -> str:
    """Files from connected workspaces come without an address until they are asked for."""
    try:
        seen = (await web.call("files.info", file=str(file.get("id", ""))))["file"]
    except (Refused, Lost, Limited):
        raise FileUnreadable("file-gone") from None
    return str(seen.get("url_private_download") or seen.get("url_private") or "")


async def _send(web: Web, url: str, data: bytes) -> None:
    try:
        async with _session(web).post(url, data=data, timeout=SEND_TIMEOUT) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Lost("upload", type(error).__name__) from None
    if status == 429:
        raise Limited("upload", 5.0)
    if status != 200:
        raise Lost("upload", f"http-{status}")


async def _fetch(web: Web, url: str, most: int) -> bytes:
    headers = {"Authorization": f"Bearer {web.token}"}
    async with _session(web).get(url, headers=headers, allow_redirects=False) as answer:
        # Without the right to a file, Slack sends its sign-in page.
        if answer.status != 200 or answer.content_type == "text/html":
            raise FileUnreadable("file-gone")
        data = bytearray()
        async for chunk in answer.content.iter_chunked(READ_CHUNK):
            data += chunk
            if len(data) > most:
                raise FileUnreadable("picture-too-large")
        return bytes(data)


def _session(web: Web) -> aiohttp.ClientSession:
    if web.session is None:
        raise RuntimeError("a Web that moves files needs a session")
    return web.session
