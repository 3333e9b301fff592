"""Which programs at the other end of a loopback connection count as this user's own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bots.web import local_peer
from bots.web.local_peer import Address, is_local_program

CONNECT = """
import os, socket, sys
socket.getaddrinfo("127.0.0.1", 1)  # another user may not read this Python's modules
if sys.argv[3]:
    os.setuid(int(sys.argv[3]))
if sys.argv[2]:
    listener = socket.create_server((sys.argv[2], 0))
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sys.stdin.read()
"""


FORKING_PROXY = """
import os, socket, subprocess, sys
listener = socket.create_server((sys.argv[2], 0))
print(listener.getsockname()[1], flush=True)
accepted, _ = listener.accept()
if sys.argv[3] == "fork":
    if os.fork() == 0:
        listener.close()
        connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        accepted.recv(1)
        os._exit(0)
    accepted.close()
    os.wait()
else:
    connect = "c = socket.create_connection(('127.0.0.1', %s))" % sys.argv[1]
    program = [sys.executable, "-c", "import socket, sys; " + connect + "; sys.stdin.read()"]
    child = subprocess.Popen(program, stdin=subprocess.PIPE)
    accepted.recv(1)
    child.stdin.close()
    child.wait()
"""


@contextmanager
def server_socket(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(30)
        yield listener


def check(listens_on: str = "", user: str = "") -> bool:
    """Whether another process that connects to this one counts as local."""
    with server_socket() as listener:
        server: Address = listener.getsockname()[:2]
        program = subprocess.Popen(
            [sys.executable, "-c", CONNECT, str(server[1]), listens_on, user],
            stdin=subprocess.PIPE,
            cwd="/",
        )
        try:
            accepted, peer = listener.accept()
            with accepted:
                return is_local_program((str(peer[0]), int(peer[1])), server)
        finally:
            program.kill()
            program.communicate()


def test_program_of_this_user_is_local() -> None:
    assert check()


def test_program_that_serves_only_this_machine_is_local() -> None:
    assert check(listens_on="127.0.0.1")


def test_program_that_other_machines_can_reach_is_not_local() -> None:
    assert not check(listens_on="0.0.0.0")


@pytest.mark.parametrize("way", ["fork", "exec"])
@pytest.mark.parametrize(("listens_on", "local"), [("0.0.0.0", False), ("127.0.0.1", True)])
def test_child_of_a_program_that_other_machines_can_reach_is_not_local(
    listens_on: str, local: bool, way: str
) -> None:
    with server_socket() as listener:
        server: Address = listener.getsockname()[:2]
        proxy = subprocess.Popen(
            [sys.executable, "-c", FORKING_PROXY, str(server[1]), listens_on, way],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert proxy.stdout is not None
            stranger = socket.create_connection(("127.0.0.1", int(proxy.stdout.readline())))
            with stranger:
                accepted, peer = listener.accept()
                with accepted:
                    assert is_local_program((str(peer[0]), int(peer[1])), server) is local
        finally:
            proxy.kill()
            proxy.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs as another user")
def test_program_of_another_user_is_not_local() -> None:
    assert not check(user="65534")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_connection_of_this_process_is_local(host: str) -> None:
    with server_socket(host) as listener:
        server = listener.getsockname()[:2]
        with socket.create_connection(server) as connection:
            accepted, _ = listener.accept()
            with accepted:
                assert is_local_program(connection.getsockname()[:2], server)


@pytest.mark.parametrize(
    ("hidden", "local"),
    [(set(), False), ({"caddy"}, False), ({"sshd", "caddy"}, False), ({"sshd-session"}, True)],
)
def test_program_whose_sockets_are_hidden_is_local_only_as_a_login(
    monkeypatch: pytest.MonkeyPatch, hidden: set[str], local: bool
) -> None:
    monkeypatch.setattr(local_peer, "_processes_with", lambda _inode: iter(()))
    monkeypatch.setattr(local_peer, "_hidden_programs", lambda: frozenset(hidden))
    assert check() is local


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs as another user")
def test_program_that_hides_its_sockets_is_found_by_its_name() -> None:
    code = (
        "import ctypes, os, sys; os.setuid(65534); ctypes.CDLL(None).prctl(4, 0, 0, 0, 0);"
        "print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/"
    ) as program:
        assert program.stdout is not None
        assert program.stdin is not None
        program.stdout.readline()
        ask = "import os; from bots.web import local_peer as l; os.setuid(65534);"
        seen = subprocess.run(
            [sys.executable, "-c", f"{ask} print(*l._hidden_programs())"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        program.stdin.close()
    assert any(name.startswith("python") for name in seen)


def test_closed_connection_is_not_local() -> None:
    assert not is_local_program(("127.0.0.1", 1), ("127.0.0.1", 2))


@pytest.mark.parametrize("peer", ["192.0.2.1", "::ffff:192.0.2.1", "10.0.0.1"])
def test_other_machine_is_not_local(peer: str) -> None:
    assert not is_local_program((peer, 50_000), ("127.0.0.1", 8765))
