"""The command line itself: every command of the contract, and refusals that say what to do."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from bots.cli import main
from bots.core.commands import BadCommand, Imagine
from bots.operator.access import person
from bots.operator.doors import operator_member, set_door
from bots.operator.errors import CommandError
from bots.operator.imagine import ImagineOptions, encode_as, paths
from tests.client_double import client_double
from tests.stack import Servers, clean_environment

COMMANDS = (
    *("up", "discord", "slack", "web", "worker", "clock", "imagine", "doctor", "plan"),
    *("bench", "capacity", "doors", "db", "servers", "ban", "unban"),
    "reports",
)


def atelier(*words: str, home: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "bots.cli", *words],
        env=clean_environment(ATELIER_HOME=str(home), COLUMNS="200", NO_COLOR="1", **extra),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def atelier_here(*words: str, home: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which is quicker: its modules are imported."""
    out, error, status = io.StringIO(), io.StringIO(), 0
    environment = clean_environment(ATELIER_HOME=str(home), COLUMNS="200", NO_COLOR="1", **extra)
    with (
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", ["atelier", *words]),
        contextlib.chdir(home),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
        patch("bots.cli.die_with_parent"),
    ):
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    return subprocess.CompletedProcess(words, status, out.getvalue(), error.getvalue())


def test_help_lists_every_command(tmp_path: Path) -> None:
    shown = atelier("--help", home=tmp_path)
    assert shown.returncode == 0
    assert all(f" {command} " in shown.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("imagine", ["--out", "--tier", "--seed", "--count", "--aspect"]),
        ("plan", ["--json", "--html"]),
        ("bench", ["--json"]),
    ],
)
def test_command_options_match_the_outside_contract(
    tmp_path: Path, command: str, options: list[str]
) -> None:
    shown = atelier(command, "--help", home=tmp_path).stdout
    assert all(option in shown for option in options)


@pytest.mark.parametrize("command", [["web"], ["worker"], ["clock"], ["db", "upgrade"]])
def test_single_process_requires_server_addresses(tmp_path: Path, command: list[str]) -> None:
    refused = atelier(*command, home=tmp_path)
    assert refused.returncode == 78
    assert refused.stderr.startswith("ATELIER_DATABASE_URL and ATELIER_REDIS_URL are not set")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "variable"),
    [("discord", "ATELIER_DISCORD_TOKEN"), ("slack", "ATELIER_SLACK_APP_TOKEN")],
)
def test_single_bot_requires_its_token(tmp_path: Path, command: str, variable: str) -> None:
    refused = atelier(command, home=tmp_path)
    assert refused.returncode == 78
    assert refused.stderr.startswith(f"{variable} is not set")


def test_unknown_tier_in_config_stops_start_and_names_line(tmp_path: Path) -> None:
    (tmp_path / "atelier.toml").write_text("[tiers.free]\nweight = 1\n\n[tiers.gold]\nweight = 2\n")
    refused = atelier("up", home=tmp_path)
    assert refused.returncode == 78
    assert refused.stdout == ""
    assert "line 4" in refused.stderr
    assert "gold" in refused.stderr


def test_unknown_model_stops_start(tmp_path: Path) -> None:
    refused = atelier("up", home=tmp_path, ATELIER_MODEL="no-such-model")
    assert refused.returncode == 78
    assert refused.stderr.startswith("ATELIER_MODEL is wrong")


def test_unreachable_server_stops_start(tmp_path: Path) -> None:
    absent = "postgresql://atelier:hunter2@127.0.0.1:1/atelier"
    refused = atelier("up", home=tmp_path, ATELIER_DATABASE_URL=absent, ATELIER_WEB_PORT="0")
    assert refused.returncode == 1
    assert "ATELIER_DATABASE_URL" in refused.stderr
    assert "hunter2" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_unknown_benchmark_lists_known_ones(tmp_path: Path) -> None:
    refused = atelier("bench", "speed", home=tmp_path)
    assert refused.returncode == 1
    assert "flow, queue, waits, engine, postcard" in refused.stderr


@pytest.mark.parametrize("name", [".", "no folder/figures.json"])
@pytest.mark.parametrize("command", [["plan"], ["bench", "queue"]])
def test_unwritable_output_is_reported_before_work_starts(
    tmp_path: Path, command: list[str], name: str
) -> None:
    refused = atelier(*command, "--json", name, home=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{name} cannot be written: ")
    assert refused.stdout == ""


def test_doctor_says_how_to_fix_a_setting(tmp_path: Path) -> None:
    report = atelier("doctor", home=tmp_path, ATELIER_WEB_PORT="http")
    assert report.returncode == 1
    assert "ATELIER_WEB_PORT is wrong" in report.stdout
    assert "→" in report.stdout


def test_doctor_passes_on_a_bare_machine(tmp_path: Path) -> None:
    token = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123"
    report = atelier(
        "doctor",
        home=tmp_path,
        ATELIER_WEB_PORT="0",
        ATELIER_DISCORD_TOKEN=token,
        ATELIER_DISCORD_API_URL="http://127.0.0.1:1/api/v10",  # nobody there
    )
    assert report.returncode == 0, report.stdout
    assert "client_id=123456789012345678" in report.stdout
    assert token not in report.stdout + report.stderr
    subjects = ("settings", "data folder", "disk", "model", "torch", "GPU", "Postgres", "Valkey")
    assert all(subject in report.stdout for subject in subjects)


def test_options_override_flags_in_the_prompt() -> None:
    command = ImagineOptions(
        "a red star --count 2 --no trees --ar 3:2", "pro", seed="7", aspect="1:1"
    ).command()
    assert isinstance(command, Imagine)
    assert (command.prompt, command.count, command.seed) == ("a red star", 2, 7)
    assert (command.aspect, command.negative) == ("1:1", "trees")


@pytest.mark.parametrize(
    "options",
    [
        ImagineOptions("", "pro"),
        ImagineOptions("a star", "pro", count="99"),
        ImagineOptions("a star", "pro", aspect="7:1"),
    ],
)
def test_invalid_options_are_rejected(options: ImagineOptions) -> None:
    assert isinstance(options.command(), BadCommand)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seed", "seven"], "“seven” isn’t a valid seed"),
        (["--count", "many"], "“many” isn’t a valid number of pictures"),
        (["--out", "n" * 300 + ".png"], "name is too long"),
        (["--out", "album.png"], "is a folder"),
        (["--out", "star.txt"], "--out is wrong"),
    ],
)
def test_invalid_option_exits_with_1_and_the_reason(
    tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "album.png").mkdir()
    refused = atelier_here("imagine", "a star", *words, home=tmp_path)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_several_pictures_get_numbered_names(tmp_path: Path) -> None:
    assert paths(tmp_path / "star.png", 1) == [tmp_path / "star.png"]
    names = [path.name for path in paths(tmp_path / "star.png", 3)]
    assert names == ["star-1.png", "star-2.png", "star-3.png"]


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_picture_is_written_in_the_format_of_its_extension(image_format: str) -> None:
    png = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(png, "PNG")
    data = encode_as(png.getvalue(), image_format)
    assert Image.open(io.BytesIO(data)).format == image_format
    assert (data == png.getvalue()) is (image_format == "PNG")


def test_operator_overrides_and_lists_doors(servers: Servers, tmp_path: Path) -> None:
    with servers.database() as url:
        there = {"ATELIER_DATABASE_URL": url, "ATELIER_REDIS_URL": servers.valkey.url}

        def doors(*words: str) -> str:
            done = atelier_here("doors", *words, home=tmp_path, **there)
            assert done.returncode == 0, done.stderr
            return next(line for line in done.stdout.splitlines() if " upscale " in line)

        assert "discord:77 closed" in doors("upscale", "closed", "--server", "discord:77")
        assert doors("upscale", "waitlist").count("waitlist") == 2
        assert "waitlist" not in doors("upscale", "usual")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("gold", "closed"), "“gold” has no doors"),
        (("free", "ajar"), "“ajar” isn’t a door state"),
        (("free", None), "Name a state for free"),
    ],
)
async def test_invalid_door_override_is_a_clear_error(
    words: tuple[str, str | None], why: str
) -> None:
    client = client_double()
    with pytest.raises(CommandError, match=why):
        await set_door(client, operator_member(None), *words)
    client.door_settings.set.assert_not_awaited()


def test_server_is_named_with_its_platform() -> None:
    assert operator_member("slack:T1").workspace == "T1"
    with pytest.raises(CommandError, match="discord:GUILD"):
        operator_member("T1")


def test_person_is_named_with_platform_and_id() -> None:
    assert person("discord:42").account == "discord:42"
    assert person("slack:T1:U1").account == "slack:T1:U1"
    for name in ("42", "discord:", "slack:T1", "web:me"):
        with pytest.raises(CommandError, match="discord:USER"):
            person(name)


def test_servers_are_approved_and_people_banned_from_the_command_line(
    servers: Servers, tmp_path: Path
) -> None:
    settings = servers.settings
    assert settings.redis_url
    with servers.database() as url:
        addresses = {
            "ATELIER_DATABASE_URL": url,
            "ATELIER_REDIS_URL": settings.redis_url.get_secret_value(),
        }

        def run(*words: str) -> str:
            done = atelier_here(*words, home=tmp_path, **addresses)
            assert done.returncode == 0, done.stderr
            return done.stdout

        run("servers", "approve", "discord:7", "--highest-tier", "plus", "--highest-grant", "50")
        run("ban", "discord:42", "--why", "spam")
        listed = run("servers")
        assert "discord:7" in listed
        assert "plus" in listed
        assert "banned: discord:42 (spam)" in listed
        run("ban", "discord:7", "--server")
        assert "server-banned" in run("servers")
        run("unban", "discord:42")
        assert "discord:42" not in run("servers")
        refused = atelier_here("servers", "approve", "seven", home=tmp_path, **addresses)
        assert refused.returncode == 1
        assert "discord:2000000000000000001" in refused.stderr
