"""Stored pictures over HTTP. An id cannot be guessed: whoever has one may see the picture."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bots.web.roles import PLATFORM
from tasks.client import Client
from tasks.jobs.job import Picture

# Types that a browser could execute, such as SVG, are never served from the page's origin.
EXTENSIONS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg"}
CACHE_CONTROL = "private, max-age=600"  # short, so that a deleted picture disappears


@dataclass(frozen=True, slots=True)
class PictureRoutes:
    """The route of finished pictures."""

    client: Client

    def routes(self) -> list[Route]:
        """The pictures' route."""
        return [Route("/pictures/{picture:uuid}", self.get)]

    async def get(self, request: Request) -> Response:
        """One picture; with `?download` the browser saves it under a descriptive name."""
        id_: UUID = request.path_params["picture"]
        picture = await self.client.pictures.read(id_)
        if picture is None or picture.deleted or picture.mime not in EXTENSIONS:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        job = await self.client.jobs.read(picture.job)
        if job is None or job.order.place.platform != PLATFORM:  # another platform's picture
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        headers = {"ETag": f'"{picture.id}"', "Cache-Control": CACHE_CONTROL}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        try:
            data = await self.client.pictures.read_blob(picture.blob)
        except FileNotFoundError:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        kind = "attachment" if "download" in request.query_params else "inline"
        headers["Content-Disposition"] = f'{kind}; filename="{file_name(picture)}"'
        return Response(data, media_type=picture.mime, headers=headers)


def file_name(picture: Picture) -> str:
    """The name of a saved picture: its job's short id and its number."""
    return f"atelier-{picture.job.hex[-8:]}-{picture.index + 1}.{EXTENSIONS[picture.mime]}"
