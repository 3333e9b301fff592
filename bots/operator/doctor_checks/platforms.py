"""Platform checks: the form of each token, and whether the platform accepts it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from pydantic import SecretStr

from bots.operator.doctor_checks.finding import Finding, fail, ok, warn
from tasks.policy.access import AccessMode, AccessPolicy
from tasks.runtime.settings import Settings

TIMEOUT_SECONDS = 8
DISCORD_TOKEN = re.compile(r"[\w-]{18,}\.[\w-]{4,}\.[\w-]{20,}")
INVITE = (
    "https://discord.com/oauth2/authorize?client_id={id}&permissions={permissions}&scope={scope}"
)
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
PERMISSIONS: Mapping[str, int] = {  # bits of Discord's permission numbers
    "view channels": 1 << 10,
    "send messages": 1 << 11,
    "embed links": 1 << 14,
    "attach files": 1 << 15,
    "read message history": 1 << 16,
    "send messages in threads": 1 << 38,
}


MANIFEST = Path(__file__).parents[2] / "slack" / "manifest.json"
NEW_SLACK_APP = "https://api.slack.com/apps?new_app=1"
DISCORD_STEPS = (
    "create an application at https://discord.com/developers/applications",
    "under Bot, press Reset Token, and turn Public Bot off",
    "put ATELIER_DISCORD_TOKEN=the-token into the file .env",
    "start `atelier up` again; then `atelier doctor` has the link that invites the bot",
)
SLACK_STEPS = (
    f"create an app from a manifest at {NEW_SLACK_APP} and paste {MANIFEST}",
    "Basic Information, App-Level Tokens: generate one with the scope connections:write",
    "Install App: install it, and copy the Bot User OAuth Token",
    "put ATELIER_SLACK_APP_TOKEN=xapp-… and ATELIER_SLACK_BOT_TOKEN=xoxb-… into the file .env",
    "start `atelier up` again, and type /invite @Atelier in a channel",
)


class Unreachable(Exception):
    """The platform did not answer."""


def check_discord(settings: Settings, access: AccessPolicy | None = None) -> Iterator[Finding]:
    """Check Discord's token and who can add the bot, and report the invite link."""
    if settings.discord_token is None:
        yield from _steps("Discord", DISCORD_STEPS, "docs/how-to/discord.md")
        return
    token = settings.discord_token.get_secret_value()
    renew = "copy it again: discord.com/developers, your application, Bot, Reset Token"
    if not DISCORD_TOKEN.fullmatch(token):
        text = "ATELIER_DISCORD_TOKEN does not look like a bot token (three parts between dots)"
        yield warn("Discord", text, renew)
    url = f"{settings.discord_api_url.rstrip('/')}/applications/@me"
    agent = "DiscordBot (https://github.com, 0.1)"  # the form that Discord requires
    application = application_of(token)
    try:
        status, answer = _request(url, {"Authorization": f"Bot {token}", "User-Agent": agent})
    except Unreachable as error:
        yield warn("Discord", f"unreachable: {error}", "check this machine's network")
    else:
        if status == 200:
            application = str(answer.get("id", application))
            yield ok("Discord", f"token accepted; application {answer.get('name')}")
            yield from check_public_bot(answer, access or AccessPolicy())
        else:
            yield fail("Discord", f"token rejected (HTTP {status})", renew)
            return
    if application:
        yield ok("Discord", f"invite the bot: {invite(application)}")
    yield from _check_servers(settings, {"Authorization": f"Bot {token}", "User-Agent": agent})


def _check_servers(settings: Settings, headers: Mapping[str, str]) -> Iterator[Finding]:
    """Warn if the bot is in no server yet."""
    url = f"{settings.discord_api_url.rstrip('/')}/users/@me/guilds?limit=1"
    try:
        status, answer = _request(url, headers)
    except Unreachable:
        return  # reported already
    if status == 200 and answer.get("items") == []:
        yield warn("Discord", "the bot is in no server yet", "open the link above")


def _steps(subject: str, steps: Sequence[str], guide: str) -> Iterator[Finding]:
    """What is left to do for a platform that is not set up, in order."""
    yield ok(subject, f"not set up; {len(steps)} steps, described in {guide}")
    for number, step in enumerate(steps, 1):
        yield ok(subject, f"{number}. {step}")


def check_public_bot(application: Mapping[str, Any], access: AccessPolicy) -> Iterator[Finding]:
    """Warn if anybody can add the bot to a server and every server may use it."""
    if application.get("bot_public") and access.mode is AccessMode.EVERYONE:
        text = "Public Bot is on and atelier.toml has no allow-list: any server can use this bot"
        fix = (
            'turn off Public Bot (discord.com/developers, Bot), or set [access] mode = "approved"'
            " and run atelier servers approve"
        )
        yield warn("Discord", text, fix)


def check_slack(settings: Settings) -> Iterator[Finding]:
    """Check Slack's tokens and signing secret."""
    bot, app, secret = (
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_signing_secret,
    )
    if bot is app is secret is None:
        yield from _steps("Slack", SLACK_STEPS, "docs/how-to/slack.md")
        return
    if secret and not re.fullmatch(r"[0-9a-f]{32}", secret.get_secret_value()):
        fix = "copy it again: api.slack.com/apps, your app, Basic Information"
        yield warn("Slack", "ATELIER_SLACK_SIGNING_SECRET is not 32 hexadecimal digits", fix)
    if bot:
        yield _slack_token(settings, bot, "ATELIER_SLACK_BOT_TOKEN", ("xoxb-", "auth.test"))
    if app:
        yield check_socket_token(settings, app)


def check_socket_token(settings: Settings, token: SecretStr) -> Finding:
    """Check Slack's app-level token by requesting a socket URL."""
    begins = ("xapp-", "apps.connections.open")
    return _slack_token(settings, token, "ATELIER_SLACK_APP_TOKEN", begins)


def invite(application: str) -> str:
    """The link that adds the bot to a server, with only the permissions it needs."""
    return INVITE.format(
        id=application, permissions=sum(PERMISSIONS.values()), scope="bot+applications.commands"
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
        _, answer = _request(url, {"Authorization": f"Bearer {value}"}, post=True)
    except Unreachable as error:
        return warn("Slack", f"unreachable: {error}", "check this machine's network")
    reason = answer.get("error", "no reason")
    if reason in REFUSED_BY_SLACK:
        return fail("Slack", f"{variable} is wrong: Slack answers {reason}", renew)
    if not answer.get("ok"):
        return warn("Slack", f"check failed: {reason}", "try again in a minute")
    team = f" by {answer['team']}" if answer.get("team") else ""
    return ok("Slack", f"{variable} accepted{team}")


def application_of(token: str) -> str | None:
    """The application id in the first part of a bot token; None if it holds none."""
    first = token.partition(".")[0]
    try:
        number = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return number if number.isdigit() else None


def _request(
    url: str, headers: Mapping[str, str], post: bool = False
) -> tuple[int, dict[str, Any]]:
    """Return status and JSON, a list as `items`.

    Raises Unreachable, whose message never contains the headers.
    """
    request = Request(url, data=b"" if post else None, headers=dict(headers))  # noqa: S310  checked
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
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
    if isinstance(value, list):
        return {"items": value}
    return value if isinstance(value, dict) else {}
