"""Wrong settings: one sentence a variable, with its name and what is expected, and no secrets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bots.operator.doctor import findings
from bots.operator.doctor_checks.finding import Level
from bots.operator.errors import WrongSettings
from bots.operator.instance_lock import InstanceLock, holder_of
from bots.operator.ports import choose_port, page_url
from bots.operator.server_addresses import check_redis
from bots.operator.settings_errors import check_pictures_folder, read_settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ATELIER_WEB_PORT", "ATELIER_WEB_HOST", "ATELIER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ATELIER_WEB_PORT", "http", "a port from 1 to 65535"),
        ("ATELIER_WEB_PORT", "70000", "a port from 1 to 65535"),
        ("ATELIER_WEB_PORT", "-1", "a port from 1 to 65535"),
        ("ATELIER_SLACK_HTTP_PORT", "70000", "a port from 1 to 65535"),
        ("ATELIER_SECRET_KEY", "A" * 43 + "=,hunter2", "32 random bytes"),
        ("ATELIER_LOG_FORMAT", "xml", "text or json"),
        ("ATELIER_DATABASE_URL", "mysql://root:hunter2@db/x", "a Postgres address"),
        ("ATELIER_DATABASE_URL", "postgresql://root:hunter2@db:port/x", "a Postgres address"),
        ("ATELIER_REDIS_URL", "hunter2", "a Redis or Valkey address"),
        ("ATELIER_REDIS_URL", "redis://:hunter2@host/zero", "a Redis or Valkey address"),
        ("ATELIER_REDIS_URL", "redis://[hunter2", "a Redis or Valkey address"),
        ("ATELIER_BROKER_URL", "amqp://hunter2@host", "a Redis or Valkey address"),
        ("ATELIER_BLOBS_URL", "ftp://hunter2@host", "file:///a/folder or s3://bucket/prefix"),
        ("ATELIER_CONFIG", "/nowhere/atelier.toml", "the path of a file"),
        ("ATELIER_DISCORD_TOKEN", "Bot hunter2", "a token in one piece"),
        ("ATELIER_SLACK_BOT_TOKEN", "“hunter2”", "a token in one piece"),
        ("ATELIER_DISCORD_API_URL", "discord.com", "https://discord.com/api/v10"),
        ("ATELIER_SLACK_API_URL", "slack.com/api", "https://slack.com/api/"),
        ("ATELIER_HOME", __file__, "a folder"),
        ("ATELIER_HOME", "~hunter3/atelier", "unknown user"),
        ("ATELIER_SECRET_KEY", "hunter2", "32 random bytes"),
        ("ATELIER_SLACK_APP_TOKEN", "xapp-hunter2", "ATELIER_SLACK_BOT_TOKEN"),
    ],
)
def test_invalid_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as error:
        read_settings()
    lines = str(error.value).splitlines()
    assert any(line.startswith(f"{name} ") and expected in line for line in lines)
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_every_invalid_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_WEB_PORT", "x")
    monkeypatch.setenv("ATELIER_LOG_FORMAT", "y")
    with pytest.raises(WrongSettings) as error:
        read_settings()
    assert len(str(error.value).splitlines()) == 2


def test_mistakes_of_every_kind_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATELIER_WEB_PORT", "x")  # of a wrong type
    monkeypatch.setenv("ATELIER_DATABASE_URL", "mysql://root:hunter2@db/x")  # of a wrong form
    monkeypatch.setenv("ATELIER_SLACK_BOT_TOKEN", "xoxb-hunter2")  # without its companion
    monkeypatch.setenv("ATELIER_HOME", "~hunter3/atelier")
    (tmp_path / "atelier.toml").write_text('[tiers.free]\ncount = "two"\nrunning = -1\n')
    with pytest.raises(WrongSettings) as error:
        read_settings()
    starts = [line.split(":")[0].split(" ")[0] for line in str(error.value).splitlines()]
    assert starts == [
        "ATELIER_WEB_PORT",
        "ATELIER_DATABASE_URL",
        "ATELIER_HOME",
        "ATELIER_SLACK_BOT_TOKEN",
        "atelier.toml,",
        "atelier.toml,",
    ]
    assert "hunter2" not in str(error.value)
    assert [finding.level for finding in findings()].count(Level.FAIL) == len(starts)


@pytest.mark.parametrize("name", ["ATELIER_REDIS_URL", "ATELIER_BROKER_URL"])
def test_configured_redis_must_answer(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and not listened on
        port = nobody.getsockname()[1]
        monkeypatch.setenv(name, f"redis://:hunter2@127.0.0.1:{port}/0")
        with pytest.raises(WrongSettings, match=f"{name} is wrong") as error:
            check_redis(read_settings())
    assert "hunter2" not in str(error.value)


def test_pictures_folder_is_created_or_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATELIER_BLOBS_URL", f"file://{tmp_path}/deep/down")
    check_pictures_folder(read_settings())
    assert (tmp_path / "deep" / "down").is_dir()
    monkeypatch.setenv("ATELIER_BLOBS_URL", f"file://{__file__}/pictures")
    with pytest.raises(WrongSettings, match="ATELIER_BLOBS_URL is wrong"):
        check_pictures_folder(read_settings())


def test_binary_env_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"ATELIER_WEB_PORT=\xff")
    with pytest.raises(WrongSettings, match=r"\.env cannot be read"):
        read_settings()


@pytest.mark.parametrize("home", [f"{__file__}/home", "/proc/atelier"])
def test_home_that_cannot_be_created_is_reported(home: str) -> None:
    with pytest.raises(WrongSettings, match="ATELIER_HOME is wrong"):
        InstanceLock.take(Path(home))
    assert holder_of(Path(home)) is None


def test_slack_bot_token_alone_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_SLACK_BOT_TOKEN", "xoxb-1")
    with pytest.raises(WrongSettings, match="ATELIER_SLACK_APP_TOKEN"):
        read_settings()
    monkeypatch.setenv("ATELIER_SLACK_SIGNING_SECRET", "abc")
    assert read_settings().slack_bot_token


def test_empty_values_count_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATELIER_WEB_PORT", "")
    monkeypatch.setenv("ATELIER_DISCORD_TOKEN", "")
    settings = read_settings()
    assert (settings.web_port, settings.discord_token) == (8765, None)
    assert settings.home == tmp_path / "home"


def test_relative_home_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATELIER_HOME", "data")
    assert read_settings().home == tmp_path / "data"


def test_busy_port_names_its_variable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WrongSettings, match="ATELIER_WEB_PORT"):
            choose_port("127.0.0.1", taken.getsockname()[1])


def test_port_zero_picks_a_free_port() -> None:
    port = choose_port("127.0.0.1", 0)
    assert 0 < port < 65536
    assert choose_port("127.0.0.1", port) == port


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_invalid_host_names_its_variable(host: str) -> None:
    with pytest.raises(WrongSettings, match="ATELIER_WEB_HOST"):
        choose_port(host, 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_page_url_is_one_that_opens(host: str, url: str) -> None:
    assert page_url(host, 80) == url
