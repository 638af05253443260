"""The programs are configured for a guest: every path its own, nothing of the host's tuned."""

import json
from pathlib import Path

import pytest
import yaml

from trainyard_local import configs
from trainyard_local.addresses import Addresses
from trainyard_local.components import CONTROL_PLANE, Component, components
from trainyard_local.extent import Extent
from trainyard_local.places import Places

ADDRESSES = Addresses("10.210.1.0/24", "10.211.4.0/22", "10.212.4.0/22")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places("a", state=tmp_path / "a", run=Path("/run/trainyard/a"))


def test_kubelet_keeps_to_its_own_control_group_and_folders(places: Places) -> None:
    kubelet = yaml.safe_load(configs.kubelet(places, ADDRESSES))
    assert kubelet["cgroupRoot"] == "/trainyard-a"
    assert kubelet["podLogsDir"].startswith(str(places.state))
    assert kubelet["resolvConf"] == ""
    assert kubelet["clusterDNS"] == ["10.210.1.2"]
    assert kubelet["oomScoreAdj"] == 0


def test_a_rather_full_disk_evicts_nothing(places: Places) -> None:
    kubelet = yaml.safe_load(configs.kubelet(places, ADDRESSES))
    assert kubelet["evictionHard"]["nodefs.available"] == "0%"
    assert kubelet["imageGCHighThresholdPercent"] == 100


def test_proxy_leaves_connection_tracking_alone(places: Places) -> None:
    proxy = yaml.safe_load(configs.proxy(places, ADDRESSES))
    assert proxy["mode"] == "nftables"
    assert proxy["conntrack"]["maxPerCore"] == 0


def test_pods_get_addresses_of_the_pod_network_and_notes_stay_with_the_cluster(
    places: Places,
) -> None:
    bridge = json.loads(configs.pod_network(places, ADDRESSES))["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.211.4.0/22"}]]
    assert bridge["ipam"]["dataDir"] == "/run/trainyard/a/cni"
    assert bridge["hairpinMode"]
    assert "promiscMode" not in bridge


def test_containerd_shares_no_folder_with_another_containerd(places: Places) -> None:
    text = configs.containerd(places, Path("/usr/lib/cni"))
    assert f'root = "{places.state}/containerd"' in text
    assert 'state = "/run/trainyard/a/containerd"' in text
    assert 'Root = "/run/trainyard/a/runc"' in text
    assert "netns_mounts_under_state_dir = true" in text
    assert "/opt" not in text


def test_registry_is_asked_in_plain_http() -> None:
    assert 'server = "http://10.210.1.2:5000"' in configs.registry_hosts(ADDRESSES)


def test_dns_answers_on_the_nodes_address(places: Places) -> None:
    assert "bind 10.210.1.2" in configs.corefile(places, ADDRESSES)


def test_control_plane_alone_runs_no_pods(places: Places) -> None:
    parts = _parts(places, Extent(control_plane_only=True))
    assert tuple(parts) == CONTROL_PLANE


def test_control_plane_with_a_scheduler_still_runs_no_pods(places: Places) -> None:
    parts = _parts(places, Extent(control_plane_only=True, scheduler=True))
    assert tuple(parts) == (*CONTROL_PLANE, "kube-scheduler")


def test_played_nodes_get_no_range_of_the_pod_network(places: Places) -> None:
    for only in (True, False):
        command = _parts(places, Extent(control_plane_only=only))["kube-controller-manager"].command
        assert f"--allocate-node-cidrs={'false' if only else 'true'}" in command


def test_requests_are_noted_down_only_when_asked_for(places: Places) -> None:
    quiet = _parts(places, Extent())["kube-apiserver"].command
    assert not any(flag.startswith("--audit") for flag in quiet)
    audited = _parts(places, Extent(audit_user="me"))["kube-apiserver"].command
    assert f"--audit-log-path={places.audit_log}" in audited
    assert f"--audit-policy-file={places.config}/audit.yaml" in audited


def test_only_the_users_requests_are_noted_down_and_each_once() -> None:
    policy = yaml.safe_load(configs.audit("me"))
    assert policy["rules"] == [{"level": "Metadata", "users": ["me"]}, {"level": "None"}]
    assert policy["omitStages"] == ["RequestReceived"]


def test_only_the_throw_away_control_plane_saves_the_disk_syncs(places: Places) -> None:
    for only in (True, False):
        etcd = _parts(places, Extent(control_plane_only=only))["etcd"]
        assert ("--unsafe-no-fsync" in etcd.command) is only


def test_every_program_but_the_systems_names_the_clusters_folder(places: Places) -> None:
    for part in _parts(places, Extent()).values():
        assert any(str(places.state) in item for item in part.command), part.name


def test_unchanged_files_are_not_written_again(places: Places) -> None:
    for identity in ("ca", "admin", "kubelet", "controller-manager", "scheduler", "proxy"):
        _fake_certificate(places, identity)
    _fake_certificate(places, "coredns")
    configs.write_all(places, ADDRESSES, Path("/usr/lib/cni"))
    before = (places.config / "proxy.yaml").stat().st_mtime_ns
    configs.write_all(places, ADDRESSES, Path("/usr/lib/cni"))
    assert (places.config / "proxy.yaml").stat().st_mtime_ns == before
    assert (places.kubeconfig.stat().st_mode & 0o777) == 0o600


def _parts(places: Places, extent: Extent) -> dict[str, Component]:
    return {part.name: part for part in components(places, ADDRESSES, Path("/p"), extent)}


def _fake_certificate(places: Places, identity: str) -> None:
    places.pki.mkdir(parents=True, exist_ok=True)
    (places.pki / f"{identity}.crt").write_text("c")
    (places.pki / f"{identity}.key").write_text("k")
