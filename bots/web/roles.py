"""The member of a request: visitors choose a persona, so that tiers can be tried side by side."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from starlette.requests import Request

from tasks.jobs.members import Member

PLATFORM = "web"
WORKSPACE = "playground"
HEADER = "Atelier-Member"

Role = Literal["free", "plus", "team", "pro"]
"""The playground's role ids; each is the name of the tier that it grants."""


class InvalidPersona(Exception):
    """The request has no persona, or a malformed one."""


class Persona(BaseModel):
    """The persona that a visitor chose, as the page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$"
        ),
    ]
    roles: frozenset[Role] = frozenset()
    administrator: bool = False
    locale: Literal["en", "fr"] = "en"

    def member(self) -> Member:
        """The persona as a member of the playground's workspace."""
        return Member(
            platform=PLATFORM,
            workspace=WORKSPACE,
            id=self.id,
            name=self.name,
            roles=frozenset(self.roles),
            locale=self.locale,
            administrator=self.administrator,
        )


def member_of(request: Request) -> Member:
    """The member in the request's header, or in the query's `as` (event streams have no header).

    Both hold the persona as JSON in UTF-8 and base64url. Raises InvalidPersona.
    """
    token = request.headers.get(HEADER) or request.query_params.get("as", "")
    if not token or len(token) > 2000:
        raise InvalidPersona
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return Persona.model_validate_json(text).member()
    except (binascii.Error, ValueError, ValidationError) as error:
        raise InvalidPersona from error
