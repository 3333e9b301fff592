"""The member of a request."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.requests import Request

from bots.web.roles import InvalidPersona, member_of
from tests.browser.visitor import persona


def request_with(token: str = "", query: str = "") -> Request:
    headers = [(b"atelier-member", token.encode())] if token else []
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


def encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_persona_becomes_member_with_role() -> None:
    member = member_of(request_with(persona("Chloe", "team", administrator=True, locale="fr")))
    assert (member.platform, member.workspace, member.name) == ("web", "playground", "Chloe")
    assert member.roles == {"team"}
    assert member.administrator
    assert member.locale == "fr"


def test_stream_takes_persona_from_query() -> None:
    token = persona("Ada")
    assert member_of(request_with(query=f"as={token}")) == member_of(request_with(token))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "%%%",
        encode("Ada"),
        encode({"id": "ada"}),
        encode({"id": "Ada:pro", "name": "Ada"}),
        encode({"id": "ada", "name": "  "}),
        encode({"id": "ada", "name": "A" * 41}),
        encode({"id": "ada", "name": "Ada", "roles": ["emperor"]}),
        encode({"id": "ada", "name": "Ada", "tier": "pro"}),
        encode({"id": "ada", "name": "Ada", "locale": "tlh"}),
        "A" * 3000,
    ],
)
def test_invalid_persona_is_refused(token: str) -> None:
    with pytest.raises(InvalidPersona):
        member_of(request_with(token))
