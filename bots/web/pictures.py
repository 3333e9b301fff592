"""Stored pictures over HTTP. Their ids cannot be guessed: who was told one may see the picture."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tasks.client import Client
from tasks.job import Picture

# A kind that a browser could run, such as SVG, is never served under our own address.
ENDINGS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg"}
CACHE = "private, max-age=600"  # not for ever: a deleted picture must go


@dataclass(frozen=True, slots=True)
class Pictures:
    """The route of finished pictures."""

    client: Client

    def routes(self) -> list[Route]:
        """Where pictures are found."""
        return [Route("/pictures/{picture:uuid}", self.show)]

    async def show(self, request: Request) -> Response:
        """One picture; with `?download` the browser saves it under a telling name."""
        id_: UUID = request.path_params["picture"]
        picture = await self.client.picture(id_)
        if picture is None or picture.deleted or picture.mime not in ENDINGS:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        headers = {"ETag": f'"{picture.id}"', "Cache-Control": CACHE}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        try:
            data = await self.client.read_blob(picture.blob)
        except FileNotFoundError:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        kind = "attachment" if "download" in request.query_params else "inline"
        headers["Content-Disposition"] = f'{kind}; filename="{file_name(picture)}"'
        return Response(data, media_type=picture.mime, headers=headers)


def file_name(picture: Picture) -> str:
    """The name that a saved picture has: its job's short name and its number."""
    return f"atelier-{picture.job.hex[-8:]}-{picture.index + 1}.{ENDINGS[picture.mime]}"
