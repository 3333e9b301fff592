"""The real bolt app over signed HTTP, in two workspaces, with the real worker behind it."""

from __future__ import annotations

import time

import httpx
import psycopg

from tests.platforms.slack.conftest import (
    ANNA,
    GENERAL,
    OTHER_TEAM,
    SECRET,
    THIRD_TEAM,
    Town,
    fill,
    install,
)
from tests.platforms.slack.deliveries import HttpLine, event_callback
from tests.platforms.slack.evening import pictures_of, spend_an_evening


def test_a_whole_evening(http_town: Town) -> None:
    spend_an_evening(http_town, "evening", OTHER_TEAM)
    assert isinstance(http_town.line, HttpLine)
    assert http_town.line.late == 0
    assert http_town.slack.violations == []
    assert http_town.slack.overruns == []


def test_two_workspaces_with_the_same_ids_do_not_touch(http_town: Town) -> None:
    here, there = http_town.person(ANNA, OTHER_TEAM), http_town.person(ANNA, THIRD_TEAM)
    ts = here.mention(GENERAL, "a red circle")
    pictures_of(http_town, here, GENERAL, ts, 1, 1)
    # The very same ids, channel, user and moment, in another workspace.
    twin = {"type": "app_mention", "user": ANNA, "channel": GENERAL, "ts": ts, "event_ts": ts,
            "text": "<@U0BOT00000> a blue circle"}  # fmt: skip
    message = here.workspace.channels[GENERAL].messages[ts]
    there.workspace.channels[GENERAL].messages[ts] = type(message)(ts, GENERAL, ANNA, "")
    there.tell(twin)
    answer = pictures_of(http_town, there, GENERAL, ts, 1, 1)
    assert len(here.answers(GENERAL, ts)) == 1
    assert "blue" in answer.text
    assert here.pictures(here.answers(GENERAL, ts)[0]) != there.pictures(answer)
    there.command("/atelier", "history", GENERAL)
    seen = http_town.slack.until("history", there.whispered, 20)
    assert "blue circle" in seen
    assert "red circle" not in seen


def test_only_slack_is_believed(http_town: Town) -> None:
    line = http_town.line
    assert isinstance(line, HttpLine)
    run = http_town.slack.run
    event = event_callback(
        OTHER_TEAM, {"type": "app_home_opened", "user": ANNA, "tab": "home"}, "Ev1"
    )
    assert run(line.post("events_api", event))[0] == 200
    assert run(line.post("events_api", event, secret="somebody else's"))[0] == 401
    line.skew = -600
    try:
        assert run(line.post("events_api", event))[0] == 401, "an old request was replayed"
    finally:
        line.skew = 0
    unsigned = httpx.post(f"{origin_of(http_town)}/slack/events", json=event)
    assert unsigned.status_code == 401


def test_what_makes_no_sense_is_refused_and_breaks_nothing(http_town: Town) -> None:
    url = f"{origin_of(http_town)}/slack/events"
    stamped = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=0"}
    json_ = stamped | {"Content-Type": "application/json"}
    assert httpx.post(url, content=b"{", headers=json_).status_code == 400
    assert httpx.post(url, content=b"\xff", headers=json_).status_code == 400
    never = json_ | {"X-Slack-Request-Timestamp": "never"}
    assert httpx.post(url, content=b"{}", headers=never).status_code == 401
    pieces = (b"x" * 65536 for _ in range(40))  # no length is told beforehand
    assert httpx.post(url, content=pieces, headers=stamped).status_code == 413
    assert httpx.get(url).status_code == 405
    assert httpx.get(url, params={"ssl_check": "1", "token": "x"}).status_code == 200


def test_slack_can_verify_the_address(http_town: Town) -> None:
    line = http_town.line
    assert isinstance(line, HttpLine)
    challenge = {"type": "url_verification", "challenge": "c0ffee", "token": "old"}
    status, body = http_town.slack.run(line.post("events_api", challenge))
    assert (status, "c0ffee" in body) == (200, True)


def test_a_retry_header_alone_is_no_reason_to_drop(http_town: Town) -> None:
    person = http_town.newcomer("retried", team=OTHER_TEAM)
    channel = http_town.channel("retry", OTHER_TEAM)
    event = person.write(channel, "<@U0BOT00000> a yellow star", None) | {"type": "app_mention"}
    payload = event_callback(OTHER_TEAM, event, "EvRetry")
    taken = http_town.slack.run(http_town.line.send("events_api", payload, 1, "http_error"))
    assert taken.acked
    pictures_of(http_town, person, channel, event["ts"], 1, 1)


def test_an_install_needs_the_browser_that_began_it(http_town: Town) -> None:
    slack, origin = http_town.slack, origin_of(http_town)
    slack.oauth.codes["stolen"] = OTHER_TEAM
    page = httpx.get(f"{origin}/slack/install")
    assert f"{slack.origin}/oauth/v2/authorize?" in page.text, "it leads to another Slack"
    state = page.headers["set-cookie"].partition(";")[0].partition("=")[2]
    where = f"{origin}/slack/oauth_redirect"
    without_cookie = httpx.get(where, params={"code": "stolen", "state": state})
    made_up = httpx.get(
        where,
        params={"code": "stolen", "state": "made-up"},
        headers={"Cookie": "slack-app-oauth-state=made-up"},
    )
    assert (without_cookie.status_code, made_up.status_code) == (400, 401)
    assert "stolen" in slack.oauth.codes, "the code was used all the same"


def test_a_workspace_can_leave_and_come_back(http_town: Town) -> None:
    slack, team = http_town.slack, "T0004"
    workspace = fill(slack.open_workspace(team, "umbrella"))
    assert install(slack, origin_of(http_town), team).status_code == 200
    person = http_town.person(ANNA, team)
    person.tell({"type": "app_uninstalled"})
    workspace.grant = None
    slack.until("the token is forgotten", lambda: team not in sealed(http_town), 20)
    assert install(slack, origin_of(http_town), team).status_code == 200
    root = person.mention(GENERAL, "a red heart")
    pictures_of(http_town, person, GENERAL, root, 1, 1)


def sealed(town: Town) -> dict[str, bytes]:
    """What the record keeps of each installation."""
    url = town.studio.settings.database_url
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as connection:
        rows = connection.execute("SELECT workspace, sealed FROM installs").fetchall()
    return {workspace: bytes(kept) for workspace, kept in rows}


def origin_of(town: Town) -> str:
    """Where the web process that Slack speaks to listens."""
    assert isinstance(town.line, HttpLine)
    return town.line.origin


def test_tokens_are_kept_sealed_and_out_of_logs(http_town: Town) -> None:
    grant = http_town.slack.workspaces[OTHER_TEAM].grant
    assert grant is not None
    kept = sealed(http_town)
    assert {OTHER_TEAM, THIRD_TEAM} <= set(kept)
    assert all(b"bot_token" not in bytes_ for bytes_ in kept.values())
    assert all(grant.token.encode() not in bytes_ for bytes_ in kept.values())
    logged = http_town.studio.log + (http_town.studio.home / "http.log").read_text()
    assert grant.token not in logged
    assert SECRET not in logged
    assert http_town.slack.oauth.client_secret not in logged
