"""What belongs to a cluster is recognised, and nothing else is."""

from pathlib import Path

import pytest

from trainyard_local.leftovers import belongs, mounts_below
from trainyard_local.places import Places

PLACES = Places("a", state=Path("/state/clusters/a"), run=Path("/run/trainyard/a"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["/cache/node/1/etcd", "--data-dir=/state/clusters/a/etcd"],
        ["containerd", "--config=/state/clusters/a/config/containerd.toml"],
        ["/usr/bin/docker-registry", "serve", "/state/clusters/a/config/registry.yaml"],
        ["/usr/bin/containerd-shim-runc-v2", "-address", "/run/trainyard/a/containerd.sock"],
    ],
)
def test_the_clusters_programs_are_recognised(arguments: list[str]) -> None:
    assert belongs(arguments, PLACES)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["/cache/node/1/etcd", "--data-dir=/state/clusters/ab/etcd"],
        ["/usr/bin/containerd"],
        ["/usr/bin/containerd-shim-runc-v2", "-address", "/run/trainyard/ab/containerd.sock"],
        ["/usr/bin/containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"],
        ["less", "/state/clusters/a/logs/etcd.log"],
        ["kubectl", "--kubeconfig", "/state/clusters/a/kubeconfig", "get", "pods"],
    ],
)
def test_other_programs_are_not(arguments: list[str]) -> None:
    assert not belongs(arguments, PLACES)


def test_mounts_below_a_folder_are_found_innermost_first() -> None:
    mountinfo = (
        "1 0 8:1 / / rw - ext4 /dev/vda rw\n"
        "2 1 0:9 / /run/trainyard/a/containerd/shm rw - tmpfs shm rw\n"
        "3 2 0:9 / /run/trainyard/a/containerd/shm/x\\040y rw - tmpfs shm rw\n"
        "4 1 0:9 / /run/trainyard/ab rw - tmpfs shm rw\n"
    )
    assert mounts_below(mountinfo, [PLACES.run]) == [
        Path("/run/trainyard/a/containerd/shm/x y"),
        Path("/run/trainyard/a/containerd/shm"),
    ]
