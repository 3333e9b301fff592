"""The platforms: whether the tokens have the right form, and whether the platform takes them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from pydantic import SecretStr

from bots.operator.checkup.finding import Finding, fail, ok, warn
from tasks.settings import Settings

ANSWER_SECONDS = 8
DISCORD_TOKEN = re.compile(r"[\w-]{18,}\.[\w-]{4,}\.[\w-]{20,}")
INVITE = "https://discord.com/oauth2/authorize?client_id={id}&permissions={rights}&scope={scope}"
REFUSED_BY_SLACK = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
RIGHTS: Mapping[str, int] = {  # bits of Discord's permission numbers
    "view channels": 1 << 10,
    "send messages": 1 << 11,
    "embed links": 1 << 14,
    "attach files": 1 << 15,
    "read message history": 1 << 16,
    "send messages in threads": 1 << 38,
}


class Unreachable(Exception):
    """The platform did not answer."""


def check_discord(settings: Settings) -> Iterator[Finding]:
    """Discord's token, and the link that invites the bot."""
    if settings.discord_token is None:
        yield ok("Discord", "not set up (ATELIER_DISCORD_TOKEN; docs/how-to/discord.md)")
        return
    token = settings.discord_token.get_secret_value()
    renew = "copy it again: discord.com/developers, your application, Bot, Reset Token"
    if not DISCORD_TOKEN.fullmatch(token):
        text = "ATELIER_DISCORD_TOKEN does not look like a bot token (three parts between dots)"
        yield warn("Discord", text, renew)
    url = f"{settings.discord_api_url.rstrip('/')}/applications/@me"
    agent = "DiscordBot (https://github.com, 0.1)"  # Discord asks for this form
    application = _application_of(token)
    try:
        status, answer = _ask(url, {"Authorization": f"Bot {token}", "User-Agent": agent})
    except Unreachable as error:
        yield warn("Discord", f"not reachable: {error}", "check the network of this machine")
    else:
        if status == 200:
            application = str(answer.get("id", application))
            yield ok("Discord", f"the token is taken; the application is {answer.get('name')}")
        else:
            yield fail("Discord", f"the token is refused (HTTP {status})", renew)
            return
    if application:
        yield ok("Discord", f"invite the bot: {invite(application)}")


def check_slack(settings: Settings) -> Iterator[Finding]:
    """Slack's tokens, or its signing secret."""
    bot, app, secret = (
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_signing_secret,
    )
    if bot is app is secret is None:
        yield ok("Slack", "not set up (ATELIER_SLACK_BOT_TOKEN …; docs/how-to/slack.md)")
        return
    if secret and not re.fullmatch(r"[0-9a-f]{32}", secret.get_secret_value()):
        mend = "copy it again: api.slack.com/apps, your app, Basic Information"
        yield warn("Slack", "ATELIER_SLACK_SIGNING_SECRET is not 32 hexadecimal digits", mend)
    if bot:
        yield _slack_token(settings, bot, "ATELIER_SLACK_BOT_TOKEN", ("xoxb-", "auth.test"))
    if app:
        yield check_socket_token(settings, app)


def check_socket_token(settings: Settings, token: SecretStr) -> Finding:
    """Slack's app-level token, by asking for the address of a socket."""
    begins = ("xapp-", "apps.connections.open")
    return _slack_token(settings, token, "ATELIER_SLACK_APP_TOKEN", begins)


def invite(application: str) -> str:
    """The link that adds the bot to a server, with the rights it needs and no others."""
    return INVITE.format(
        id=application, rights=sum(RIGHTS.values()), scope="bot+applications.commands"
    )


def _slack_token(
    settings: Settings, token: SecretStr, variable: str, begins_and_method: tuple[str, str]
) -> Finding:
    begins, method = begins_and_method
    value = token.get_secret_value()
    renew = f"copy it again: api.slack.com/apps, your app; it starts with {begins}"
    if not value.startswith((begins, f"xoxe.{begins}")):
        return warn("Slack", f"{variable} does not start with {begins}", renew)
    url = f"{settings.slack_api_url.rstrip('/')}/{method}"
    try:
        _, answer = _ask(url, {"Authorization": f"Bearer {value}"}, post=True)
    except Unreachable as error:
        return warn("Slack", f"not reachable: {error}", "check the network of this machine")
    reason = answer.get("error", "no reason")
    if reason in REFUSED_BY_SLACK:
        return fail("Slack", f"{variable} is wrong: Slack answers {reason}", renew)
    if not answer.get("ok"):
        return warn("Slack", f"it could not be asked: {reason}", "try again in a minute")
    team = f" by {answer['team']}" if answer.get("team") else ""
    return ok("Slack", f"{variable} is taken{team}")


def _application_of(token: str) -> str | None:
    """A bot token's first part is the application's id; None where it is not."""
    first = token.partition(".")[0]
    try:
        number = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return number if number.isdigit() else None


def _ask(url: str, headers: Mapping[str, str], post: bool = False) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer. Raises Unreachable, whose message never has the headers."""
    request = Request(url, data=b"" if post else None, headers=dict(headers))  # noqa: S310  checked
    try:
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return answer.status, _json(answer.read())
    except HTTPError as error:
        return error.code, _json(error.read())
    except (URLError, TimeoutError, OSError) as error:
        raise Unreachable(str(getattr(error, "reason", error))) from None


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
