"""Sign-in: the playground's secret, and the signed sessions that it gives.

There is one secret. Whoever has it is the operator. It is `ATELIER_WEB_SECRET`, or a file in the
data folder that only its owner can read. Sessions are signed with it and stored nowhere, so they
survive a restart, and replacing the secret ends all of them. What is stored is which of them were
signed out: a copy of their cookie is worth nothing from then on.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, TimestampSigner
from starlette.responses import Response

from bots.web.signed_out import SignedOutSessions

SESSION_COOKIE = "atelier_session"
SECRET_FILE = "playground-secret"  # noqa: S105  the file's name
SIGNED_OUT_FILE = "signed-out-sessions"
SHORTEST_SECRET = 16  # characters
SESSION_SECONDS = 30 * 24 * 3600


class WeakSecret(Exception):
    """The secret is too short to be one."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session's cookie value, and whether it was opened with the secret."""

    value: str
    operator: bool

    @property
    def id(self) -> str:
        """What tells sessions apart; other spellings of the same signature have the same id."""
        return self.value.partition(":")[0]

    @property
    def csrf_token(self) -> str:
        """What the page must send with every request that changes something.

        It is derived from the session, so it survives a restart; another site can read neither.
        """
        key = self.value.encode()
        return hmac.new(key, b"atelier playground", hashlib.sha256).hexdigest()


class SessionSigner:
    """Issues, verifies and ends sessions. Without `signed_out`, none can be ended."""

    def __init__(self, secret: str, signed_out: SignedOutSessions | None = None) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise WeakSecret(f"the secret has fewer than {SHORTEST_SECRET} characters")
        self._secret = secret
        self._signed_out = signed_out
        self._signer = TimestampSigner(secret, salt="atelier.session", digest_method=hashlib.sha256)

    def matches(self, secret: str) -> bool:
        """Whether this is the secret, compared in constant time."""
        return hmac.compare_digest(secret.encode(), self._secret.encode())

    def issue(self, *, operator: bool = False) -> Session:
        """A new session with an id that cannot be guessed."""
        text = f"{secrets.token_urlsafe(24)}:{'operator' if operator else 'visitor'}"
        return Session(self._signer.sign(text).decode(), operator)

    def read(self, value: str) -> Session | None:
        """The session of a cookie; None where it is forged, has expired or was signed out."""
        try:
            text = self._signer.unsign(value, max_age=SESSION_SECONDS).decode()
        except (BadSignature, UnicodeError):
            return None
        session = Session(value, text.endswith(":operator"))
        return None if self.has_ended(session) else session

    def has_ended(self, session: Session) -> bool:
        """Whether an operator's session was signed out."""
        if not session.operator or self._signed_out is None:
            return False
        return session.id in self._signed_out

    def sign_out(self, session: Session) -> None:
        """End an operator's session, also where its cookie was copied. Raises OSError."""
        if session.operator and self._signed_out is not None:
            self._signed_out.add(session.id, SESSION_SECONDS)


def load_secret(home: Path, configured: str | None) -> tuple[str, bool]:
    """The secret, and whether it was generated just now. Raises OSError."""
    if configured is not None:
        return configured, False
    path = home / SECRET_FILE
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip(), False
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = home / f".{SECRET_FILE}-{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secrets.token_urlsafe(32)}\n")
    try:
        os.link(draft, path)  # atomic, so that two processes that start at once agree on one
    except FileExistsError:
        return path.read_text(encoding="ascii").strip(), False
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip(), True


def set_session_cookie(response: Response, session: Session, *, secure: bool) -> None:
    """Store the session in a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        SESSION_COOKIE,
        session.value,
        max_age=SESSION_SECONDS,
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def bearer_secret(authorization: str) -> str | None:
    """The secret in an Authorization header, for programs that have no cookies."""
    match = re.fullmatch(r"[Bb]earer +([!-~]+)", authorization)
    return match[1] if match else None
