"""Downloads the files that members send, from Discord's own hosts only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import aiohttp
from yarl import URL

from bots.core.commands import Upload
from bots.core.source_images import UnusableImage, unusable_file

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
CHUNK = 64 * 1024


class FileRefused(UnusableImage):
    """A file that is not downloaded; `reason` has the sentence for the member."""


@dataclass(frozen=True, slots=True)
class FileDownloader:
    """Downloads files of at most `upload_bytes` from these origins.

    The session carries no token and no cookie.
    """

    session: aiohttp.ClientSession
    origins: frozenset[str]
    upload_bytes: int

    def upload(self, address: str, name: str = "") -> Upload:
        """A file that is downloaded once its member's rights are checked."""
        return Upload(name=name, fetch=partial(self.fetch, address))

    async def fetch(self, address: str) -> bytes:
        """The file's bytes. Raises FileRefused, also for a redirect."""
        url = URL(address)
        if not self._is_allowed(url):
            raise self.refuse("file-not-allowed")
        try:
            async with self.session.get(url, allow_redirects=False, timeout=TIMEOUT) as response:
                if 300 <= response.status < 400:
                    raise self.refuse("file-not-allowed")
                if response.status != 200:
                    raise self.refuse("file-gone")
                return await self._read(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self.refuse("file-gone") from error

    def _is_allowed(self, url: URL) -> bool:
        is_plain = url.scheme in ("http", "https") and url.user is None and url.host is not None
        return is_plain and str(url.origin()) in self.origins

    def refuse(self, code: str) -> FileRefused:
        """The error of a file that is not downloaded."""
        return FileRefused(unusable_file(code, self.upload_bytes))

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body; raises FileRefused as soon as it is too large, whatever its headers say."""
        data = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            data += chunk
            if len(data) > self.upload_bytes:
                raise self.refuse("picture-too-large")
        return bytes(data)
