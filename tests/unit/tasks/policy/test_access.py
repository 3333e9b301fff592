"""The operator's allow-list: which servers may use the bot, and within which limits."""

from __future__ import annotations

import pytest

from tasks.jobs.tiers import Tier
from tasks.policy import access
from tasks.policy.access import (
    UNKNOWN,
    UNLIMITED,
    AccessMode,
    AccessPolicy,
    ServerLimits,
    ServerRecord,
    read_server_name,
)
from tasks.policy.config import PolicyError, read
from tests.records import assert_records_are_immutable

PLUS = ServerLimits(Tier.PLUS, 100.0)
LISTED = {("discord", "1"): PLUS}
APPROVED, BANNED = ServerRecord(approved=True, limits=PLUS), ServerRecord(banned=True)


@pytest.mark.parametrize(
    ("mode", "workspace", "record", "limits", "denied"),
    [
        (AccessMode.EVERYONE, "2", None, UNKNOWN, ""),
        (AccessMode.EVERYONE, "2", ServerRecord(), UNKNOWN, ""),
        (AccessMode.EVERYONE, "2", APPROVED, PLUS, ""),
        (AccessMode.EVERYONE, "1", None, PLUS, ""),
        (AccessMode.EVERYONE, "1", BANNED, UNKNOWN, "server-banned"),
        (AccessMode.APPROVED, "2", None, UNKNOWN, "server-not-approved"),
        (AccessMode.APPROVED, "2", APPROVED, PLUS, ""),
        (AccessMode.APPROVED, "1", None, PLUS, ""),
        (AccessMode.LISTED, "2", APPROVED, UNKNOWN, "server-not-approved"),
        (AccessMode.LISTED, "1", None, PLUS, ""),
        (AccessMode.APPROVED, "2", ServerRecord(), UNKNOWN, "server-not-approved"),
        (AccessMode.APPROVED, "2", ServerRecord(limits=PLUS), UNKNOWN, "server-not-approved"),
        (AccessMode.APPROVED, "1", BANNED, UNKNOWN, "server-banned"),
        (AccessMode.LISTED, "2", None, UNKNOWN, "server-not-approved"),
        (AccessMode.LISTED, "2", BANNED, UNKNOWN, "server-banned"),
        (AccessMode.EVERYONE, "2", BANNED, UNKNOWN, "server-banned"),
        (
            AccessMode.APPROVED,
            "2",
            ServerRecord(approved=True, banned=True, limits=PLUS),
            UNKNOWN,
            "server-banned",
        ),
    ],
)
def test_access_of_a_server(
    mode: AccessMode, workspace: str, record: ServerRecord | None, limits: ServerLimits, denied: str
) -> None:
    found = AccessPolicy(mode, servers=LISTED).decide("discord", workspace, record)
    assert (found.limits, found.denied) == (limits, denied)


@pytest.mark.parametrize("platform", ["web", "terminal"])
def test_operators_own_platforms_have_no_limits(platform: str) -> None:
    found = AccessPolicy(AccessMode.LISTED).decide(platform, "local", None)
    assert (found.limits, found.denied) == (UNLIMITED, "")


@pytest.mark.parametrize("mode", AccessMode)
def test_first_server_is_approved_where_everyone_may_use_the_bot(mode: AccessMode) -> None:
    assert AccessPolicy(mode).approves_first is (mode is AccessMode.EVERYONE)


def test_records_and_limits_by_default() -> None:
    assert ServerRecord() == ServerRecord(approved=False, banned=False, limits=UNLIMITED)
    assert ServerLimits(Tier.PRO, None) == UNLIMITED
    assert ServerLimits(Tier.FREE, 0.0) == UNKNOWN
    assert AccessPolicy() == AccessPolicy(AccessMode.EVERYONE, UNKNOWN, {})
    assert_records_are_immutable(access)


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("discord:7", ("discord", "7")),
        ("slack:T1", ("slack", "T1")),
        ("slack:a:b", ("slack", "a:b")),
    ],
)
def test_server_is_named_by_platform_and_workspace(name: str, server: tuple[str, str]) -> None:
    assert read_server_name(name) == server


@pytest.mark.parametrize("name", ["web:local", "discord:", "T1", "", ":T1", "Slack:T1"])
def test_other_names_are_no_servers(name: str) -> None:
    with pytest.raises(ValueError, match="a server such as"):
        read_server_name(name)


def test_file_lists_servers_and_limits() -> None:
    policy = read(
        """
        [access]
        mode = "approved"
        highest_tier = "plus"
        highest_grant = 5
        [access.servers."slack:T1"]
        highest_tier = "team"
        highest_grant = 50
        [discord.guilds."7".roles]
        "9" = "pro"
        """
    ).access
    assert policy.mode is AccessMode.APPROVED
    assert policy.unknown == ServerLimits(Tier.PLUS, 5.0)
    assert policy.servers["slack", "T1"] == ServerLimits(Tier.TEAM, 50.0)
    assert policy.servers["discord", "7"] == UNLIMITED


def test_unknown_servers_get_free_and_no_grants_by_default() -> None:
    policy = read("").access
    assert policy.mode is AccessMode.EVERYONE
    assert policy.unknown == ServerLimits(Tier.FREE, 0.0)


@pytest.mark.parametrize("name", ["web:local", "discord:", "T1"])
def test_malformed_server_name_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="a server such as"):
        read(f'[access.servers."{name}"]\nhighest_tier = "plus"\n')
