"""The command line itself: every command of the contract, and refusals that say what to do."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from PIL import Image

from bots.core.command import BadCommand, Imagine
from bots.operator.doors import operator_of, set_door
from bots.operator.imagine import Wish, encoded, paths
from bots.operator.refusal import Refusal
from tasks.client import Client
from tests.stack import Servers, clean_environment

COMMANDS = ("up", "discord", "slack", "web", "worker", "clock", "imagine", "doctor", "plan")
COMMANDS += ("bench", "capacity", "doors", "db")


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
def test_options_of_the_contract(tmp_path: Path, command: str, options: list[str]) -> None:
    shown = atelier(command, "--help", home=tmp_path).stdout
    assert all(option in shown for option in options)


@pytest.mark.parametrize("command", [["web"], ["worker"], ["clock"], ["db", "upgrade"]])
def test_one_process_alone_needs_servers(tmp_path: Path, command: list[str]) -> None:
    refused = atelier(*command, home=tmp_path)
    assert refused.returncode == 78
    assert refused.stderr.startswith("ATELIER_DATABASE_URL and ATELIER_REDIS_URL are not set")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "variable"),
    [("discord", "ATELIER_DISCORD_TOKEN"), ("slack", "ATELIER_SLACK_APP_TOKEN")],
)
def test_a_bot_alone_needs_its_token(tmp_path: Path, command: str, variable: str) -> None:
    refused = atelier(command, home=tmp_path)
    assert refused.returncode == 78
    assert refused.stderr.startswith(f"{variable} is not set")


def test_an_unknown_tier_in_the_file_stops_the_start_and_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "atelier.toml").write_text("[tiers.free]\nweight = 1\n\n[tiers.gold]\nweight = 2\n")
    refused = atelier("up", home=tmp_path)
    assert refused.returncode == 78
    assert refused.stdout == ""
    assert "line 4" in refused.stderr
    assert "gold" in refused.stderr


def test_an_unknown_model_stops_the_start(tmp_path: Path) -> None:
    refused = atelier("up", home=tmp_path, ATELIER_MODEL="no-such-model")
    assert refused.returncode == 78
    assert refused.stderr.startswith("ATELIER_MODEL is wrong")


def test_a_server_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    absent = "postgresql://atelier:hunter2@127.0.0.1:1/atelier"
    refused = atelier("up", home=tmp_path, ATELIER_DATABASE_URL=absent, ATELIER_WEB_PORT="0")
    assert refused.returncode == 1
    assert "ATELIER_DATABASE_URL" in refused.stderr
    assert "hunter2" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unknown_benchmark_is_told_the_known_ones(tmp_path: Path) -> None:
    refused = atelier("bench", "speed", home=tmp_path)
    assert refused.returncode == 1
    assert "flow, queue, engine, postcard" in refused.stderr


@pytest.mark.parametrize("name", [".", "no folder/figures.json"])
@pytest.mark.parametrize("command", [["plan"], ["bench", "queue"]])
def test_a_file_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, command: list[str], name: str
) -> None:
    refused = atelier(*command, "--json", name, home=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{name} cannot be written: ")
    assert refused.stdout == ""


def test_the_doctor_says_how_to_mend_a_setting(tmp_path: Path) -> None:
    report = atelier("doctor", home=tmp_path, ATELIER_WEB_PORT="http")
    assert report.returncode == 1
    assert "ATELIER_WEB_PORT is wrong" in report.stdout
    assert "→" in report.stdout


def test_the_doctor_finds_a_bare_machine_well(tmp_path: Path) -> None:
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


def test_options_win_over_flags_in_the_prompt() -> None:
    command = Wish(
        "a red star --count 2 --no trees --ar 3:2", "pro", seed="7", aspect="1:1"
    ).command()
    assert isinstance(command, Imagine)
    assert (command.prompt, command.count, command.seed) == ("a red star", 2, 7)
    assert (command.aspect, command.negative) == ("1:1", "trees")


@pytest.mark.parametrize(
    "wish",
    [Wish("", "pro"), Wish("a star", "pro", count="99"), Wish("a star", "pro", aspect="7:1")],
)
def test_a_wish_that_cannot_be_is_refused(wish: Wish) -> None:
    assert isinstance(wish.command(), BadCommand)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--seed", "seven"], "“seven” is no seed"),
        (["--count", "many"], "“many” is no number of pictures"),
        (["--out", "n" * 300 + ".png"], "name is too long"),
        (["--out", "album.png"], "is a folder"),
        (["--out", "star.txt"], "--out is wrong"),
    ],
)
def test_a_wrong_option_ends_with_1_and_the_reason(
    tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "album.png").mkdir()
    refused = atelier("imagine", "a star", *words, home=tmp_path)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_several_pictures_have_numbered_names(tmp_path: Path) -> None:
    assert paths(tmp_path / "star.png", 1) == [tmp_path / "star.png"]
    names = [path.name for path in paths(tmp_path / "star.png", 3)]
    assert names == ["star-1.png", "star-2.png", "star-3.png"]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_written_in_the_format_of_its_name(form: str) -> None:
    png = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(png, "PNG")
    data = encoded(png.getvalue(), form)
    assert Image.open(io.BytesIO(data)).format == form
    assert (data == png.getvalue()) is (form == "PNG")


def test_doors_are_set_and_shown_by_the_operator(servers: Servers, tmp_path: Path) -> None:
    with servers.database() as url:
        there = {"ATELIER_DATABASE_URL": url, "ATELIER_REDIS_URL": servers.valkey.url}

        def doors(*words: str) -> str:
            done = atelier("doors", *words, home=tmp_path, **there)
            assert done.returncode == 0, done.stderr
            return next(line for line in done.stdout.splitlines() if " upscale " in line)

        assert "discord:77 closed" in doors("upscale", "closed", "--server", "discord:77")
        assert doors("upscale", "waitlist").count("waitlist") == 2
        assert "waitlist" not in doors("upscale", "usual")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("gold", "closed"), "“gold” has no doors"),
        (("free", "ajar"), "“ajar” is no state"),
        (("free", None), "Name a state for free"),
    ],
)
async def test_a_door_that_cannot_be_set_is_a_sentence(
    words: tuple[str, str | None], why: str
) -> None:
    client = create_autospec(Client, instance=True)
    with pytest.raises(Refusal, match=why):
        await set_door(client, operator_of(None), *words)
    client.set_doors.assert_not_awaited()


def test_a_server_is_named_with_its_platform() -> None:
    assert operator_of("slack:T1").workspace == "T1"
    with pytest.raises(Refusal, match="discord:GUILD"):
        operator_of("T1")
