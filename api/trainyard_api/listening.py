"""Listening for connections, in clusters of IPv4, of IPv6 and of both."""

from __future__ import annotations

import socket
from typing import Final

ALL_ADDRESSES: Final = "::"
"""Every address of the machine, also those of IPv4; on a machine without IPv6 those alone."""
BACKLOG: Final = 1024


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`.

    Args:
        host: a name or an address; `ALL_ADDRESSES` (or nothing) takes connections of both
            families. A server that binds `0.0.0.0` is not reached in a cluster of IPv6 alone, and
            asyncio's own servers take no connections of IPv4 at `::`.
        port: 0 takes a free one.

    Raises:
        OSError: the address cannot be listened on.
    """
    if host in ("", ALL_ADDRESSES):
        return _listen_to_all(port)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return socket.create_server((host, port), family=found[0][0], backlog=BACKLOG)


def _listen_to_all(port: int) -> socket.socket:
    if not socket.has_dualstack_ipv6():
        return socket.create_server(("", port), backlog=BACKLOG)
    return socket.create_server(
        ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
    )
