"""Renews the digests of the images that the Dockerfiles and the compose file name.

    python docker/renew_digests.py           # ask each image's registry, and write what changed
    python docker/renew_digests.py --check   # 1 where a digest is missing; asks nobody

A digest is what a registry answers for the tag at the moment: read the difference before you
commit.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

FOLDER = Path(__file__).parent
FILES = ("bot.Dockerfile", "worker.Dockerfile", "compose.yml")
OWN = "atelier-"  # images that are built here
IMAGE = re.compile(
    r"^(?P<before>\s*image: |FROM )(?P<name>[^\s@]+)(?:@(?P<digest>sha256:\w+))?", re.M
)
HUB = "registry-1.docker.io"
KINDS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)
SECONDS = 30


class RegistryError(Exception):
    """A registry did not name a digest."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a file names it."""

    registry: str
    repository: str
    tag: str

    @classmethod
    def of(cls, name: str) -> Image:
        """The image of a name such as "postgres:18"."""
        path, _, tag = name.rpartition(":")
        host, slash, rest = path.partition("/")
        if slash and ("." in host or ":" in host):
            return cls(host, rest, tag)
        return cls(HUB, path if slash else f"library/{path}", tag)


def named_images(text: str) -> list[tuple[str, str | None]]:
    """(name, digest) of every image in a file that is not built here."""
    return [
        (match["name"], match["digest"])
        for match in IMAGE.finditer(text)
        if not match["name"].startswith(OWN)
    ]


def with_digest(text: str, name: str, digest: str) -> str:
    """The text with an image's digest replaced or added."""

    def renewed(match: re.Match[str]) -> str:
        return f"{match['before']}{name}@{digest}" if match["name"] == name else match[0]

    return IMAGE.sub(renewed, text)


def current_digest(image: Image, scheme: str = "https") -> str:
    """The digest of a tag's image index now. Raises RegistryError."""
    url = f"{scheme}://{image.registry}/v2/{image.repository}/manifests/{image.tag}"
    request = urllib.request.Request(url, headers={"Accept": KINDS}, method="HEAD")  # noqa: S310
    try:
        try:
            answer = urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            token = _token(error.headers.get("WWW-Authenticate", ""))
            request.add_header("Authorization", f"Bearer {token}")
            answer = urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310
    except (OSError, ValueError, KeyError) as error:
        raise RegistryError(f"{url}: {error}") from error
    digest = str(answer.headers.get("Docker-Content-Digest", ""))
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise RegistryError(f"{url} names no digest")
    return digest


def _token(challenge: str) -> str:
    """A token for whoever asks, from where the registry says."""
    values = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urlencode({"service": values["service"], "scope": values["scope"]})
    with urllib.request.urlopen(f"{values['realm']}?{query}", timeout=SECONDS) as answer:  # noqa: S310
        return str(json.load(answer)["token"])


def main() -> int:
    """Renew or check every file."""
    check, missing = "--check" in sys.argv[1:], 0
    for file in (FOLDER / name for name in FILES):
        text = renewed = file.read_text(encoding="utf-8")
        for name, digest in named_images(text):
            if check:
                if digest is None:
                    print(f"{file.name}: {name} has no digest", file=sys.stderr)
                    missing += 1
                continue
            renewed = with_digest(renewed, name, current_digest(Image.of(name)))
        if renewed != text:
            file.write_text(renewed, encoding="utf-8")
            print(f"{file.name}: renewed")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
