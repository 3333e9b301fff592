"""The doors on the administrators' page: their state, and overrides.

Administrators override the playground's doors. The doors of other servers, and of all of them,
belong to the operator, who has signed in with the playground's secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.core.locales import localizer_for
from bots.core.refusals import sentence
from bots.web.access_guard import Access, access_of, refusal_response
from bots.web.admin_dashboard import administrators_only
from bots.web.request_bodies import read_json_object
from bots.web.roles import PLATFORM, WORKSPACE, member_of
from bots.web.translate import BadRequest
from tasks.client import EVERYWHERE, AnyDoors, Client, read_server, read_subject, states_of
from tasks.jobs.job import Reason
from tasks.jobs.members import Member
from tasks.jobs.tiers import DoorState

PLAYGROUND = (PLATFORM, WORKSPACE)
USUAL = "usual"  # removes an override


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """The routes of the doors."""

    client: Client

    def routes(self) -> list[Route]:
        """Reading the doors, and setting one."""
        return [
            Route("/api/studio/doors", self.get, methods=["GET"]),
            Route("/api/studio/doors", self.set, methods=["POST"]),
        ]

    async def get(self, request: Request) -> Response:
        """Every door of `server`, for administrators."""
        if refused := administrators_only(request):
            return refused
        return await self._doors(request, _server(request.query_params.get("server")))

    async def set(self, request: Request) -> Response:
        """Set one door of one server, or of all of them; answers as `get` does."""
        if refused := administrators_only(request):
            return refused
        values = await read_json_object(request)
        member, server = member_of(request), _server(values.get("server"))
        if server != PLAYGROUND and not _is_operator(request):
            code = "doors-elsewhere"
            return refusal_response(403, code, sentence(Reason(code), localizer_for(member.locale)))
        by = member if server == PLAYGROUND else Member(*server, "operator")
        state = values.get("state")
        try:
            wanted = None if state == USUAL else DoorState(str(state))
            await self.client.door_settings.set(by, read_subject(str(values.get("door"))), wanted)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        return await self._doors(request, server)

    async def _doors(self, request: Request, server: tuple[str, str]) -> Response:
        """The doors, and the servers whose doors can be set here."""
        servers = [":".join(PLAYGROUND)]
        if _is_operator(request):
            existing = await self.client.door_settings.servers()
            servers += [EVERYWHERE, *(each for each in existing if each not in servers)]
        doors = [door_json(each) for each in await self.client.door_settings.all(server)]
        return JSONResponse(
            {"doors": doors, "servers": servers, "operator": _is_operator(request)},
            headers={"Cache-Control": "no-store"},
        )


def _is_operator(request: Request) -> bool:
    """Whether the request comes from whoever has the playground's secret."""
    return access_of(request) is Access.OPERATOR


def door_json(door: AnyDoors) -> dict[str, Any]:
    """One door as the page reads it; the wait in seconds, None where it does not depend on one."""
    wait = door.predicted_wait
    return {
        "door": door.subject.value,
        "states": [state.value for state in states_of(door.subject)],
        "usual": door.usual.value,
        "set": {
            **{name: state.value for name, state in door.servers.items()},
            **({EVERYWHERE: door.everywhere.value} if door.everywhere else {}),
        },
        "now": door.now.value,
        "degraded": door.degraded,
        "wait": None if wait is None else wait.total_seconds(),
    }


def _server(text: object) -> tuple[str, str]:
    """Platform and workspace; the playground's own where none is named. Raises BadRequest."""
    try:
        return PLAYGROUND if text is None else read_server(str(text))
    except ValueError as error:
        raise BadRequest(str(error)) from None
