"""Who is asking, as the page says it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.requests import Request

from bots.web.roles import BadPersona, member_of
from tests.browser.visitor import persona


def asking(token: str = "", query: str = "") -> Request:
    headers = [(b"atelier-member", token.encode())] if token else []
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_a_persona_is_a_member_with_its_role() -> None:
    member = member_of(asking(persona("Chloe", "team", administrator=True, locale="fr")))
    assert (member.platform, member.workspace, member.name) == ("web", "playground", "Chloe")
    assert member.roles == {"team"}
    assert member.administrator
    assert member.locale == "fr"


def test_a_stream_says_it_in_its_address() -> None:
    token = persona("Ada")
    assert member_of(asking(query=f"as={token}")) == member_of(asking(token))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "%%%",
        encoded("Ada"),
        encoded({"id": "ada"}),
        encoded({"id": "Ada:pro", "name": "Ada"}),
        encoded({"id": "ada", "name": "  "}),
        encoded({"id": "ada", "name": "A" * 41}),
        encoded({"id": "ada", "name": "Ada", "roles": ["emperor"]}),
        encoded({"id": "ada", "name": "Ada", "tier": "pro"}),
        encoded({"id": "ada", "name": "Ada", "locale": "tlh"}),
        "A" * 3000,
    ],
)
def test_anything_else_is_nobody(token: str) -> None:
    with pytest.raises(BadPersona):
        member_of(asking(token))
