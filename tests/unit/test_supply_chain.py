"""Images by digest, licences of dependencies, and no secrets in the repository."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import files
from pathlib import Path, PurePath
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'a' * 64}"


def script(path: str) -> ModuleType:
    """A script of the repository as a module."""
    name = f"repository_script_{Path(path).stem}"  # never the name of another module
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


licences, digests, secrets = (
    script(path)
    for path in ("docs/generate_licences.py", "docker/renew_digests.py", ".ci/find_secrets.py")
)


def test_list_of_licences_is_up_to_date() -> None:
    assert (ROOT / "docs" / "licences.md").read_text() == licences.page(ROOT / "requirements")


def test_package_without_a_licence_fails() -> None:
    with pytest.raises(licences.UnknownLicence, match="not installed"):
        licences.licence_of("a-package-that-nobody-has")
    with pytest.raises(licences.UnknownLicence, match="names no licence"):
        licences.licence_of("colorama", {}, read=lambda _name: Message())


def test_library_inside_a_wheel_needs_a_licence() -> None:
    names = ("a.libs/libx265-4883ecb5.so.217", "a.libs/libfoo.so", "a/libbar.so", "a.libs/README")
    found = licences.installed_libraries("a", lambda _package: [PurePath(name) for name in names])
    assert found == {"libx265", "libfoo"}
    heif = licences.Package("pillow-heif", "1", ("bots",))
    assert licences.unlisted_libraries([heif], lambda _package: {"libx265", "libnew"}) == [
        "pillow-heif: libnew"
    ]


def test_wheel_of_pillow_heif_is_listed_with_the_licences_that_it_states() -> None:
    """Read from the wheel's own notice, so that a new library or licence in it is seen."""
    notice = next(f for f in files("pillow-heif") or [] if f.name == "LICENSES_bundled.txt")
    stated = dict(re.findall(r"^Name: (\w+)$\nLicense: (\w+)$", notice.read_text(), re.MULTILINE))
    assert stated == {"libheif": "LGPLv3", "libde265": "LGPLv3", "x265": "GPLv2"}
    listed = licences.licence_of("pillow-heif")
    assert all(licence in listed for licence in licences.BUNDLED["pillow-heif"].values())
    for name, licence in stated.items():
        here = licences.BUNDLED["pillow-heif"][f"lib{name.removeprefix('lib')}"]
        assert here.startswith(licence.replace("v", "-"))


def test_every_image_has_a_digest() -> None:
    named = {
        name: digest
        for file in digests.FILES
        for name, digest in digests.named_images((ROOT / "docker" / file).read_text())
    }
    assert {name.rpartition(":")[0] for name in named} == {
        "python",
        "postgres",
        "valkey/valkey",
        "prom/prometheus",
        "grafana/grafana",
    }
    assert [name for name, digest in named.items() if digest is None] == []


def test_compose_file_has_no_default_password() -> None:
    compose = (ROOT / "docker" / "compose.yml").read_text()
    passwords = re.findall(r"\$\{(\w*PASSWORD\w*)(:?[-?+][^}]*)?\}", compose)
    assert {name for name, _ in passwords} == {"POSTGRES_PASSWORD", "GRAFANA_PASSWORD"}
    assert all(otherwise.startswith(":?") for _, otherwise in passwords)
    assert not re.search(r"PASSWORD\S*:\s*[\w'\"](?!\$)", compose.replace('"${', "${"))


@pytest.fixture
def registry() -> Iterator[str]:
    """A loopback registry that wants a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            if self.headers.get("Authorization") != "Bearer t":
                realm = f'Bearer realm="http://{host}/token",service="s",scope="repository:x:pull"'
                self.send_response(401)
                self.send_header("WWW-Authenticate", realm)
            elif self.path.endswith("/v2/library/postgres/manifests/18"):
                self.send_response(200)
                self.send_header("Docker-Content-Digest", DIGEST)
            else:
                self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"token": "t"}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    host = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield host
    server.shutdown()


def test_digests_are_asked_of_the_registry(registry: str) -> None:
    image = digests.Image(registry, "library/postgres", "18")
    assert digests.current_digest(image, "http") == DIGEST
    with pytest.raises(digests.RegistryError, match="names no digest"):
        digests.current_digest(digests.Image(registry, "x", "1"), "http")
    text = f"FROM postgres:18 AS wheel\n    image: postgres:18@sha256:{'b' * 64}\n"
    expected = f"FROM postgres:18@{DIGEST} AS wheel\n    image: postgres:18@{DIGEST}\n"
    assert digests.with_digest(text, "postgres:18", DIGEST) == expected


def test_image_names_lead_to_their_registry() -> None:
    assert digests.Image.of("postgres:18") == digests.Image(digests.HUB, "library/postgres", "18")
    assert digests.Image.of("prom/x:v1") == digests.Image(digests.HUB, "prom/x", "v1")
    assert digests.Image.of("ghcr.io/a/b:2") == digests.Image("ghcr.io", "a/b", "2")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def search(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "find_secrets.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


PLANTED = {
    "slack": "xoxb-" + "1234567890-1234567890123-abcdefABCDEF12345678abcd",
    "aws": "AKIA" + "ABCDEFGHIJKLMNOP",
    "github": "ghp_" + "a1" * 18,
    "key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
    "url": "postgresql://atelier:" + "a-very-long-password@db/atelier",
}


def test_secrets_are_found_in_files_and_history(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    file = tmp_path / "settings.env"
    for name, secret in PLANTED.items():
        file.write_text(f"{name} = {secret}\n")
        git(tmp_path, "add", ".")
        status, found = search(tmp_path)
        assert (status, secret in found) == (1, False)
        assert found.startswith("settings.env:1: ")
        git(tmp_path, "commit", "-qm", name)
    file.write_text("nothing = 1\n")
    git(tmp_path, "commit", "-qam", "remove")
    assert search(tmp_path) == (0, "")
    status, found = search(tmp_path, "--history")
    assert status == 1
    assert len(found.splitlines()) == len(PLANTED)


def test_repository_has_no_secrets() -> None:
    assert search(ROOT) == (0, "")
