"""`atelier imagine` as a stranger types it: beside a running studio, and alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
from PIL import Image

from tests.stack import START_SECONDS, AtelierProcess


def command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bots.cli", "imagine", *words]


def imagine(atelier: AtelierProcess, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        env={**atelier.full_environment, "LANG": "C"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def test_imagine_uses_a_running_instance(atelier: AtelierProcess, tmp_path: Path) -> None:
    words = ("a red star on a blue background", "--seed", "7")
    first = imagine(atelier, tmp_path, *words, "--out", "star.png")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "star.png\n"
    again = imagine(atelier, tmp_path, *words, "--out", "again.jpg", "--count", "2")
    assert again.returncode == 0, again.stderr
    assert again.stdout == "again-1.jpg\nagain-2.jpg\n"
    with Image.open(tmp_path / "star.png") as star, Image.open(tmp_path / "again-1.jpg") as same:
        assert (star.format, same.format) == ("PNG", "JPEG")
        assert star.size == same.size
    assert atelier.alive("worker")


def test_refusal_is_one_sentence(atelier: AtelierProcess, tmp_path: Path) -> None:
    refused = [
        imagine(atelier, tmp_path, "   "),
        imagine(atelier, tmp_path, "a star", "--count", "99"),
        imagine(atelier, tmp_path, "a star", "--tier", "gold"),
        imagine(atelier, tmp_path, "a star", "--tier", "free", "--count", "4"),
        imagine(atelier, tmp_path, "a star", "--out", "no/such/folder/star.png"),
        imagine(atelier, tmp_path, "a star", "--out", "star.gif"),
    ]
    for one in refused:
        assert one.returncode == 1, one
        assert one.stdout == ""
        assert len(one.stderr.strip().splitlines()) == 1, one.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_cancels_the_job(atelier: AtelierProcess, tmp_path: Path) -> None:
    atelier.signal_child("worker", signal.SIGSTOP)  # so that the job stays in line
    try:
        with subprocess.Popen(
            command("a green star", "--tier", "team"),
            env=atelier.full_environment,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            # A suite that was started in the background has its interrupts ignored, and hands that
            # down; a person at a terminal has them heard.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        ) as asked:
            _wait_for_job(atelier, "a green star")
            asked.send_signal(signal.SIGINT)
            _, said = asked.communicate(timeout=60)
        assert asked.returncode == 1
        assert "Cancelled" in said
        assert _states(atelier, "a green star") == ["cancelled"]
    finally:
        atelier.signal_child("worker", signal.SIGCONT)
    assert list(tmp_path.iterdir()) == []


def test_imagine_alone_starts_and_stops_its_own_processes(
    new_atelier: Callable[..., AtelierProcess], tmp_path: Path
) -> None:
    nobody = new_atelier()
    nobody.home /= "Images d'été 100%?"  # as people name folders, and macOS its own
    nobody.home.mkdir(parents=True)
    made = imagine(nobody, tmp_path, "a yellow circle", "--out", "circle.png")
    assert made.returncode == 0, made.stderr
    assert Image.open(tmp_path / "circle.png").format == "PNG"
    assert nobody.survivors() == []
    assert list((nobody.home / "run").glob("*.pid")) == []
    assert list((nobody.home / "blobs" / "pictures").glob("*/*.png"))
    assert list(nobody.home.parent.iterdir()) == [nobody.home]


def _states(atelier: AtelierProcess, prompt: str) -> list[str]:
    secret = atelier.settings.database_url
    assert secret is not None
    with psycopg.connect(secret.get_secret_value()) as connection:
        found = connection.execute(
            "SELECT state FROM jobs WHERE request ->> 'prompt' = %s", [prompt]
        )
        return [str(row[0]) for row in found]


def _wait_for_job(atelier: AtelierProcess, prompt: str) -> None:
    deadline = time.monotonic() + 60
    while not _states(atelier, prompt):
        assert time.monotonic() < deadline, "the order never came"
        time.sleep(0.05)
