"""The objects that the commands create say what they must."""

from pathlib import Path

import pytest

from trainyard_local import gpus, volumes
from trainyard_local.errors import UsageError
from trainyard_local.places import Roots

ROOTS = Roots(cache=Path("/c"), state=Path("/nowhere"))


def test_volume_and_claim_name_each_other() -> None:
    volume = volumes.build_volume("art", "ml", "5Gi", Path("/f"))
    claim = volumes.build_claim("art", "ml", "5Gi")
    assert volume["spec"]["claimRef"] == {"namespace": "ml", "name": "art"}  # type: ignore[index]
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]  # type: ignore[index]


def test_removing_the_claim_keeps_the_folder() -> None:
    volume = volumes.build_volume("art", "ml", "5Gi", Path("/f"))
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"  # type: ignore[index]


@pytest.mark.parametrize(("name", "size"), [("../x", "1Gi"), ("a", "much"), ("", "1Gi")])
def test_malformed_names_and_sizes_are_refused(name: str, size: str) -> None:
    with pytest.raises(UsageError):
        volumes.create(ROOTS, "trainyard", name, "default", size)


def test_gpus_are_both_there_and_free_to_take() -> None:
    paths = [item["path"] for item in gpus.build_patch(2)]
    assert paths == ["/status/capacity/nvidia.com~1gpu", "/status/allocatable/nvidia.com~1gpu"]
    assert {item["value"] for item in gpus.build_patch(2)} == {"2"}


@pytest.mark.parametrize("count", [-1, 65])
def test_counts_no_node_has_are_refused(count: int) -> None:
    with pytest.raises(UsageError):
        gpus.advertise(ROOTS, "trainyard", count)
