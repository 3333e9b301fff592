"""What each request may do: hosts, origins, sessions, CSRF tokens, and the connection's peer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from bots.web import access_guard
from bots.web.access_guard import Access, AccessGuard, AccessPolicy, access_of, session_of
from bots.web.sessions import Session, SessionSigner
from tests.records import assert_records_are_immutable

SECRET = "a secret of the operator"
SIGNER = SessionSigner(SECRET)
VISITOR, OPERATOR = SIGNER.issue(), SIGNER.issue(operator=True)
HOST = "localhost:8765"


@dataclass
class Answer:
    """What a request got: the guard's refusal, or the route with what the guard told it."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    access: Access | None = None
    session: Session | None = None

    @property
    def code(self) -> str:
        """The refusal's code; "" where the route was reached."""
        return "" if self.access is not None else str(json.loads(self.body)["code"])


class Peers:
    """Answers whether a client is a local program, and records who was asked about."""

    def __init__(self, local: bool) -> None:
        self.local = local
        self.asked: list[tuple[tuple[str, int], tuple[str, int]]] = []

    def __call__(self, client: tuple[str, int], server: tuple[str, int]) -> bool:
        self.asked.append((client, server))
        return self.local


def policy(**changes: Any) -> AccessPolicy:
    return AccessPolicy(**{"signer": SIGNER, "is_local_program": Peers(True), **changes})


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def ask(
    path: str = "/api/jobs",
    method: str = "GET",
    rules: AccessPolicy | None = None,
    session: Session | None = None,
    scope: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer to one request."""
    answer = Answer()

    async def route(scope: Scope, _receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        answer.access, answer.session = access_of(connection), session_of(connection)
        start: Message = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"route"})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message["body"]

    sent = {"host": HOST, **(headers or {})}
    if session is not None:
        sent["cookie"] = f"atelier_session={session.value}"
    request = {
        "type": "".join(["ht", "tp"]),  # as from a server: equal, and not the same object
        "method": method,
        "path": path,
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8765),
        "state": {"peer": {}},
        **(scope or {}),
    }
    await AccessGuard(route, rules or policy())(request, no_body, send)
    return answer


def test_records_are_immutable() -> None:
    assert_records_are_immutable(access_guard)


def test_each_level_of_access_includes_those_before_it() -> None:
    assert [level.name for level in sorted(Access)] == ["NONE", "LOCAL", "OPERATOR"]
    assert not Access.NONE


# -- hosts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost:8765", True),
        ("LOCALHOST", True),
        ("studio.localhost:8765", True),
        ("127.0.0.1:8765", True),
        ("[::1]:8765", True),
        ("192.168.1.5:8765", True),  # rebinding needs a name
        ("[2001:db8::1]", True),
        ("studio.example", True),
        ("Studio.Example.:443", True),
        ("evil.example", False),
        ("studio.example.evil.example", False),
        ("127.0.0.1.nip.io", False),
        ("localhost.evil.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
async def test_page_opens_under_its_own_names_only(host: str, own: bool) -> None:
    rules = policy(hosts=frozenset({"studio.example"}))
    answer = await ask("/", rules=rules, headers={"host": host})
    assert (answer.status, answer.access) == ((200, Access.NONE) if own else (421, None))
    if not own:
        assert answer.code == "foreign-host"


# -- other pages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "public", "refused"),
    [
        ({}, None, False),
        ({"origin": "http://localhost:8765"}, None, False),
        ({"origin": "http://LOCALHOST:8765"}, None, False),
        ({"origin": "http://localhost:1"}, None, True),
        ({"origin": "https://evil.example"}, None, True),
        ({"origin": "null"}, None, True),
        ({"origin": ""}, None, True),
        ({"origin": "http://[broken"}, None, True),
        ({"origin": "https://studio.example"}, "https://studio.example", False),
        ({"origin": "https://studio.example"}, None, True),
        ({"origin": "https://evil.example"}, "https://studio.example", True),
        ({"origin": "https://zoo.example"}, "https://studio.example", True),
        ({"origin": "https://studio.example.evil"}, "https://studio.example", True),
        ({"origin": "http://localhost:8765"}, "https://studio.example", False),
        ({"sec-fetch-site": "same-origin"}, None, False),
        ({"sec-fetch-site": "none"}, None, False),
        ({"sec-fetch-site": "same-site"}, None, True),
        ({"sec-fetch-site": "cross-site"}, None, True),
        ({"origin": "http://localhost:8765", "sec-fetch-site": "cross-site"}, None, True),
    ],
)
async def test_request_from_another_page_is_refused(
    headers: dict[str, str], public: str | None, refused: bool
) -> None:
    answer = await ask(rules=policy(public_origin=public), session=OPERATOR, headers=headers)
    assert answer.status == (403 if refused else 200)
    assert answer.code == ("foreign-origin" if refused else "")


async def test_link_from_another_page_opens_the_page() -> None:
    assert (await ask("/", headers={"sec-fetch-site": "cross-site"})).status == 200
    assert (await ask("/", headers={"origin": "https://evil.example"})).status == 403


@pytest.mark.parametrize(
    ("origin", "secure"),
    [(None, False), ("http://studio.example", False), ("https://studio.example", True)],
)
def test_page_is_secure_behind_https(origin: str | None, secure: bool) -> None:
    assert policy(public_origin=origin).secure is secure


# -- sign-in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/sign-in", "/apis", "/picturesque"])
async def test_page_and_sign_in_are_open_to_all(path: str) -> None:
    for method in ("GET", "POST"):
        answer = await ask(path, method)
        assert (answer.status, answer.access, answer.session) == (200, Access.NONE, None)


@pytest.mark.parametrize("path", ["/api/jobs", "/api/sign-in/", "/api/", "/pictures/1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_request_without_a_session_is_asked_to_sign_in(path: str, method: str) -> None:
    answer = await ask(path, method)
    assert (answer.status, answer.code) == (401, "sign-in-required")


async def test_visitors_session_alone_gives_no_access() -> None:
    answer = await ask(session=VISITOR)
    assert (answer.status, answer.code) == (401, "sign-in-required")


async def test_operators_session_gives_the_operators_access() -> None:
    answer = await ask(session=OPERATOR)
    assert (answer.status, answer.access, answer.session) == (200, Access.OPERATOR, OPERATOR)


async def test_open_route_learns_of_the_session() -> None:
    answer = await ask("/", session=VISITOR)
    assert (answer.access, answer.session) == (Access.NONE, VISITOR)


async def test_forged_session_is_none() -> None:
    forged = Session(OPERATOR.value[:-1] + "!", operator=True)
    assert (await ask(session=forged)).status == 401
    assert (await ask("/", session=forged)).session is None
    other = SessionSigner("another secret of an operator").issue(operator=True)
    assert (await ask(session=other)).status == 401


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {SECRET.replace(' ', '-')}", 200),
        (f"bearer  {SECRET.replace(' ', '-')}", 200),
        ("Bearer wrong-secret-altogether", 401),
        (SECRET.replace(" ", "-"), 401),
        ("", 401),
    ],
)
async def test_secret_in_a_header_gives_the_operators_access(
    authorization: str, status: int
) -> None:
    rules = policy(signer=SessionSigner(SECRET.replace(" ", "-")))
    for method in ("GET", "POST"):
        answer = await ask("/api/jobs", method, rules, headers={"authorization": authorization})
        assert answer.status == status
        assert answer.access == (Access.OPERATOR if status == 200 else None)


async def test_many_wrong_secrets_are_answered_with_the_seconds_to_wait() -> None:
    rules = policy()
    for number in range(20):
        wrong = {"authorization": f"Bearer wrong-secret-number-{number}"}
        answer = await ask(rules=rules, headers=wrong)
        if answer.status != 401:
            break
    assert (answer.status, answer.code) == (429, "too-many-attempts")
    assert int(answer.headers["retry-after"]) > 0


# -- CSRF ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_change_needs_the_token_of_the_own_session(method: str) -> None:
    for token, status in (
        (OPERATOR.csrf_token, 200),
        (VISITOR.csrf_token, 403),
        ("0" * 64, 403),
        ("", 403),
    ):
        answer = await ask(
            "/api/actions", method, session=OPERATOR, headers={"atelier-token": token}
        )
        assert answer.status == status
        assert answer.code == ("" if status == 200 else "stale-page")
    answer = await ask("/api/actions", method, session=OPERATOR)
    assert (answer.status, answer.code) == (403, "stale-page")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reading_needs_no_token(method: str) -> None:
    assert (await ask("/api/actions", method, session=OPERATOR)).status == 200


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_change_without_a_session_is_refused(token: str) -> None:
    """A local program may read without a session; a form of another site has none either."""
    rules = policy(local=True)
    answer = await ask("/api/actions", "POST", rules, headers={"atelier-token": token})
    assert (answer.status, answer.code) == (403, "stale-page")
    answer = await ask("/api/actions", "POST", rules)
    assert (answer.status, answer.code) == (403, "stale-page")


# -- local programs -----------------------------------------------------------------------------


async def test_local_program_needs_no_sign_in() -> None:
    peers = Peers(True)
    answer = await ask(rules=policy(local=True, is_local_program=peers), session=VISITOR)
    assert (answer.status, answer.access, answer.session) == (200, Access.LOCAL, VISITOR)
    assert peers.asked == [(("127.0.0.1", 50000), ("127.0.0.1", 8765))]


async def test_local_program_with_the_secret_is_the_operator() -> None:
    answer = await ask(rules=policy(local=True), session=OPERATOR)
    assert answer.access is Access.OPERATOR


async def test_foreign_program_is_asked_to_sign_in() -> None:
    rules = policy(local=True, is_local_program=Peers(False))
    assert (await ask(rules=rules, session=VISITOR)).status == 401


async def test_sign_in_is_needed_unless_the_playground_is_local() -> None:
    assert policy().local is False
    assert (await ask(rules=policy(local=False))).status == 401


@pytest.mark.parametrize(
    "header", ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
)
async def test_forwarded_request_is_not_local(header: str) -> None:
    peers = Peers(True)
    rules = policy(local=True, is_local_program=peers)
    assert (await ask(rules=rules, headers={header: "1"})).status == 401
    assert peers.asked == []


@pytest.mark.parametrize(
    "scope",
    [
        {"client": None},
        {"server": None},
        {"client": None, "server": None},
        {"http_version": "1.0"},
    ],
)
async def test_request_of_unknown_origin_is_not_local(scope: dict[str, Any]) -> None:
    peers = Peers(True)
    rules = policy(local=True, is_local_program=peers)
    assert (await ask(rules=rules, scope=scope)).status == 401
    assert peers.asked == []


async def test_newer_http_is_local() -> None:
    assert (await ask(rules=policy(local=True), scope={"http_version": "2"})).status == 200


@pytest.mark.parametrize("host", ["192.168.1.5:8765", "studio.example"])
async def test_request_under_a_public_name_is_not_local(host: str) -> None:
    rules = policy(local=True, hosts=frozenset({"studio.example"}))
    assert (await ask(rules=rules, headers={"host": host})).status == 401


async def test_peer_is_looked_up_once_a_connection() -> None:
    peers = Peers(True)
    rules = policy(local=True, is_local_program=peers)
    connection: dict[str, Any] = {"state": {"peer": {}}}
    for _ in range(3):
        assert (await ask(rules=rules, scope=connection)).status == 200
    assert len(peers.asked) == 1
    peers.local = False
    assert (await ask(rules=rules)).status == 401
    assert (await ask(rules=rules, scope={"state": {}})).status == 401
    assert len(peers.asked) == 3


# -- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/jobs"])
async def test_every_answer_has_the_security_headers(path: str) -> None:
    answer = await ask(path)
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()"


async def test_routes_own_headers_and_body_are_kept() -> None:
    answer = await ask("/")
    assert answer.headers["content-type"] == "text/html"
    assert answer.body == b"route"


async def test_refusal_is_private_and_not_stored() -> None:
    answer = await ask()
    assert json.loads(answer.body) == {
        "kind": "refusal",
        "code": "sign-in-required",
        "text": "Please sign in.",
        "private": True,
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "closes"), [("GET", False), ("HEAD", False), ("POST", True)])
async def test_refused_body_closes_the_connection(method: str, closes: bool) -> None:
    answer = await ask("/api/jobs", method)
    assert answer.status == 401
    assert (answer.headers.get("connection") == "close") is closes


async def test_messages_after_the_head_are_not_changed() -> None:
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.trailers", "headers": [(b"x", b"1")]})

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", HOST.encode())]}
    await AccessGuard(app, policy())(scope, no_body, send)
    assert sent == [{"type": "http.response.trailers", "headers": [(b"x", b"1")]}]


async def test_other_protocols_pass_the_guard() -> None:
    passed: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    async def send(_message: Message) -> None:
        pytest.fail("the guard answered")

    await AccessGuard(app, policy())({"type": "lifespan"}, no_body, send)
    assert passed == ["lifespan"]
