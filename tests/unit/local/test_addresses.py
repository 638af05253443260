"""Clusters get addresses that nobody else on the machine uses."""

import itertools
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from trainyard_local import addresses
from trainyard_local.addresses import Addresses, candidates, choose, conflict
from trainyard_local.errors import ClusterError


def test_same_name_gets_same_addresses() -> None:
    assert choose("trainyard", []) == choose("trainyard", [])


def test_no_two_choices_overlap_and_neither_do_a_choices_own_ranges() -> None:
    everything = [network for choice in candidates() for network in choice.networks()]
    assert len(everything) == 192
    ordered = sorted(everything)
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(ordered))


def test_next_choice_is_taken_when_the_first_is_in_use() -> None:
    first = choose("trainyard", [])
    second = choose("trainyard", first.networks())
    assert second != first
    assert conflict(second, first.networks()) is None


def test_only_one_range_in_use_is_reason_enough_to_move() -> None:
    first = choose("tests", [])
    service = IPv4Network(first.service_network)
    assert choose("tests", [service]).service_network != first.service_network


def test_a_vpn_over_all_of_ten_moves_the_cluster_to_the_benchmark_range() -> None:
    chosen = choose("trainyard", [IPv4Network("10.0.0.0/8")])
    assert chosen.node_network.startswith("198.18.")


def test_says_what_to_do_when_nothing_is_left() -> None:
    with pytest.raises(ClusterError, match="down --purge"):
        choose("trainyard", [IPv4Network("10.0.0.0/8"), IPv4Network("198.18.0.0/15")])


def test_node_is_the_second_address_and_the_host_the_first() -> None:
    chosen = Addresses("10.210.3.0/24", "10.211.12.0/22", "10.212.12.0/22")
    assert (chosen.host_ip, chosen.node_ip) == ("10.210.3.1", "10.210.3.2")
    assert chosen.api_service_ip == "10.212.12.1"
    assert chosen.registry == "10.210.3.2:5000"
    assert chosen.server == "https://10.210.3.2:6443"


def test_addresses_come_back_as_they_were_kept(tmp_path: Path) -> None:
    chosen = choose("a", [])
    addresses.write(tmp_path / "state/addresses.json", chosen)
    assert addresses.read(tmp_path / "state/addresses.json") == chosen
    assert addresses.read(tmp_path / "missing.json") is None


def test_damaged_addresses_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "addresses.json"
    file.write_text('{"node')
    with pytest.raises(ClusterError, match=r"addresses\.json is damaged"):
        addresses.read(file)
