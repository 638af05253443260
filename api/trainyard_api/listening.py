"""Listening for connections, in clusters of IPv4, of IPv6 and of both."""

from __future__ import annotations

import errno
import socket
from typing import Final

ALL_ADDRESSES: Final = "::"
"""Every address of the machine, also those of IPv4; on a machine without IPv6 those alone."""
_BACKLOG: Final = 1024
_NO_IPV6: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`.

    A server that binds 0.0.0.0 is not reached in a cluster of IPv6 alone, and asyncio's own
    servers take no connection of IPv4 at `::`: so servers of both kinds are given this socket.

    Args:
        host: a name or an address; `ALL_ADDRESSES` takes connections of both families.
        port: 0 takes a free one.

    Raises:
        OSError: the address is in use, not ours, or not allowed.
    """
    if host != ALL_ADDRESSES:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bound(family, (str(address[0]), port))
    try:
        return _bound(socket.AF_INET6, (ALL_ADDRESSES, port))
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
        return _bound(socket.AF_INET, ("0.0.0.0", port))


def host_port(host: str, port: int) -> str:
    """HOST:PORT as addresses and URLs have it, with brackets round an address of IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(family: int, address: tuple[str, int]) -> socket.socket:
    # Without the protocol's number asyncio would leave Nagle's algorithm on: 40 ms an answer.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != ALL_ADDRESSES)
        found.bind(address)
        found.listen(_BACKLOG)
    except OSError:
        found.close()
        raise
    return found
