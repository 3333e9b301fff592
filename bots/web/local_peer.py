"""Whether a loopback connection comes from a program of this process's own user.

A loopback address alone proves little: a reverse proxy on the same machine connects from it too,
and a bare `proxy_pass` sends no header that says so. So the other end of the connection is looked
up in the operating system: it must belong to our own user, and its process must not be a server
that other machines can reach. Where the operating system does not tell, the answer is no.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

Address = tuple[str, int]

ESTABLISHED = "01"
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
        return not any(map(_serves_other_machines, _processes_with(owner.inode)))
    processes = list(_own_processes_connected(client, server))
    return bool(processes) and not any(map(_serves_other_machines, processes))


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


def _serves_other_machines(process: psutil.Process) -> bool:
    """Whether a process listens on an address that other machines can reach."""
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.NoSuchProcess:
        return True  # it has ended: nobody is left to trust
    except psutil.AccessDenied:
        return False  # its sockets are hidden; its user is ours, which is what is known
    listening = (each for each in connections if each.status == psutil.CONN_LISTEN)
    return any(not is_loopback(each.laddr.ip) for each in listening)
