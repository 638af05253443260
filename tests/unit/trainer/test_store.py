"""The run's folder, on a disk."""

import errno
import os
from pathlib import Path

import pytest

from trainyard_api.digests import artifact_sha256
from trainyard_trainer.errors import InvalidSpec, ModelRejected, StoreUnavailable, Superseded
from trainyard_trainer.store import Store, guarded, verify


def make_folder(path: Path, text: str) -> None:
    path.mkdir()
    (path / "inner.txt").write_text(text)


def opened(folder: Path, attempt: int = 1, stage: str = "train") -> Store:
    return Store.open(f"file://{folder}", {}, stage, attempt)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_published_folder_replaces_the_one_of_an_earlier_attempt(tmp_path: Path) -> None:
    opened(tmp_path).saved_model.publish(lambda path: make_folder(path, "first"))
    opened(tmp_path, 2).saved_model.publish(lambda path: make_folder(path, "second"))

    assert (tmp_path / "model/saved_model/inner.txt").read_text() == "second"
    assert names(tmp_path / "model") == ["saved_model"]


def test_failed_write_leaves_the_artifact_as_it_was(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.keras_model.publish(lambda path: path.write_text("whole"))

    def write(path: Path) -> None:
        path.write_text("ha")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreUnavailable, match=r"model\.keras.*full"):
        store.keras_model.publish(write)
    assert store.keras_model.read() == b"whole"
    assert names(tmp_path / "model") == ["model.keras"]


def test_leftovers_of_killed_attempts_are_cleared_and_those_of_newer_ones_left(
    tmp_path: Path,
) -> None:
    (tmp_path / "model").mkdir()
    for left in (".partial-7", ".old-7", ".partial-1-aaaaaaaa", ".partial-2-bbbbbbbb"):
        make_folder(tmp_path / "model" / f"{left}-saved_model", "half")
    newer = ".partial-3-cccccccc-saved_model"
    make_folder(tmp_path / "model" / newer, "half")
    opened(tmp_path, 2).saved_model.publish(lambda path: make_folder(path, "new"))

    assert names(tmp_path / "model") == [newer, "saved_model"]


def test_older_attempt_overwrites_and_deletes_nothing_of_its_successor(tmp_path: Path) -> None:
    zombie = opened(tmp_path, 1)
    zombie.checkpoints.part("step-1").publish(lambda path: path.write_text("1"))
    successor = opened(tmp_path, 2)
    successor.checkpoints.part("step-2").publish(lambda path: path.write_text("2"))

    with pytest.raises(Superseded, match="attempt 2 of train writes there by now"):
        zombie.checkpoints.part("step-2").publish(lambda path: path.write_text("zombie"))
    with pytest.raises(Superseded):
        zombie.checkpoints.remove("step-2")
    assert successor.checkpoints.part("step-2").read() == b"2"
    assert names(tmp_path / "checkpoints") == ["step-1", "step-2"]


def test_successor_does_not_take_the_file_that_an_older_attempt_is_writing(tmp_path: Path) -> None:
    zombie = opened(tmp_path, 1)

    def write(path: Path) -> None:
        path.write_text("of attempt 1")
        opened(tmp_path, 2).result.publish(lambda own: own.write_text("of attempt 2"))

    with pytest.raises((Superseded, StoreUnavailable)):
        zombie.result.publish(write)
    assert opened(tmp_path, 2).result.read() == b"of attempt 2"


def test_older_attempt_that_opens_late_is_refused(tmp_path: Path) -> None:
    opened(tmp_path, 3)
    with pytest.raises(Superseded, match="attempt 3"):
        opened(tmp_path, 2)


def test_later_process_of_one_attempt_takes_over(tmp_path: Path) -> None:
    first = opened(tmp_path, 1)
    second = opened(tmp_path, 1)
    second.result.publish(lambda path: path.write_text("second"))
    with pytest.raises(Superseded):
        first.result.publish(lambda path: path.write_text("first"))


def test_fence_that_an_older_attempt_has_overwritten_is_set_again(tmp_path: Path) -> None:
    newer = opened(tmp_path, 2)
    (tmp_path / ".fence-train").write_text('{"attempt": 1, "token": "late"}')
    newer.result.publish(lambda path: path.write_text("x"))
    with pytest.raises(Superseded):
        opened(tmp_path, 1)


def test_attempts_of_two_stages_are_counted_apart(tmp_path: Path) -> None:
    opened(tmp_path, 3, "train")
    candidate = opened(tmp_path, 1, "compress").compressed("int8")
    candidate.publish(lambda path: path.write_text("x"))
    assert candidate.read() == b"x"


def test_everything_that_is_published_is_flushed_the_deepest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "new" / "run"
    store = opened(root)
    flushed: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        path = os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), root)
        flushed.append(path.replace(partial_of(root), "PARTIAL"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    def write(path: Path) -> None:
        (path / "variables" / "deep").mkdir(parents=True)
        (path / "variables" / "deep" / "x").write_text("x")
        (path / "saved_model.pb").write_text("y")

    store.saved_model.publish(write)
    inside = [path for path in flushed if path.startswith("model/PARTIAL")]
    assert set(inside) == {
        "model/PARTIAL",
        "model/PARTIAL/saved_model.pb",
        "model/PARTIAL/variables",
        "model/PARTIAL/variables/deep",
        "model/PARTIAL/variables/deep/x",
    }
    assert inside.index("model/PARTIAL/variables/deep/x") < inside.index(
        "model/PARTIAL/variables/deep"
    )
    assert inside[-1] == "model/PARTIAL"
    assert flushed[0] == ".", "the folder that was made is entered in the one above"
    assert flushed[-1] == "model", "the rename is on the disk at the end"


def partial_of(root: Path) -> str:
    return next((path.name for path in root.glob("model/.partial-*")), "PARTIAL")


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
        Store.open("pvc://artifacts/job/run", environ, "train", 1)

    (tmp_path / "artifacts").mkdir()
    store = Store.open("pvc://artifacts/job/run", environ, "train", 1)
    store.result.publish(lambda path: path.write_text("x"))
    assert (tmp_path / "artifacts/job/run/model/result.json").read_text() == "x"


def test_uri_that_is_no_store_is_an_invalid_spec() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.storage\.uri"):
        Store.open("https://host/run", {}, "train", 1)


def test_artifact_has_uri_and_digest(tmp_path: Path) -> None:
    artifact = opened(tmp_path).saved_model.announce(lambda path: make_folder(path, "x"))

    assert artifact.uri == f"file://{tmp_path}/model/saved_model"
    assert artifact.sha256 == artifact_sha256(tmp_path / "model/saved_model")


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
