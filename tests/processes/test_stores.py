"""A store behaves alike on a disk and in a bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.object_store import READER_KEY, READER_SECRET, Server
from trainyard_api.digests import artifact_sha256
from trainyard_trainer.errors import InvalidSpec, ModelRejected, Superseded
from trainyard_trainer.store import STORE, Location, Store

pytestmark = pytest.mark.processes

Open = Callable[..., Store]


@pytest.fixture(params=["disk", "bucket"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens one store, as an attempt of a stage."""
    uri, environ = f"file://{tmp_path}/store", dict[str, str]()
    if request.param == "bucket":
        server: Server = request.getfixturevalue("object_store")
        uri, environ = f"s3://{server.bucket()}/team/job/run", server.environ()

    def open_it(attempt: int = 1, stage: str = "train") -> Store:
        return Store.open(uri, environ, stage, attempt)

    return open_it


def model(*texts: str) -> Callable[[Path], None]:
    """Writes a folder of some files."""

    def write(path: Path) -> None:
        (path / "variables").mkdir(parents=True)
        (path / "saved_model.pb").write_text("graph")
        for index, text in enumerate(texts):
            (path / "variables" / str(index)).write_text(text)

    return write


def test_folder_comes_back_with_its_digest(opened: Open, tmp_path: Path) -> None:
    artifact = opened().saved_model.announce(model("a", "b"))
    model("a", "b")(tmp_path / "same")

    assert artifact.sha256 == artifact_sha256(tmp_path / "same")
    part = opened(2).saved_model
    part.verify(artifact.sha256)
    with part.on_disk() as path:
        assert path.name == "saved_model"
        assert (path / "variables" / "1").read_text() == "b"
    with pytest.raises(ModelRejected):
        part.verify("0" * 64)


def test_file_comes_back_with_its_digest_and_suffix(opened: Open) -> None:
    store = opened()
    assert store.keras_model.read() is None
    artifact = store.keras_model.announce(lambda path: path.write_bytes(b"whole"))

    assert artifact.uri == f"{store.uri}/model/model.keras"
    assert store.keras_model.read() == b"whole"
    store.keras_model.verify(artifact.sha256)
    with store.keras_model.on_disk() as path:
        assert path.name == "model.keras"


def test_new_folder_has_nothing_of_the_one_before(opened: Open) -> None:
    opened(1).saved_model.publish(model("a", "b", "c"))
    artifact = opened(2).saved_model.announce(model("d"))

    part = opened(2).saved_model
    part.verify(artifact.sha256)
    with part.on_disk() as path:
        assert [file.name for file in (path / "variables").iterdir()] == ["0"]


def test_failed_write_leaves_what_is_there(opened: Open) -> None:
    store = opened()
    artifact = store.saved_model.announce(model("whole"))

    def write(path: Path) -> None:
        model("half")(path)
        raise KeyError("the model cannot be written")

    with pytest.raises(KeyError):
        store.saved_model.publish(write)
    store.saved_model.verify(artifact.sha256)


def test_files_come_and_go_in_a_folder(opened: Open) -> None:
    folder = opened().checkpoints
    assert folder.names() == []
    for name in ("step-2", "step-1", "step-3"):
        folder.part(name).publish(lambda path: path.write_text("x"))
    folder.remove("step-1")
    folder.remove("step-1")

    assert folder.names() == ["step-2", "step-3"]
    assert folder.part("step-1").read() is None


def test_older_attempt_changes_nothing_any_more(opened: Open) -> None:
    zombie = opened(1)
    zombie.saved_model.publish(model("of attempt 1"))
    successor = opened(2)
    artifact = successor.saved_model.announce(model("of attempt 2"))
    successor.checkpoints.part("step-1").publish(lambda path: path.write_text("x"))

    with pytest.raises(Superseded):
        zombie.saved_model.publish(model("zombie"))
    with pytest.raises(Superseded):
        zombie.result.publish(lambda path: path.write_text("zombie"))
    with pytest.raises(Superseded):
        zombie.checkpoints.remove("step-1")
    with pytest.raises(Superseded):
        opened(1)
    successor.saved_model.verify(artifact.sha256)
    assert successor.result.read() is None
    assert successor.checkpoints.names() == ["step-1"]


def test_folder_in_a_bucket_is_there_once_its_manifest_is(object_store: Server) -> None:
    bucket = object_store.bucket()
    store = Store.open(f"s3://{bucket}/run", object_store.environ(), "train", 2)
    raw = object_store.store(bucket)
    for half in ("1-aaaaaaaa/saved_model.pb", "3-cccccccc/saved_model.pb"):
        raw.put(f"run/model/saved_model/{half}", b"half")
    assert not store.shelf.exists("model/saved_model")

    artifact = store.saved_model.announce(model("a"))
    assert store.shelf.exists("model/saved_model")
    folders = {
        entry.name.split("/")[0]
        for entry in Location.at(
            f"s3://{bucket}/run/model/saved_model", object_store.environ(), STORE
        ).files()
    }
    own = artifact.uri.rpartition("/")[2]
    assert folders == {own, "3-cccccccc"}, "what is over is cleared, and a newer attempt's is not"


def test_store_that_may_not_be_written_is_an_invalid_spec(object_store: Server) -> None:
    uri = f"s3://{object_store.bucket()}/run"
    environ = object_store.environ(READER_KEY, READER_SECRET)
    with pytest.raises(InvalidSpec, match=r"spec\.storage\.secretRef.*do not allow it.*write"):
        Store.open(uri, environ, "train", 1)


def test_store_in_a_bucket_that_does_not_exist_is_an_invalid_spec(object_store: Server) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.storage\.uri.*no such bucket"):
        Store.open("s3://no-such-bucket/run", object_store.environ(), "train", 1)
