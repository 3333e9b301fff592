"""Who may talk to the playground: its own page on its own address, and nobody's page elsewhere.

Three doors, each enough against one attack: the Host header (a foreign name that was made to point
here), Origin and Sec-Fetch-Site (a foreign page that sends requests), and a token that only a page
of ours can read (a foreign form). The session is a random cookie that no other site can send.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION_COOKIE = "atelier_session"
TOKEN_HEADER = "Atelier-Token"  # noqa: S105  the header's name
SAFE_METHODS = frozenset({"GET", "HEAD"})
SESSION_SECONDS = 365 * 24 * 3600

POLICY = "; ".join(
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
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Refuses what does not come from the page itself, and adds the page's security headers.

    `hosts` are names beside localhost under which the page may be opened; plain IP addresses always
    may, since no foreign name can stand for one.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, let in or refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send))
            return
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return refuse(421, "foreign-host", "The playground is not served under this name.")
        if _comes_from_elsewhere(scope["path"], headers, host):
            return refuse(403, "foreign-origin", "Only the playground's own page may ask this.")
        if scope["method"] not in SAFE_METHODS and not _has_token(scope, headers):
            return refuse(403, "stale-page", "This page is out of date. Load it again.")
        return None

    def _is_ours(self, host: str) -> bool:
        name = re.sub(r":\d+$", "", host).lower().rstrip(".")
        if name in self._hosts or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def is_loopback(host: str) -> bool:
    """Whether what listens on this address is there for this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def refuse(status: int, code: str, text: str) -> JSONResponse:
    """An answer of the shape that the page shows for any refusal."""
    return JSONResponse(
        {"kind": "refusal", "code": code, "text": text, "private": True},
        status_code=status,
        headers={"Cache-Control": "no-store"},
    )


def session_of(connection: HTTPConnection) -> str | None:
    """The session's id, where the browser has sent a well-formed one."""
    value = connection.cookies.get(SESSION_COOKIE, "")
    return value if re.fullmatch(r"[A-Za-z0-9_-]{43}", value) else None


def new_session() -> str:
    """An id that nobody can guess."""
    return secrets.token_urlsafe(32)


def keep_session(response: Response, session: str) -> None:
    """Let the browser keep the session; no script and no other site can read or send it."""
    response.set_cookie(
        SESSION_COOKIE, session, max_age=SESSION_SECONDS, httponly=True, samesite="strict"
    )


def token_for(session: str) -> str:
    """What the page must send back with everything it asks to be done.

    Made from the session itself, so it survives a restart: a foreign site can read neither.
    """
    return hmac.new(session.encode(), b"atelier playground", hashlib.sha256).hexdigest()


def _comes_from_elsewhere(path: str, headers: Headers, host: str) -> bool:
    """Whether a foreign page asks. It may lead here by a link, which names no origin."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return True
    near = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return path.startswith("/api/") and not near


def _has_token(scope: Scope, headers: Headers) -> bool:
    session = session_of(HTTPConnection(scope))
    sent = headers.get(TOKEN_HEADER, "")
    return session is not None and hmac.compare_digest(sent.encode(), token_for(session).encode())


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in HEADERS.items():
                headers[name] = value
            message["headers"] = headers.raw
        await send(message)

    return with_headers
