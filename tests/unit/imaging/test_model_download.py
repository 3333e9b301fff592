"""`atelier models fetch` against a hub on this machine: only what is used, resumed, in words."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaging.bench.tiny_models import make_pipeline
from imaging.errors import DownloadFailed
from imaging.model_files import WebFile
from imaging.web_download import download
from tests.servers.hub_server import COMMIT, HubServer
from tests.stack import clean_environment

NAME = "someone/small"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SDXL as repositories are: two variants, pickles, and files for other programs."""
    folder = tmp_path_factory.mktemp("small")
    pipe = make_pipeline("sdxl")
    pipe.save_pretrained(folder)
    pipe.save_pretrained(folder, variant="fp16")
    for name in ("small-whole.safetensors", "unet/diffusion_pytorch_model.bin", "vae/model.onnx"):
        (folder / name).write_bytes(b"x" * 5000)
    (folder / "README.md").write_text("---\nlicense: openrail++\n---\n# Small\n")
    return folder


@pytest.fixture
def hub(repository: Path) -> Iterator[HubServer]:
    with HubServer({NAME: repository}) as server:
        yield server


def fetch(
    hub: HubServer, home: Path, *, toml: str = "", name: str = "small"
) -> subprocess.CompletedProcess[str]:
    """Run the command with a cache of its own."""
    home.mkdir(exist_ok=True)
    text = toml or f'[models.small]\nsource = "{NAME}"\nchecker = "off"\nedit = false\n'
    (home / "atelier.toml").write_text(text)
    environment = clean_environment(
        ATELIER_HOME=str(home),
        ATELIER_CONFIG=str(home / "atelier.toml"),
        HF_ENDPOINT=hub.url,
        HF_HUB_CACHE=str(home / "hub"),
        HF_HUB_DISABLE_XET="1",
        HF_HUB_OFFLINE="0",
    )
    return subprocess.run(
        [sys.executable, "-P", "-m", "bots.cli", "models", "fetch", name],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def cached(home: Path) -> set[str]:
    folder = home / "hub" / "models--someone--small" / "snapshots" / COMMIT
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_only_the_files_that_are_used_are_fetched_once(hub: HubServer, tmp_path: Path) -> None:
    done = fetch(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    assert COMMIT in done.stdout
    names = cached(tmp_path)
    assert "model_index.json" in names
    assert "tokenizer/tokenizer.json" in names
    weights = {name for name in names if name.endswith(".safetensors")}
    assert weights == {
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "text_encoder_2/model.safetensors",
    }
    assert not [name for name in names if name.endswith((".bin", ".onnx"))]
    hub.asked.clear()
    assert fetch(hub, tmp_path).returncode == 0
    assert not hub.asked  # complete: the hub is not asked again


def test_named_variant_is_fetched_instead(hub: HubServer, tmp_path: Path) -> None:
    toml = f'[models.small]\nsource = "{NAME}"\nvariant = "fp16"\nchecker = "off"\nedit = false\n'
    assert fetch(hub, tmp_path, toml=toml).returncode == 0
    weights = {name for name in cached(tmp_path) if name.endswith(".safetensors")}
    assert all(".fp16." in name for name in weights)
    assert len(weights) == 4


def test_interrupted_download_goes_on_where_it_was(
    hub: HubServer, repository: Path, tmp_path: Path
) -> None:
    large = shutil.copytree(repository, tmp_path / "large")
    name = "unet/diffusion_pytorch_model.safetensors"
    content = bytes(range(250)) * 100_000
    (large / name).write_bytes(content)
    hub.repositories[NAME], hub.breaks_after = large, 15_000_000
    codes = [fetch(hub, tmp_path / "home").returncode for _ in range(2)]
    assert codes[-1] == 0
    ranges = [asked for asked_name, asked in hub.asked if asked_name == name]
    assert ranges[0] is None
    assert ranges[-1] is not None
    assert ranges[-1] != "bytes=0-"
    folder = tmp_path / "home" / "hub" / "models--someone--small" / "snapshots" / COMMIT
    assert (folder / name).read_bytes() == content


def test_gated_private_and_unreachable_are_sentences(hub: HubServer, tmp_path: Path) -> None:
    hub.gated.add(NAME)
    gated = fetch(hub, tmp_path)
    assert gated.returncode == 1
    assert f"accept its licence at {hub.url}/{NAME}" in gated.stderr
    assert "hf auth login" in gated.stderr
    hub.gated.clear()
    hub.private.add(NAME)
    private = fetch(hub, tmp_path)
    assert f"There is no {NAME}" in private.stderr
    assert "or it is private" in private.stderr
    hub.repositories.clear()
    with HubServer({}) as gone:
        pass
    away = fetch(gone, tmp_path)
    assert "cannot be reached" in away.stderr
    assert "atelier models fetch small" in away.stderr
    for one in (gated, private, away):
        assert one.returncode == 1
        assert "Traceback" not in one.stderr


def test_repository_of_pickles_is_refused(hub: HubServer, repository: Path, tmp_path: Path) -> None:
    old = shutil.copytree(repository, tmp_path / "old")
    for file in (old / "unet").glob("*.safetensors"):
        file.unlink()
    hub.repositories[NAME] = old
    done = fetch(hub, tmp_path / "home")
    assert done.returncode == 1
    assert "only as a pickle (unet/diffusion_pytorch_model.bin)" in done.stderr


def test_web_file_is_resumed_and_checked(hub: HubServer, tmp_path: Path) -> None:
    content = bytes(range(256)) * 200
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "one.safetensors").write_bytes(content)
    hub.repositories["a/b"] = tmp_path / "repo"
    url = f"{hub.url}/a/b/resolve/main/one.safetensors"
    file = WebFile(url, hashlib.sha256(content).hexdigest())
    reports: list[tuple[int, int]] = []

    def report(_name: str, done: int, total: int) -> None:
        reports.append((done, total))

    hub.breaks_after = 30_000
    with pytest.raises(DownloadFailed, match="cannot be downloaded"):
        download(file, tmp_path / "models", report)
    path = download(file, tmp_path / "models", report)
    assert path.read_bytes() == content
    assert reports[-1] == (len(content), len(content))
    ranges = [asked for _, asked in hub.asked]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert download(file, tmp_path / "models", report) == path
    assert len(hub.asked) == 2  # it is here
    with pytest.raises(DownloadFailed, match=r"has the SHA-256 .*, not ab"):
        download(WebFile(url, "ab" * 32), tmp_path / "models", report)
