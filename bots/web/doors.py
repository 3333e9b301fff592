"""Every door of the studio on the administrators' page: shown, and set by hand.

Administrators set those of the playground. Those of all servers, and of other ones, are the
operator's: they are set here only where the page is served to this machine alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.core.reasons import sentence
from bots.core.sentences import speak
from bots.web.guard import refuse
from bots.web.overview import only_administrators
from bots.web.roles import PLATFORM, WORKSPACE, member_of
from bots.web.translate import BadRequest
from tasks.client import EVERYWHERE, AnyDoors, Client, read_server, read_subject, states_of
from tasks.job import Reason
from tasks.members import Member
from tasks.tiers import DoorState

HERE = (PLATFORM, WORKSPACE)
USUAL = "usual"  # takes back what was set by hand
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class DoorDesk:
    """The routes; `operator`: whether who sits at this page may act for all servers."""

    client: Client
    operator: bool

    def routes(self) -> list[Route]:
        """The doors, and the setting of one."""
        return [
            Route("/api/studio/doors", self.show, methods=["GET"]),
            Route("/api/studio/doors", self.set, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Every door as it stands in `server`, for administrators."""
        if refused := only_administrators(request):
            return refused
        return await self._doors(request, _server(request.query_params.get("server")))

    async def set(self, request: Request) -> Response:
        """Set one door of one server, or of all of them; answers as `show` does."""
        if refused := only_administrators(request):
            return refused
        values = await _values(request)
        member, server = member_of(request), _server(values.get("server"))
        if server != HERE and not self._is_operator(request):
            code = "doors-elsewhere"
            return refuse(403, code, sentence(Reason(code), speak(member.locale)))
        by = member if server == HERE else Member(*server, "operator")
        state = values.get("state")
        try:
            wanted = None if state == USUAL else DoorState(str(state))
            await self.client.set_doors(by, read_subject(str(values.get("door"))), wanted)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        return await self._doors(request, server)

    async def _doors(self, request: Request, server: tuple[str, str]) -> Response:
        """The doors, and the servers whose doors may be set here."""
        servers = [":".join(HERE)]
        if self._is_operator(request):
            known = await self.client.servers()
            servers += [EVERYWHERE, *(each for each in known if each not in servers)]
        doors = [door_json(each) for each in await self.client.every_door(server)]
        return JSONResponse(
            {"doors": doors, "servers": servers}, headers={"Cache-Control": "no-store"}
        )

    def _is_operator(self, request: Request) -> bool:
        """A page that came through somebody else's server is not at this machine."""
        return self.operator and not any(name in request.headers for name in _PASSED_ON)


def door_json(door: AnyDoors) -> dict[str, Any]:
    """One door as the page reads it; the wait in seconds, None where it follows none."""
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
        return HERE if text is None else read_server(str(text))
    except ValueError as error:
        raise BadRequest(str(error)) from None


async def _values(request: Request) -> Mapping[str, Any]:
    try:
        values = await request.json()
    except ValueError:
        raise BadRequest("JSON was expected") from None
    if not isinstance(values, Mapping):
        raise BadRequest("a JSON object was expected")
    return values
