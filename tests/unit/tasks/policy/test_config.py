"""`atelier.toml`: what it may say, and the sentence for each mistake."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from tasks.jobs.members import Member
from tasks.jobs.tiers import DoorState, Feature, Quota, Tier
from tasks.policy.config import DEFAULT_TIERS, PolicyError, find, load, read
from tasks.policy.rollout import Stage

WHOLE = """
[tiers.free]
weight = 1
running = 1
waiting = 1
quota = "3/24h"
largest_megapixels = 1.0
count = 1
features = ["imagine"]
doors = "auto"            # open | waitlist | closed | auto

[tiers.pro]
features = ["all"]
relaxed = true

[discord.guilds."2000000000000000001".roles]
"9000000000000000001" = "pro"      # role id = tier

[slack.workspaces.T0001.usergroups]
S0001 = "plus"

[stages]
edit = { free = "2026-12-15", plus = "25%" }
vary.free = 2026-12-16

[doors]
longest_wait = "20m"

[safety]
words = ["gore"]
"""


def test_missing_file_gives_defaults() -> None:
    policy = load(None)
    assert policy.tiers == DEFAULT_TIERS
    free = policy.tiers[Tier.FREE]
    assert (free.weight, free.running, free.waiting, free.count) == (1, 1, 1, 1)
    assert free.quota == Quota(3, timedelta(hours=24))
    assert free.features == {Feature.IMAGINE}
    assert policy.tiers[Tier.PRO].relaxed
    assert policy.tiers[Tier.TEAM].pool is not None
    assert Feature.PRIVATE in policy.tiers[Tier.PRO].features
    assert Feature.PRIVATE not in policy.tiers[Tier.PLUS].features


def test_complete_file_is_read() -> None:
    policy = read(WHOLE)
    assert policy.tiers[Tier.FREE].doors is DoorState.AUTO
    assert policy.tiers[Tier.PRO].features == frozenset(Feature)
    assert policy.roles_of("discord", "2000000000000000001") == {"9000000000000000001": Tier.PRO}
    assert policy.roles_of("slack", "T0001") == {"S0001": Tier.PLUS}
    assert policy.stages[Feature.EDIT] == {
        Tier.FREE: Stage(date(2026, 12, 15)),
        Tier.PLUS: Stage(percent=25.0),
    }
    assert policy.stages[Feature.VARY][Tier.FREE] == Stage(date(2026, 12, 16))
    assert policy.auto_doors.longest_wait == 1200
    assert policy.words == ("gore",)


def test_omitted_keys_keep_their_defaults() -> None:
    policy = read("[tiers.plus]\nrunning = 7")
    assert policy.tiers[Tier.PLUS].running == 7
    assert policy.tiers[Tier.PLUS].quota == DEFAULT_TIERS[Tier.PLUS].quota


MISTAKES = {
    "unknown tier": ("\n[tiers.gold]\nweight = 1", 2, "tiers.gold", "'free', 'plus', 'team'"),
    "unknown key": ("[tiers.free]\nweight = 1\nwieght = 2", 3, "tiers.free.wieght", "weight"),
    "wrong type": ('[tiers.free]\n\ncount = "3"', 3, "tiers.free.count", "integer"),
    "bad quota": ('[tiers.free]\nquota = "3/24"', 2, "tiers.free.quota", '"3/24h"'),
    "endless window": (
        '[tiers.free]\nquota = "3/99999999999999999d"',
        2,
        "tiers.free.quota",
        '"3/24h"',
    ),
    "endless weight": ("[tiers.free]\nweight = inf", 2, "tiers.free.weight", "1000000"),
    "no window": ('[tiers.free]\nquota = "3/0h"', 2, "tiers.free.quota", '"3/24h"'),
    "feature": ('[tiers.free]\nfeatures = ["fly"]', 2, "tiers.free.features", "imagine, edit"),
    "doors": ('[tiers.free]\ndoors = "ajar"', 2, "tiers.free.doors", "'waitlist'"),
    "weight": ("[tiers.free]\nweight = 0", 2, "tiers.free.weight", "greater than 0"),
    "no table": ("[tiers]\nfree = 3", 2, "tiers.free", "a table"),
    "role": (
        '# roles\n[discord.guilds."20".roles]\n"90" = "gold"',
        3,
        "discord.guilds.20.roles.90",
        "'pro'",
    ),
    "usergroup": (
        '[slack.workspaces.T1]\nusergroups.S1 = "platinum"',
        2,
        "slack.workspaces.T1.usergroups.S1",
        "'plus'",
    ),
    "stage": ('stages.edit = { free = "soon" }', 1, "stages.edit.free", '"2026-12-15"'),
    "stage's feature": ('[stages]\nfly = { free = "open" }', 2, "stages.fly", "'imagine'"),
    "share": ('[stages.edit]\nfree = "125%"', 2, "stages.edit.free", '"25%"'),
    "table": ("\n\nnope = 1", 3, "nope", "tiers, discord"),
    "moment": ("[stages.edit]\nfree = 2026-12-15T10:00:00Z", 2, "stages.edit.free", '"25%"'),
    "no wait": ('[doors]\nlongest_wait = "0s"', 2, "doors.longest_wait", "above 0"),
    "wait": ("[doors]\nlongest_wait = 3", 2, "doors.longest_wait", '"15m"'),
}


@pytest.mark.parametrize(
    ("text", "line", "key", "expected"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_invalid_value_is_reported_with_its_line(
    text: str, line: int, key: str, expected: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        read(text, "house.toml")
    sentence = str(caught.value)
    assert sentence.startswith(f"house.toml, line {line}: {key} is ")
    assert expected in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("text", [f"a = {'[' * 5000}", "a = " + "{b = " * 2000])
def test_deeply_nested_file_is_a_sentence(text: str) -> None:
    with pytest.raises(PolicyError, match="this is not TOML"):
        read(text)


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("[tiers.free]\nweight = \n", 2, ""),
        ("[tiers.free]\nweight = 1\nweight = 2\n", 3, 'Key "weight" already exists.'),
        ("[tiers.free]\nweight = 1\nweight = 2", 3, 'Key "weight" already exists.'),
        ("[tiers.free]\nweight = [1\n\n", 2, "the file ends within a value."),
        ("[tiers.free]\nweight = 1\n\n[tiers.free]\n", 4, 'Key "free" already exists.'),
    ],
)
def test_syntax_error_is_reported_with_its_line(
    tmp_path: Path, text: str, line: int, fault: str
) -> None:
    path = tmp_path / "atelier.toml"
    path.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}, line {line}: this is not TOML: {fault}")
    assert re.search(r"[^.]\.$", sentence), "one full stop"
    assert not re.search(r"\bcol\b", sentence)


def test_unreadable_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_file_in_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(None) is None
    (tmp_path / "atelier.toml").touch()
    assert find(None) == Path("atelier.toml")
    assert find(Path("/elsewhere.toml")) == Path("/elsewhere.toml")


def test_administrators_role_map_wins_over_the_file() -> None:
    policy = read(WHOLE)
    guild = "2000000000000000001"
    who = Member("discord", guild, "1", roles=frozenset({"9000000000000000001", "7"}))
    assert policy.tier_of(who, {}, Tier.FREE) is Tier.PRO
    assert policy.tier_of(who, {"9000000000000000001": None}, Tier.FREE) is Tier.FREE
    assert policy.tier_of(who, {"9000000000000000001": None, "7": Tier.PLUS}, Tier.FREE) is (
        Tier.PLUS
    )
    assert policy.tier_of(who, {"9000000000000000001": Tier.TEAM}, Tier.FREE) is Tier.TEAM


def test_playground_roles_are_tier_names() -> None:
    who = Member("web", "anywhere", "1", roles=frozenset({"plus"}))
    assert load(None).tier_of(who, {}, Tier.FREE) is Tier.PLUS


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tiers.free]\nweight = 1\nweight = 2\n", 3),
        ("[tiers.free]\nweight = 1\n\n[tiers.free]\nrunning = 1\n", 4),
        ("[doors]\nstands = '1m'\nstands.x = 1\n", 3),
    ],
)
def test_repeated_key_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(PolicyError, match=rf"atelier\.toml, line {line}: this is not TOML: Key"):
        read(text)
