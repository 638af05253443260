"""Servers are reached over IPv4 and over IPv6."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from tests.ipv6 import needs_ipv6
from trainyard_api.listening import ALL_ADDRESSES, host_port, listen


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
def test_all_addresses_are_those_of_both_families(address: str) -> None:
    with (
        listen(ALL_ADDRESSES, 0) as server,
        socket.create_connection((address, server.getsockname()[1]), timeout=5) as client,
    ):
        assert client.getpeername()[0] == address


def test_without_ipv6_those_of_ipv4_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    made = socket.socket

    def refuse(family: int, *more: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return made(family, *more)

    monkeypatch.setattr(socket, "socket", refuse)
    with listen(ALL_ADDRESSES, 0) as server:
        assert server.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
def test_one_address_is_that_one_alone(address: str) -> None:
    with listen(address, 0) as server:
        assert server.getsockname()[0] == address


def test_taken_port_is_refused() -> None:
    with listen(ALL_ADDRESSES, 0) as taken, pytest.raises(OSError, match="in use"):
        listen(ALL_ADDRESSES, taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "said"), [("10.1.2.3", "10.1.2.3:80"), ("fd00::7", "[fd00::7]:80"), ("a.b", "a.b:80")]
)
def test_addresses_of_ipv6_have_brackets(host: str, said: str) -> None:
    assert host_port(host, 80) == said
