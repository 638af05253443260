"""Names fit where Kubernetes puts them, and locations stay where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainyard_api.digests import artifact_sha256
from trainyard_api.locations import UnsupportedLocation, claim, local_path
from trainyard_api.names import MAX_JOB_NAME, gang_service_name, pod_name, run_hash


def test_the_longest_job_name_still_gives_host_names() -> None:
    job = "a" * MAX_JOB_NAME
    assert len(pod_name(job, "123-abcdef", "compress", 999, 0)) <= 63
    assert len(pod_name(job, "123-abcdef", "train", 9999, 999)) <= 63
    assert len(gang_service_name(job, "123-abcdef")) <= 63


def test_the_hash_of_a_run_is_behind_its_counter() -> None:
    assert run_hash("12-5f3a9c") == "5f3a9c"


def test_a_claim_is_a_folder_below_the_volumes() -> None:
    environ = {"TRAINYARD_VOLUMES": "/here"}
    assert local_path("pvc://datasets/mnist", environ) == Path("/here/datasets/mnist")
    assert local_path("file:///data/x", environ) == Path("/data/x")
    assert claim("pvc://datasets/mnist") == "datasets"
    assert claim("file:///data") is None


@pytest.mark.parametrize("uri", ["pvc://a/../../etc", "file:///x/../y", "s3://bucket/x"])
def test_a_location_cannot_leave_its_claim(uri: str) -> None:
    with pytest.raises(UnsupportedLocation):
        local_path(uri)


def test_the_digest_of_a_folder_changes_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = artifact_sha256(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = artifact_sha256(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({first, second, artifact_sha256(tmp_path)}) == 3
