"""Whether a loopback connection comes from a program of this process's own user.

A loopback address alone proves little: a reverse proxy on the same machine connects from it too,
and a bare `proxy_pass` sends no header that says so. So the other end of the connection is looked
up in the operating system: it must belong to our own user, and its process must not be a server
that other machines can reach. Nor may it be a server's child: `socat` and `ncat` fork a process for
each connection, which closes the listening socket. Linux hides the sockets of programs with
capabilities; of those, only a remote login (`ssh -L`) passes. Where the operating system does not
tell, the answer is no.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

Address = tuple[str, int]

ESTABLISHED, LISTENING = "01", "0A"
REMOTE_LOGIN = frozenset({"sshd", "sshd-session"})
"""Servers whose connections are our user's own: nobody forwards through them without a login."""
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class SocketOwner:
    """The user and the inode of a socket."""

    uid: int
    inode: int


def is_loopback(host: str) -> bool:
    """Whether a server that listens on this address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def is_local_program(client: Address, server: Address) -> bool:
    """Whether the client of this connection is a program of our user that serves nobody else.

    Reads the socket tables of the operating system: some milliseconds, so call it in a thread.
    """
    if not (is_loopback(client[0]) and is_loopback(server[0])):
        return False
    if sys.platform == "linux":
        owner = find_socket(client, server)
        if owner is None or owner.uid != os.geteuid():
            return False
        processes, ports = list(_processes_with(owner.inode)), public_ports()
        if not processes:
            return _is_remote_login(_hidden_programs())
        return not any(_is_reachable(each, ports) for each in processes)
    processes = list(_own_processes_connected(client, server))
    return bool(processes) and not any(_is_reachable(each, frozenset()) for each in processes)


def find_socket(client: Address, server: Address, proc: Path = PROC) -> SocketOwner | None:
    """The client's end of a connection in Linux's table of TCP sockets."""
    version = 6 if ":" in client[0] else 4
    wanted = (_table_address(client), _table_address(server), ESTABLISHED)
    table = proc / "net" / ("tcp6" if version == 6 else "tcp")
    for line in table.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if (fields[1], fields[2], fields[3]) == wanted:
            return SocketOwner(uid=int(fields[7]), inode=int(fields[9]))
    return None


def public_ports(proc: Path = PROC) -> frozenset[int]:
    """The ports on which any program of this machine listens for other machines."""
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # no IPv6 here
            for line in (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                host, _, port = fields[1].partition(":")
                if fields[3] == LISTENING and not is_loopback(_host_of(host)):
                    found.add(int(port, 16))
    return frozenset(found)


def _host_of(table_host: str) -> str:
    """An address from the table: the reverse of `_table_address`."""
    words = (table_host[at : at + 8] for at in range(0, len(table_host), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return str(ipaddress.ip_address(packed))


def _table_address(address: Address) -> str:
    """An address as the table writes it: 32-bit words in native byte order, in hexadecimal."""
    host, port = address
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words) + f":{port:04X}"


def _processes_with(inode: int) -> Iterator[psutil.Process]:
    """The processes that hold a socket, as far as this user may see them."""
    target = f"socket:[{inode}]"
    for pid in psutil.pids():
        try:
            descriptors = list((PROC / str(pid) / "fd").iterdir())
        except OSError:
            continue  # it has ended, or belongs to somebody else
        if any(_link(descriptor) == target for descriptor in descriptors):
            yield psutil.Process(pid)


def _hidden_programs() -> frozenset[str]:
    """The names of our user's programs whose sockets Linux hides, as those with capabilities."""
    hidden = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, FileNotFoundError):  # it has ended
            if process.uids().effective != os.geteuid():
                continue
            try:
                next((PROC / str(process.pid) / "fd").iterdir(), None)
            except PermissionError:
                hidden.add(process.name())
    return frozenset(hidden)


def _is_remote_login(hidden: frozenset[str]) -> bool:
    """Whether nothing but a login from elsewhere can hold a socket that no process shows."""
    return bool(hidden) and hidden <= REMOTE_LOGIN


def _link(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""  # it was closed meanwhile


def _own_processes_connected(client: Address, server: Address) -> Iterator[psutil.Process]:
    """The same where there is no /proc."""
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue  # it has ended, or belongs to somebody else
        if any((each.laddr, each.raddr) == (client, server) for each in connections):
            yield process


def _is_reachable(process: psutil.Process, ports: frozenset[int]) -> bool:
    """Whether other machines can reach a process, or what started it in its own session.

    `ports` are those on which this machine listens for others. A terminal or a desktop is a session
    of its own, so the server that a user logged in through is none of its programs' parents.
    """
    try:
        session = os.getsid(process.pid)
        parents = [each for each in process.parents() if os.getsid(each.pid) == session]
    except (psutil.NoSuchProcess, ProcessLookupError):
        return True  # it has ended: nobody is left to trust
    except (psutil.AccessDenied, PermissionError):
        parents = []
    return any(_serves_other_machines(each, ports) for each in (process, *parents))


def _serves_other_machines(process: psutil.Process, ports: frozenset[int]) -> bool:
    """Whether a process listens for other machines, or holds a connection to such a listener."""
    try:
        if process.name() in REMOTE_LOGIN and process.uids().saved == 0:
            return False
        connections = process.net_connections(kind="tcp")
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False  # its sockets are hidden; its user is ours, which is what is known
    return any(
        not is_loopback(each.laddr.ip)
        if each.status == psutil.CONN_LISTEN
        else each.laddr and each.laddr.port in ports
        for each in connections
    )
