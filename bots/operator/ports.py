"""The playground's port and URL."""

from __future__ import annotations

import errno
import socket

from bots.operator.errors import WrongSettings

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared with, not bound


def choose_port(host: str, port: int) -> int:
    """The port to bind: `port`, or a free one for 0. Raises WrongSettings if it is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):  # UnicodeError: an invalid host name
        raise WrongSettings(
            f"ATELIER_WEB_HOST is wrong: expected an address of this machine such as 127.0.0.1, "
            f"and {host} is none."
        ) from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(
                1
            )  # with SO_REUSEADDR two sockets may bind on some systems, but only one may listen
        except OSError as error:
            raise WrongSettings(_message(host, port, error)) from None
        return int(probe.getsockname()[1])


def page_url(host: str, port: int) -> str:
    """The page's URL on this machine."""
    if host in EVERYWHERE:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _message(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use by another program; set ATELIER_WEB_PORT to another port, or "
            "to 0 for any free one."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights; set ATELIER_WEB_PORT to one above 1023."
    return (
        f"ATELIER_WEB_HOST is wrong: expected an address of this machine such as 127.0.0.1, and "
        f"{host} cannot be listened on ({error.strerror})."
    )
