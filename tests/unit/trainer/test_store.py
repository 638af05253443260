"""The run's folder."""

import errno
import os
from pathlib import Path

import pytest

from trainyard_api.digests import artifact_sha256
from trainyard_trainer.errors import InvalidSpec, ModelRejected, StoreUnavailable
from trainyard_trainer.store import Store, guarded, publish, verify


def make_folder(path: Path, text: str) -> None:
    path.mkdir()
    (path / "inner.txt").write_text(text)


def test_published_folder_replaces_the_one_of_an_earlier_attempt(tmp_path: Path) -> None:
    target = tmp_path / "model" / "saved_model"
    publish(target, lambda path: make_folder(path, "first"))
    publish(target, lambda path: make_folder(path, "second"))

    assert (target / "inner.txt").read_text() == "second"
    assert [p.name for p in target.parent.iterdir()] == ["saved_model"]


def test_failed_write_leaves_the_artifact_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "model.keras"
    target.write_text("whole")

    def write(path: Path) -> None:
        path.write_text("ha")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreUnavailable, match=r"model\.keras.*full"):
        publish(target, write)
    assert target.read_text() == "whole"
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_leftovers_of_killed_attempts_are_cleared(tmp_path: Path) -> None:
    make_folder(tmp_path / ".partial-7-saved_model", "half")
    make_folder(tmp_path / ".old-7-saved_model", "old")
    publish(tmp_path / "saved_model", lambda path: make_folder(path, "new"))

    assert [p.name for p in tmp_path.iterdir()] == ["saved_model"]


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (errno.ENOSPC, "enlarge"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "fsGroup"),
        (errno.ENOENT, "mounted"),
        (errno.EIO, "check the volume"),
    ],
)
def test_refusing_disk_is_an_unavailable_store_with_path_and_cure(code: int, cure: str) -> None:
    with pytest.raises(StoreUnavailable, match=cure) as caught, guarded(Path("/a/b"), "written"):
        raise OSError(code, os.strerror(code))
    assert "/a/b" in str(caught.value)


def test_claim_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    environ = {"TRAINYARD_VOLUMES": str(tmp_path)}
    with pytest.raises(StoreUnavailable, match="claim artifacts is not mounted"):
        Store.open("pvc://artifacts/job/run", environ)

    (tmp_path / "artifacts").mkdir()
    assert Store.open("pvc://artifacts/job/run", environ).root == tmp_path / "artifacts/job/run"


def test_uri_without_a_path_is_an_invalid_spec() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.storage\.uri"):
        Store.open("s3://bucket/run", {})


def test_artifact_has_uri_and_digest(tmp_path: Path) -> None:
    store = Store(f"file://{tmp_path}", tmp_path)
    publish(store.saved_model, lambda path: make_folder(path, "x"))
    artifact = store.artifact(store.saved_model)

    assert artifact.uri == f"file://{tmp_path}/model/saved_model"
    assert artifact.sha256 == artifact_sha256(store.saved_model)


def test_changed_model_is_rejected(tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    model.write_text("as trained")
    announced = artifact_sha256(model)
    verify(model, announced)
    model.write_text("changed")

    with pytest.raises(ModelRejected) as caught:
        verify(model, announced)
    found = artifact_sha256(model)
    assert f"expected sha256 {announced}" in str(caught.value)
    assert f"found {found}" in str(caught.value)
    assert "'trainyard digest PATH' prints it" in str(caught.value)


def test_model_that_is_away_is_an_unavailable_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="away"):
        verify(tmp_path / "away", "0" * 64)
