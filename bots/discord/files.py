"""Files that members send, fetched from Discord's own hosts and from nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
from yarl import URL

from bots.core.intake import unreadable
from imaging.formats import LIMITS

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
PIECE = 64 * 1024


class FileRefused(Exception):
    """A file that is not fetched; `reason` has the sentence for the member."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.reason = unreadable(code)


@dataclass(frozen=True, slots=True)
class Files:
    """Fetches from these origins. The session carries no token and no cookie of ours."""

    session: aiohttp.ClientSession
    origins: frozenset[str]

    async def fetch(self, address: str) -> bytes:
        """The file's bytes. Raises FileRefused; redirects are not followed, they are refused."""
        url = URL(address)
        if not self._allowed(url):
            raise FileRefused("file-not-allowed")
        try:
            async with self.session.get(url, allow_redirects=False, timeout=TIMEOUT) as answer:
                if 300 <= answer.status < 400:
                    raise FileRefused("file-not-allowed")
                if answer.status != 200:
                    raise FileRefused("file-gone")
                return await _read(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FileRefused("file-gone") from error

    def _allowed(self, url: URL) -> bool:
        plain = url.scheme in ("http", "https") and url.user is None and url.host is not None
        return plain and str(url.origin()) in self.origins


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, given up as soon as it is too large, whatever its headers say."""
    data = bytearray()
    async for piece in answer.content.iter_chunked(PIECE):
        data += piece
        if len(data) > LIMITS.bytes:
            raise FileRefused("picture-too-large")
    return bytes(data)
