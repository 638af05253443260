"""The cluster's network namespace, and the cable that joins it to the host.

Inside are the node's address, the pods' bridge and kube-proxy's firewall; the host gets one
interface and two routes and no rule of any firewall.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

from trainyard_local.addresses import Addresses
from trainyard_local.errors import ClusterError
from trainyard_local.places import Places

NODE_INTERFACE = "eth0"


def host_interface(cluster: str) -> str:
    """Returns the name of the host's end of the cable: 15 characters are all there may be."""
    return f"ty{hashlib.sha256(cluster.encode()).hexdigest()[:8]}"


def exists(places: Places) -> bool:
    """Returns whether the namespace is there, with its cable."""
    return _is_mounted(places) and Path(f"/sys/class/net/{host_interface(places.name)}").exists()


def create(places: Places, addresses: Addresses) -> None:
    """Makes the namespace, the cable and the routes.

    Raises:
        ClusterError: a command failed; the message says which.
    """
    outside = host_interface(places.name)
    prefix = IPv4Network(addresses.node_network).prefixlen
    inside = ["ip", "-netns", places.netns]
    _run("ip", "netns", "add", places.netns)
    _run(
        "ip",
        "link",
        "add",
        outside,
        "type",
        "veth",
        "peer",
        "name",
        NODE_INTERFACE,
        "netns",
        places.netns,
    )
    _run("ip", "address", "add", f"{addresses.host_ip}/{prefix}", "dev", outside)
    _run("ip", "link", "set", outside, "up")
    _run(*inside, "link", "set", "lo", "up")
    _run(*inside, "address", "add", f"{addresses.node_ip}/{prefix}", "dev", NODE_INTERFACE)
    _run(*inside, "link", "set", NODE_INTERFACE, "up")
    _run(*inside, "route", "add", "default", "via", addresses.host_ip)
    for target in (addresses.pod_network, addresses.service_network):
        _run("ip", "route", "add", target, "via", addresses.node_ip, "dev", outside)
    _run(*entering(places), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def remove(places: Places) -> None:
    """Takes away the namespace and the cable; the routes go with the cable."""
    _try("ip", "link", "delete", host_interface(places.name))
    if places.netns_file.exists():
        _try("ip", "netns", "delete", places.netns)
        places.netns_file.unlink(missing_ok=True)
    folder = places.netns_file.parent
    if folder.is_dir() and not any(folder.iterdir()):
        # `ip netns add` mounts the folder on itself; it does so again for the next namespace.
        _try("umount", str(folder))


def entering(places: Places) -> list[str]:
    """Returns the beginning of a command line that runs a program in the namespace.

    Not `ip netns exec`: that mounts another /sys, in which the container runtime finds no
    control groups.
    """
    return ["nsenter", f"--net={places.netns_file}"]


def taken(cluster: str) -> list[IPv4Network]:
    """Returns the networks that the machine uses, the cluster's own left out."""
    own = host_interface(cluster)
    routes = json.loads(_run("ip", "-json", "-4", "route", "show", "table", "all") or "[]")
    interfaces = json.loads(_run("ip", "-json", "-4", "address", "show") or "[]")
    return networks_of(routes, interfaces, own)


def networks_of(
    routes: list[dict[str, object]], interfaces: list[dict[str, object]], own: str
) -> list[IPv4Network]:
    """Reads the networks out of what `ip -json` says.

    Args:
        routes: of all tables. A default route takes nothing.
        interfaces: with their addresses.
        own: the interface to leave out.
    """
    found: list[IPv4Network] = []
    for route in routes:
        target = str(route.get("dst", "default"))
        if target != "default" and route.get("dev") != own:
            found.append(IPv4Network(target, strict=False))
    for interface in interfaces:
        addresses = interface.get("addr_info")
        if interface.get("ifname") == own or not isinstance(addresses, list):
            continue
        for address in addresses:
            text = f"{address['local']}/{address['prefixlen']}"
            found.append(IPv4Network(text, strict=False))
    return found


def _is_mounted(places: Places) -> bool:
    # After a restart or a crash the file may be there with no namespace behind it.
    target = f" {places.netns_file} "
    return target in Path("/proc/self/mountinfo").read_text()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(
            f"'{' '.join(command)}' failed: {done.stderr.strip()}. "
            "'trainyard cluster down' clears what is left of the cluster, then try again"
        )
    return done.stdout


def _try(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=False)
