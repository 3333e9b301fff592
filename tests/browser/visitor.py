"""Somebody at the playground without a browser: speaks the page's own HTTP."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


def persona(name: str, role: str = "pro", administrator: bool = False, locale: str = "en") -> str:
    """A persona as the page's header carries it. The id is the name in lower case."""
    values = {
        "id": name.lower(),
        "name": name,
        "roles": [role],
        "administrator": administrator,
        "locale": locale,
    }
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def unique_name(kind: str = "ann") -> str:
    """A name that was never used, so that tests do not share quotas."""
    return f"{kind}{uuid.uuid4().hex[:8]}"


@dataclass
class Visitor:
    """One persona with one session."""

    url: str
    name: str = field(default_factory=unique_name)
    role: str = "pro"
    administrator: bool = False
    locale: str = "en"
    secret: str | None = None  # the operator's
    channel: str = field(default_factory=lambda: unique_name("channel"))

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60)
        self.who = persona(self.name, self.role, self.administrator, self.locale)
        self.http.headers["Atelier-Member"] = self.who
        if self.secret:
            self.http.headers["Authorization"] = f"Bearer {self.secret}"
        self.welcome = self.http.get("/api/welcome").json()
        self.http.headers["Atelier-Token"] = self.welcome["token"]

    def send(
        self, text: str, files: dict[str, tuple[str, bytes]] | None = None, **values: str
    ) -> httpx.Response:
        """Send what the prompt box sends."""
        form = {"key": uuid.uuid4().hex, "channel": self.channel, "text": text, **values}
        parts: Any = {name: (None, value) for name, value in form.items()}
        return self.http.post("/api/messages", files={**parts, **(files or {})})

    def press(self, action: str, target: str | None = None, **values: Any) -> httpx.Response:
        """Send what a button sends."""
        body = {
            "action": action,
            "target": target,
            "key": uuid.uuid4().hex,
            "channel": self.channel,
            **values,
        }
        return self.http.post("/api/actions", json=body)

    def messages(self, thread: str | None = None) -> list[dict[str, Any]]:
        """The conversation of the visitor's channel."""
        place = {"channel": self.channel, **({"thread": thread} if thread else {})}
        found: list[dict[str, Any]] = self.http.get("/api/conversation", params=place).json()[
            "messages"
        ]
        return found

    @contextmanager
    def listening(self) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """Subscribe to the live events, as (name, data)."""
        with self.http.stream("GET", "/api/stream", params={"as": self.who}) as response:
            assert response.status_code == 200
            yield _events(response)


def _events(response: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def until(events: Iterator[tuple[str, dict[str, Any]]], name: str, **values: Any) -> dict[str, Any]:
    """The first event of this name with these values."""
    for found, data in events:
        if found == name and all(data.get(key) == value for key, value in values.items()):
            return data
    raise AssertionError(f"the stream ended before {name} {values}")


Visit = Callable[..., Visitor]
"""The type of the fixture `visit`, which creates visitors."""
