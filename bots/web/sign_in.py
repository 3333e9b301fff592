"""Signing in with the playground's secret, and signing out."""

from __future__ import annotations

from dataclasses import dataclass

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bots.web.access_guard import (
    AccessPolicy,
    refusal_response,
    session_of,
    too_many_attempts,
)
from bots.web.page_files import PAGE
from bots.web.request_bodies import read_json_object
from bots.web.secret_attempts import TooManyAttempts
from bots.web.sessions import SESSION_COOKIE, set_session_cookie

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in page and its routes."""

    policy: AccessPolicy

    def routes(self) -> list[Route]:
        """The page, and signing in and out."""
        return [
            Route("/sign-in", self.page),
            Route("/api/sign-in", self.sign_in, methods=["POST"]),
            Route("/api/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def page(self, _request: Request) -> Response:
        """The form. A link may carry the secret in its fragment, which no server or log sees."""
        return FileResponse(PAGE / "sign-in.html", headers={"Cache-Control": "no-cache"})

    async def sign_in(self, request: Request) -> Response:
        """Open an operator's session for whoever has the secret."""
        values = await read_json_object(request)
        try:
            right = self.policy.attempts.matches(request.scope, str(values.get("secret") or ""))
        except TooManyAttempts as error:
            return too_many_attempts(error)
        if not right:
            return refusal_response(403, "wrong-secret", "That isn’t the secret.")
        response = JSONResponse({"signed_in": True}, headers=NO_STORE)
        session = self.policy.signer.issue(operator=True)
        set_session_cookie(response, session, secure=self.policy.secure)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session, here and wherever its cookie was copied to."""
        session = session_of(request)
        if session is not None:
            await anyio.to_thread.run_sync(self.policy.signer.sign_out, session)
        response = JSONResponse({"signed_in": False}, headers=NO_STORE)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return response
