"""Decides what each request may do, before any route sees it.

Five checks, each against one attack: the Host header against DNS rebinding, Origin and
Sec-Fetch-Site against requests from other pages, a CSRF token against forms of other sites, a
signed session against strangers, and the peer of the connection against proxies that publish a
playground which was meant for its own machine.
"""

from __future__ import annotations

import enum
import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.web.local_peer import is_local_program, is_loopback
from bots.web.secret_attempts import SecretAttempts, TooManyAttempts
from bots.web.sessions import SESSION_COOKIE, Session, SessionSigner, bearer_secret

TOKEN_HEADER = "Atelier-Token"  # noqa: S105  the header's name
SAFE_METHODS = frozenset({"GET", "HEAD"})
PROTECTED = ("/api/", "/pictures/")
SIGN_IN = "/api/sign-in"
FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

PeerCheck = Callable[[tuple[str, int], tuple[str, int]], bool]


class Access(enum.IntEnum):
    """What a request may do; each level includes those before it."""

    NONE = 0  # load the page's files, and sign in
    LOCAL = 1  # use the playground as any persona, its administrators included
    OPERATOR = 2  # the same, and act for all servers


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Where the playground is served, and what gives access to it.

    `hosts` are the names besides localhost under which the page may be opened; IP addresses always
    may, since DNS rebinding needs a name. `public_origin` is the origin behind a reverse proxy.
    With `local`, programs of this user on this machine need no sign-in.
    """

    signer: SessionSigner
    hosts: frozenset[str] = frozenset()
    public_origin: str | None = None
    local: bool = False
    is_local_program: PeerCheck = is_local_program
    attempts: SecretAttempts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attempts", SecretAttempts(self.signer))

    @property
    def secure(self) -> bool:
        """Whether browsers reach the page over HTTPS."""
        return (self.public_origin or "").startswith("https:")

    def is_own_host(self, host: str) -> bool:
        """Whether the playground may be opened under a Host header's name."""
        name = _host_name(host)
        if name in self.hosts or is_loopback(name) or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin header names the playground's own page."""
        if self.public_origin is not None and origin == self.public_origin:
            return True
        try:
            return urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:
            return False  # no URL at all


class AccessGuard:
    """Refuses what a request may not do, tells routes its access, and adds security headers."""

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
            return
        if scope["method"] not in SAFE_METHODS:
            refusal.headers["Connection"] = "close"  # its body is never read
        await refusal(scope, receive, _with_headers(send))

    async def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "")
        if not self._policy.is_own_host(host):
            return refusal_response(
                421, "foreign-host", "The playground isn’t served under this name."
            )
        if self._is_cross_site(path, headers, host):
            return refusal_response(
                403, "foreign-origin", "Only the playground’s own page can send this request."
            )
        session = self._session(scope)
        access = Access.NONE
        if path.startswith(PROTECTED) and path != SIGN_IN:
            try:
                has_secret = self._has_secret(scope, headers)
            except TooManyAttempts as error:
                return too_many_attempts(error)
            access = await self._access(scope, headers, session, has_secret)
            if access is Access.NONE:
                return refusal_response(401, "sign-in-required", "Please sign in.")
            intended = has_secret or self._is_intended(headers, session)
            if scope["method"] not in SAFE_METHODS and not intended:
                return refusal_response(
                    403, "stale-page", "This page is out of date. Please reload it."
                )
        scope["atelier.access"], scope["atelier.session"] = access, session
        return None

    async def _access(
        self, scope: Scope, headers: Headers, session: Session | None, has_secret: bool
    ) -> Access:
        if (session and session.operator) or has_secret:
            return Access.OPERATOR
        if self._policy.local and await self._is_local(scope, headers):
            return Access.LOCAL
        return Access.NONE

    async def _is_local(self, scope: Scope, headers: Headers) -> bool:
        """Whether a program of our own user sent the request itself, without any proxy.

        Browsers speak HTTP/1.1; a bare `proxy_pass` of nginx up to 1.29 speaks HTTP/1.0. Forwarding
        headers only ever take access away: their absence proves nothing, which is what the lookup
        of the peer is for.
        """
        client, server = scope.get("client"), scope.get("server")
        if client is None or server is None or scope["http_version"] == "1.0":
            return False
        if not is_loopback(_host_name(headers.get("host", ""))):
            return False
        if any(name in headers for name in FORWARDING_HEADERS):
            return False
        known: dict[str, bool] = scope.get("state", {}).get("peer", {})  # lives with the connection
        if "local" not in known:
            known["local"] = await anyio.to_thread.run_sync(
                self._policy.is_local_program, tuple(client), tuple(server)
            )
        return known["local"]

    def _session(self, scope: Scope) -> Session | None:
        return self._policy.signer.read(HTTPConnection(scope).cookies.get(SESSION_COOKIE, ""))

    def _has_secret(self, scope: Scope, headers: Headers) -> bool:
        """Whether a program sent the secret; no browser adds this header by itself."""
        secret = bearer_secret(headers.get("authorization", ""))
        return secret is not None and self._policy.attempts.matches(scope, secret)

    def _is_intended(self, headers: Headers, session: Session | None) -> bool:
        """Whether the page sent it, and no form of another site."""
        sent = headers.get(TOKEN_HEADER, "")
        return session is not None and hmac.compare_digest(
            sent.encode(), session.csrf_token.encode()
        )

    def _is_cross_site(self, path: str, headers: Headers, host: str) -> bool:
        """Whether another page sent the request. Its links are fine: they have no Origin."""
        origin = headers.get("origin")
        if origin is not None and not self._policy.is_own_origin(origin, host):
            return True
        same_site = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        return path.startswith("/api/") and not same_site


def access_of(connection: HTTPConnection) -> Access:
    """What the guard allowed this request to do."""
    access: Access = connection.scope["atelier.access"]
    return access


def session_of(connection: HTTPConnection) -> Session | None:
    """The request's session, where it sent a valid one."""
    session: Session | None = connection.scope["atelier.session"]
    return session


def too_many_attempts(error: TooManyAttempts) -> Response:
    """The response to a secret that is not even compared."""
    response = refusal_response(
        429, "too-many-attempts", "Too many wrong secrets. Please wait a little."
    )
    response.headers["Retry-After"] = str(error.seconds)
    return response


def refusal_response(status: int, code: str, text: str) -> JSONResponse:
    """A response in the shape that the page shows for every refusal."""
    return JSONResponse(
        {"kind": "refusal", "code": code, "text": text, "private": True},
        status_code=status,
        headers={"Cache-Control": "no-store"},
    )


def _host_name(host: str) -> str:
    return re.sub(r":\d*$", "", host).lower().rstrip(".").strip("[]")


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            message["headers"] = headers.raw
        await send(message)

    return with_headers
