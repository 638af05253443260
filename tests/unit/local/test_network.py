"""The networks that the machine uses are read from its routes and interfaces."""

from ipaddress import IPv4Network

from trainyard_local.network import host_interface, networks_of


def test_default_route_takes_nothing_and_own_cable_is_left_out() -> None:
    routes: list[dict[str, object]] = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "10.5.0.0/16", "dev": "tun0"},
        {"dst": "10.9.9.9", "dev": "wg0"},
        {"dst": "10.211.4.0/22", "dev": "tyown"},
    ]
    interfaces: list[dict[str, object]] = [
        {"ifname": "eth0", "addr_info": [{"local": "192.0.2.7", "prefixlen": 24}]},
        {"ifname": "tyown", "addr_info": [{"local": "10.210.1.1", "prefixlen": 24}]},
        {"ifname": "down0", "addr_info": []},
    ]
    assert networks_of(routes, interfaces, "tyown") == [
        IPv4Network("10.5.0.0/16"),
        IPv4Network("10.9.9.9/32"),
        IPv4Network("192.0.2.0/24"),
    ]


def test_interface_names_fit_the_kernel_and_tell_clusters_apart() -> None:
    assert len(host_interface("a" * 30)) <= 15
    assert host_interface("a") != host_interface("b")
