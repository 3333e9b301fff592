"""The operator's allow-list: which servers may use the bot, and within which limits."""

from __future__ import annotations

import pytest

from tasks.jobs.tiers import Tier
from tasks.policy.access import (
    UNKNOWN,
    UNLIMITED,
    AccessMode,
    AccessPolicy,
    ServerLimits,
    ServerRecord,
)
from tasks.policy.config import PolicyError, read

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
    ],
)
def test_access_of_a_server(
    mode: AccessMode, workspace: str, record: ServerRecord | None, limits: ServerLimits, denied: str
) -> None:
    access = AccessPolicy(mode, servers=LISTED).decide("discord", workspace, record)
    assert (access.limits, access.denied) == (limits, denied)


@pytest.mark.parametrize("platform", ["web", "terminal"])
def test_operators_own_platforms_have_no_limits(platform: str) -> None:
    access = AccessPolicy(AccessMode.LISTED).decide(platform, "local", None)
    assert (access.limits, access.denied) == (UNLIMITED, "")


def test_file_lists_servers_and_limits() -> None:
    access = read(
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
    assert access.mode is AccessMode.APPROVED
    assert access.unknown == ServerLimits(Tier.PLUS, 5.0)
    assert access.servers["slack", "T1"] == ServerLimits(Tier.TEAM, 50.0)
    assert access.servers["discord", "7"] == UNLIMITED


def test_unknown_servers_get_free_and_no_grants_by_default() -> None:
    access = read("").access
    assert access.mode is AccessMode.EVERYONE
    assert access.unknown == ServerLimits(Tier.FREE, 0.0)


@pytest.mark.parametrize("name", ["web:local", "discord:", "T1"])
def test_malformed_server_name_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="a server such as"):
        read(f'[access.servers."{name}"]\nhighest_tier = "plus"\n')
