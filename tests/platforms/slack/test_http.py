"""The real bolt app over signed HTTP, in two workspaces, with a real worker."""

from __future__ import annotations

import os
import time

import httpx
import psycopg

from tests.platforms.slack.conftest import (
    ANNA,
    GENERAL,
    OTHER_TEAM,
    SECRET,
    THIRD_TEAM,
    SlackStack,
    fill,
    install,
)
from tests.platforms.slack.deliveries import HttpSender, event_callback, signature
from tests.platforms.slack.scenario import pictures_of, run_scenario


def test_scenario_over_http(http_stack: SlackStack) -> None:
    run_scenario(http_stack, "scenario", OTHER_TEAM)
    assert isinstance(http_stack.sender, HttpSender)
    assert http_stack.sender.late == 0
    assert http_stack.slack.violations == []
    assert http_stack.slack.overruns == []


def test_workspaces_with_equal_ids_are_isolated(http_stack: SlackStack) -> None:
    here, there = http_stack.person(ANNA, OTHER_TEAM), http_stack.person(ANNA, THIRD_TEAM)
    ts = here.mention(GENERAL, "a red circle")
    pictures_of(http_stack, here, GENERAL, ts, 1, 1)
    # The same channel, user and timestamp in another workspace.
    twin = {"type": "app_mention", "user": ANNA, "channel": GENERAL, "ts": ts, "event_ts": ts,
            "text": "<@U0BOT00000> a blue circle"}  # fmt: skip
    message = here.workspace.channels[GENERAL].messages[ts]
    there.workspace.channels[GENERAL].messages[ts] = type(message)(ts, GENERAL, ANNA, "")
    there.send_event(twin)
    answer = pictures_of(http_stack, there, GENERAL, ts, 1, 1)
    assert len(here.answers(GENERAL, ts)) == 1
    assert "blue" in answer.text
    assert here.pictures(here.answers(GENERAL, ts)[0]) != there.pictures(answer)
    http_stack.slack.until("the delivery is recorded", lambda: delivered(http_stack, THIRD_TEAM))
    there.command("/atelier", "history", GENERAL)
    text = http_stack.slack.until("history", there.ephemeral_text)
    assert "blue circle" in text
    assert "red circle" not in text


def test_unsigned_and_replayed_requests_are_rejected(http_stack: SlackStack) -> None:
    sender = http_stack.sender
    assert isinstance(sender, HttpSender)
    run = http_stack.slack.run
    event = event_callback(
        OTHER_TEAM, {"type": "app_home_opened", "user": ANNA, "tab": "home"}, "Ev1"
    )
    assert run(sender.post("events_api", event))[0] == 200
    assert run(sender.post("events_api", event, secret="another secret"))[0] == 401
    sender.skew = -600
    try:
        assert run(sender.post("events_api", event))[0] == 401, "an old request was replayed"
    finally:
        sender.skew = 0
    unsigned = httpx.post(f"{origin_of(http_stack)}/slack/events", json=event)
    assert unsigned.status_code == 401


def test_malformed_requests_are_rejected(http_stack: SlackStack) -> None:
    url = f"{origin_of(http_stack)}/slack/events"
    stamp = str(int(time.time()))
    stamped = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=0"}
    json_ = stamped | {"Content-Type": "application/json"}
    signed = json_ | {"X-Slack-Signature": signature(SECRET, stamp, "{")}
    assert httpx.post(url, content=b"{", headers=signed).status_code == 400
    assert httpx.post(url, content=b"{", headers=json_).status_code == 401
    assert httpx.post(url, content=b"\xff", headers=json_).status_code == 400
    never = json_ | {"X-Slack-Request-Timestamp": "never"}
    assert httpx.post(url, content=b"{}", headers=never).status_code == 401
    pieces = (b"x" * 65536 for _ in range(40))  # without Content-Length
    assert httpx.post(url, content=pieces, headers=stamped).status_code == 413
    assert httpx.get(url).status_code == 405
    assert httpx.get(url, params={"ssl_check": "1", "token": "x"}).status_code == 200


def test_playground_serves_none_of_slacks_routes(http_stack: SlackStack) -> None:
    playground = http_stack.atelier.url
    for path in ("events", "commands", "interactions", "install", "oauth_redirect"):
        assert httpx.get(f"{playground}/slack/{path}").status_code == 404
    for path in ("", "healthz", "metrics", "api/overview"):
        assert httpx.get(f"{origin_of(http_stack)}/{path}").status_code == 404


def test_url_verification_echoes_the_challenge(http_stack: SlackStack) -> None:
    sender = http_stack.sender
    assert isinstance(sender, HttpSender)
    challenge = {"type": "url_verification", "challenge": "c0ffee", "token": "old"}
    status, body = http_stack.slack.run(sender.post("events_api", challenge))
    assert (status, "c0ffee" in body) == (200, True)


def test_first_delivery_with_a_retry_header_is_handled(http_stack: SlackStack) -> None:
    person = http_stack.new_member("retried", team=OTHER_TEAM)
    channel = http_stack.channel("retry", OTHER_TEAM)
    event = person.write(channel, "<@U0BOT00000> a yellow star", None) | {"type": "app_mention"}
    payload = event_callback(OTHER_TEAM, event, "EvRetry")
    ack = http_stack.slack.run(http_stack.sender.send("events_api", payload, 1, "http_error"))
    assert ack.acked
    pictures_of(http_stack, person, channel, event["ts"], 1, 1)


def test_installation_needs_the_browser_that_started_it(http_stack: SlackStack) -> None:
    slack, origin = http_stack.slack, origin_of(http_stack)
    slack.oauth.codes["stolen"] = OTHER_TEAM
    page = httpx.get(f"{origin}/slack/install")
    assert f"{slack.origin}/oauth/v2/authorize?" in page.text, "the page links to another Slack"
    state = page.headers["set-cookie"].partition(";")[0].partition("=")[2]
    callback = f"{origin}/slack/oauth_redirect"
    without_cookie = httpx.get(callback, params={"code": "stolen", "state": state})
    made_up = httpx.get(
        callback,
        params={"code": "stolen", "state": "made-up"},
        headers={"Cookie": "slack-app-oauth-state=made-up"},
    )
    assert (without_cookie.status_code, made_up.status_code) == (400, 401)
    assert "stolen" in slack.oauth.codes, "the code was used"


def test_workspace_can_uninstall_and_reinstall_the_app(http_stack: SlackStack) -> None:
    slack, team = http_stack.slack, "T0004"
    workspace = fill(slack.open_workspace(team, "umbrella"))
    assert install(slack, origin_of(http_stack), team).status_code == 200
    person = http_stack.person(ANNA, team)
    person.send_event({"type": "app_uninstalled"})
    workspace.grant = None
    slack.until("the installation is deleted", lambda: team not in encrypted_installs(http_stack))
    slack.until("the departure is recorded", lambda: team in departures(http_stack))
    assert install(slack, origin_of(http_stack), team).status_code == 200
    root = person.mention(GENERAL, "a red heart")
    pictures_of(http_stack, person, GENERAL, root, 1, 1)
    assert team not in departures(http_stack)


def departures(slack_stack: SlackStack) -> set[str]:
    """The workspaces that uninstalled the app."""
    url = slack_stack.atelier.settings.database_url
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as connection:
        return {row[0] for row in connection.execute("SELECT workspace FROM departures")}


def delivered(slack_stack: SlackStack, team: str) -> bool:
    """Whether the deliveries of all jobs of a workspace are recorded."""
    url = slack_stack.atelier.settings.database_url
    assert url is not None
    query = "SELECT bool_and(state = 'done') FROM jobs WHERE workspace = %s"
    with psycopg.connect(url.get_secret_value()) as connection:
        row = connection.execute(query, [team]).fetchone()
    return bool(row and row[0])


def encrypted_installs(slack_stack: SlackStack) -> dict[str, bytes]:
    """The stored bytes of each installation."""
    url = slack_stack.atelier.settings.database_url
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as connection:
        rows = connection.execute("SELECT workspace, sealed FROM installs").fetchall()
    return {workspace: bytes(kept) for workspace, kept in rows}


def origin_of(slack_stack: SlackStack) -> str:
    """The origin of Slack's routes."""
    assert isinstance(slack_stack.sender, HttpSender)
    return slack_stack.sender.origin


def test_data_folder_is_private(http_stack: SlackStack) -> None:
    home = http_stack.atelier.home
    others = home.stat().st_mode & 0o077
    assert others == (0o011 if os.geteuid() == 0 else 0)  # root lets Postgres's account pass
    by_test = {home / name for name in ("up.log", "http.log", "atelier.toml", "imagine.json")}
    ours = [p for p in home.rglob("*") if p.is_file() and p.stat().st_uid == os.geteuid()]
    assert len(ours) > 10
    # The bot of the Discord tests runs in this process, which has not set Atelier's umask.
    uploads = home / "blobs" / "sources"
    readable = {p for p in ours if p.stat().st_mode & 0o077 and uploads not in p.parents}
    assert readable <= by_test


def test_tokens_are_encrypted_at_rest_and_absent_from_logs(http_stack: SlackStack) -> None:
    grant = http_stack.slack.workspaces[OTHER_TEAM].grant
    assert grant is not None
    kept = encrypted_installs(http_stack)
    assert {OTHER_TEAM, THIRD_TEAM} <= set(kept)
    assert all(b"bot_token" not in bytes_ for bytes_ in kept.values())
    assert all(grant.token.encode() not in bytes_ for bytes_ in kept.values())
    logged = http_stack.atelier.log + (http_stack.atelier.home / "http.log").read_text()
    assert grant.token not in logged
    assert SECRET not in logged
    assert http_stack.slack.oauth.client_secret not in logged
