"""The playground behind real reverse proxies: never open by mistake, usable as documented."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.browser.visitor import Visitor, persona
from tests.browser.web_process import free_port, web_process
from tests.stack import AtelierProcess, clean_environment, wait_until

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "reverse-proxy.md"
NAME = "studio.example.com"
BARE = """
location / {{ proxy_pass http://127.0.0.1:{upstream}; {extra} }}
"""


def program(name: str) -> str:
    """The path of a proxy; the test skips where this machine has none."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def code_block(language: str) -> str:
    """The configuration in the how-to."""
    match = re.search(rf"```{language}\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    return match[1]


@contextmanager
def running(command: Sequence[str], port: int, **environment: str) -> Iterator[None]:
    """A proxy, from when it answers."""
    process = subprocess.Popen(command, env=clean_environment(**environment))
    try:
        wait_until(lambda: answers(port), 30, f"{command[0]} answers")
        yield
    finally:
        process.terminate()
        process.wait(20)


def answers(port: int) -> bool:
    """Whether something answers on a port, with TLS or without."""
    for client in (httpx.Client(base_url=f"http://127.0.0.1:{port}"), public_client(port)):
        with contextlib.suppress(httpx.TransportError), client:
            if client.get("/").status_code == 200:
                return True
    return False


@contextmanager
def nginx(folder: Path, server: str, port: int, user: str = "") -> Iterator[None]:
    """nginx with one `server` block, with its files in `folder`."""
    folder.mkdir()
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr; {user}\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} {server} }}\n"
    )
    with running([program("nginx"), "-c", str(file), "-p", str(folder)], port):
        yield


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the how-to's name, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def assert_closed(url: str) -> None:
    """A stranger who claims to be an administrator reads nothing and changes nothing."""
    who = persona("Mallory", administrator=True)
    with httpx.Client(base_url=url, headers={"Atelier-Member": who}) as stranger:
        for path in (
            "/api/welcome",
            "/api/conversation?channel=general",
            "/api/quota",
            "/api/studio",
            "/api/studio/doors",
            f"/api/stream?as={who}",
            "/pictures/00000000-0000-0000-0000-000000000000",
        ):
            assert stranger.get(path).status_code == 401, path
        for path in ("/api/messages", "/api/actions", "/api/studio/doors"):
            assert stranger.post(path, json={"door": "free"}).status_code == 401, path
        for path in ("/metrics", "/healthz"):
            assert stranger.get(path).status_code == 404, path


@pytest.mark.parametrize(
    ("user", "listen", "extra"),
    [
        pytest.param("", "127.0.0.1", "", id="as-installed"),
        pytest.param("user root;", "127.0.0.1", "", id="same-user"),
        pytest.param(
            "user root;", "0.0.0.0", "proxy_http_version 1.1;", id="same-user-and-http-1.1"
        ),
        pytest.param(
            "",
            "127.0.0.1",
            'proxy_http_version 1.1; proxy_set_header Connection "";',
            id="keep-alive",
        ),
    ],
)
def test_bare_proxy_pass_opens_nothing(
    atelier: AtelierProcess, tmp_path: Path, user: str, listen: str, extra: str
) -> None:
    if os.geteuid() != 0 and user != "user root;":
        pytest.skip("only root starts nginx as another user")
    port, upstream = free_port(), atelier.url.rpartition(":")[2]
    location = BARE.format(upstream=upstream, extra=extra)
    server = f"server {{ listen {listen}:{port}; {location} }}"
    user = user if os.geteuid() == 0 else ""
    with nginx(tmp_path / "nginx", server, port, user):
        assert_closed(f"http://127.0.0.1:{port}")
    assert Visitor(atelier.url).welcome["token"]  # a program of our own needs no sign-in


def test_bare_caddy_opens_nothing(atelier: AtelierProcess, tmp_path: Path) -> None:
    port, upstream = free_port(), atelier.url.rpartition(":")[2]
    site = f"http://127.0.0.1:{port} {{\nreverse_proxy 127.0.0.1:{upstream}\n}}\n"
    command = caddy(tmp_path, "auto_https off\n", site)
    with running(command, port, HOME=str(tmp_path)):
        assert_closed(f"http://127.0.0.1:{port}")


def caddy(folder: Path, options: str, site: str) -> list[str]:
    """The command of a Caddy that leaves this machine's certificates alone."""
    file = folder / "Caddyfile"
    file.write_text(f"{{\nadmin off\nskip_install_trust\n{options}}}\n{site}")
    return [program("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]


class _NamedTransport(httpx.HTTPTransport):
    """Reaches the proxy on this machine under its public name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = NAME
        return super().handle_request(request)


def public_client(port: int) -> httpx.Client:
    """A browser elsewhere that opens the playground's public address."""
    return httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers={"Host": NAME, "Atelier-Member": persona("Mallory", administrator=True)},
        transport=_NamedTransport(verify=False),
    )


def assert_published(port: int, atelier: AtelierProcess) -> None:
    """Nobody gets in without the secret, and a prompt works with it."""
    with public_client(port) as browser:
        assert browser.get("/sign-in").status_code == 200
        assert browser.get("/api/welcome").status_code == 401
        origin = {"Origin": f"https://{NAME}"}
        body = {"secret": atelier.operator_secret}
        foreign = browser.post(
            "/api/sign-in", json=body, headers={"Origin": "https://evil.example"}
        )
        assert foreign.status_code == 403
        signed_in = browser.post("/api/sign-in", json=body, headers=origin)
        assert signed_in.status_code == 200
        cookie = signed_in.headers["set-cookie"]
        assert "secure" in cookie.lower()
        # httpx files the cookie under the address that it connects to, so it is sent by hand.
        session = {"Cookie": cookie.partition(";")[0]}
        welcome = browser.get("/api/welcome", headers=session).json()
        assert welcome["operator"]
        allowed = {**origin, **session, "Atelier-Token": welcome["token"]}
        form = {"key": (None, "k"), "channel": (None, "general"), "text": (None, "/quota")}
        reply = browser.post("/api/messages", files=form, headers=allowed).json()
        assert reply["kind"] == "answer"
        events = browser.stream("GET", "/api/stream", headers=session)
        with events as stream:
            assert next(stream.iter_lines()).startswith("event: hello")
        assert browser.get("/metrics").status_code == 404


def test_nginx_as_the_how_to_says(atelier: AtelierProcess, tmp_path: Path) -> None:
    port, upstream = free_port(), free_port()
    chain, key = certificate(tmp_path)
    server = (
        code_block("nginx")
        .replace("listen 443", f"listen 127.0.0.1:{port}")
        .replace("/etc/ssl/studio.example.com.pem", str(chain))
        .replace("/etc/ssl/studio.example.com.key", str(key))
        .replace("127.0.0.1:8765", f"127.0.0.1:{upstream}")
    )
    settings = {"ATELIER_WEB_PUBLIC_URL": f"https://{NAME}", "ATELIER_METRICS_PORT": "0"}
    with web_process(atelier, upstream, tmp_path, **settings):
        with nginx(tmp_path / "nginx", server, port):
            assert_published(port, atelier)
        assert_closed(f"http://127.0.0.1:{upstream}")  # not even this machine gets in unasked


def test_caddy_as_the_how_to_says(atelier: AtelierProcess, tmp_path: Path) -> None:
    port, upstream = free_port(), free_port()
    options = f"local_certs\nauto_https disable_redirects\nhttps_port {port}\n"
    site = code_block("caddy").replace("127.0.0.1:8765", f"127.0.0.1:{upstream}")
    command = caddy(tmp_path, f"{options}http_port {free_port()}\n", site)
    settings = {"ATELIER_WEB_PUBLIC_URL": f"https://{NAME}", "ATELIER_METRICS_PORT": "0"}
    with (
        web_process(atelier, upstream, tmp_path, **settings),
        running(command, port, HOME=str(tmp_path)),
    ):
        assert_published(port, atelier)
