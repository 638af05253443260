"""Locations in a bucket: a real S3 server, with authentication."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.object_store import READER_KEY, READER_SECRET, SECRET, Server
from trainyard_api import buckets
from trainyard_trainer.errors import InvalidData, InvalidSpec, StoreUnavailable, TrainerError
from trainyard_trainer.store import DATA, STORE, Location, Role

pytestmark = pytest.mark.processes


@pytest.fixture
def bucket(object_store: Server) -> str:
    name = object_store.bucket()
    store = object_store.store(name)
    store.put("sets/a/one.bin", b"0123456789")
    store.put("sets/b/two.bin", b"22")
    store.put("sets/.hidden", b"")
    return name


def test_bucket_is_listed_and_read_as_a_folder_is(object_store: Server, bucket: str) -> None:
    sets = Location.at(f"s3://{bucket}/sets", object_store.environ())

    assert [(entry.name, entry.size) for entry in sets.files()] == [
        ("a/one.bin", 10),
        ("b/two.bin", 2),
    ]
    assert sets.local is None
    assert sets.exists()
    assert not sets.below("c").exists()
    one = sets.below("a/one.bin")
    assert (one.uri, one.name, one.size()) == (f"s3://{bucket}/sets/a/one.bin", "one.bin", 10)
    assert one.read() == b"0123456789"
    assert b"".join(one.pieces()) == b"0123456789"
    with one.open() as file:
        file.seek(4)
        assert file.read(3) == b"456"
    assert [entry.name for entry in one.files()] == [""]
    assert one.below(one.files()[0].name).read() == b"0123456789"


def test_identity_changes_with_the_content_alone(object_store: Server, bucket: str) -> None:
    one = Location.at(f"s3://{bucket}/sets/a/one.bin", object_store.environ())
    before = one.files()[0].identity
    assert one.files()[0].identity == before
    object_store.store(bucket).put("sets/a/one.bin", b"9876543210")
    assert one.files()[0].identity != before


def test_libraries_read_through_its_filesystem(object_store: Server, bucket: str) -> None:
    packed = io.BytesIO()
    np.savez(packed, x=np.arange(5))
    object_store.store(bucket).put("sets/x.npz", packed.getvalue())
    location = Location.at(f"s3://{bucket}/sets/x.npz", object_store.environ())

    with location.open() as file, np.load(file) as archive:
        assert archive["x"].tolist() == [0, 1, 2, 3, 4]
    assert location.filesystem.cat_file(location.path) == packed.getvalue()
    found = location.filesystem.glob(f"{bucket}/sets/*/*.bin")
    assert found == [f"{bucket}/sets/a/one.bin", f"{bucket}/sets/b/two.bin"]


def test_file_is_copied_to_the_disk(object_store: Server, bucket: str, tmp_path: Path) -> None:
    big = bytes(range(256)) * 100_000
    object_store.store(bucket).put("big", big)
    target = tmp_path / "new" / "big"
    Location.at(f"s3://{bucket}/big", object_store.environ()).copy_to(target)
    assert target.read_bytes() == big


@pytest.mark.parametrize(
    ("role", "error", "field"),
    [(DATA, InvalidData, "spec.data.source"), (STORE, InvalidSpec, "spec.storage")],
)
def test_wrong_key_is_told_by_field_and_never_shown(
    object_store: Server, bucket: str, role: Role, error: type[TrainerError], field: str
) -> None:
    environ = object_store.environ(secret="a-wrong-secret")
    location = Location.at(f"s3://{bucket}/sets", environ, role)
    for ask in (location.exists, location.files, location.below("a/one.bin").read):
        with pytest.raises(error, match=rf"{field}\.secretRef") as caught:
            ask()
        assert "a-wrong-secret" not in str(caught.value)
        assert environ["AWS_ACCESS_KEY_ID"] not in str(caught.value)


def test_bucket_that_is_not_there_is_told(object_store: Server) -> None:
    location = Location.at("s3://no-such-bucket/sets", object_store.environ())
    with pytest.raises(InvalidData, match=r"spec\.data\.source\.uri.*no such bucket.*mend"):
        location.files()


def test_prefix_with_nothing_below_it_has_no_files(object_store: Server, bucket: str) -> None:
    location = Location.at(f"s3://{bucket}/empty", object_store.environ())
    assert location.files() == []
    with pytest.raises(InvalidData, match=r"spec\.data\.source\.uri.*nothing is there"):
        location.read()


def test_own_credentials_of_the_data_are_not_mixed_with_those_of_the_store(
    object_store: Server, bucket: str
) -> None:
    own = object_store.environ(READER_KEY, READER_SECRET)
    prefixed = {f"TRAINYARD_DATA_{name}": value for name, value in own.items()}
    of_store = {
        "AWS_ACCESS_KEY_ID": "of-the-store",
        "AWS_SECRET_ACCESS_KEY": "of-the-store",
        "AWS_SESSION_TOKEN": "of-the-store",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    }
    location = Location.at(f"s3://{bucket}/sets/a/one.bin", of_store | prefixed)
    assert location.read() == b"0123456789"


def test_server_that_is_killed_midway_and_comes_back_is_waited_for(
    object_store: Server, bucket: str
) -> None:
    location = Location.at(f"s3://{bucket}/sets", object_store.environ())
    assert location.exists()
    object_store.kill()
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(location.below("a/one.bin").read)
        try:
            # Until the reader has met a server that is away.
            time.sleep(1)
            assert not read.done()
        finally:
            object_store.start()
        assert read.result() == b"0123456789"


def test_half_a_key_is_told_before_anything_is_asked() -> None:
    with pytest.raises(InvalidData, match=r"secretRef.*AWS_SECRET_ACCESS_KEY is not set"):
        Location.at("s3://bucket/sets", {"AWS_ACCESS_KEY_ID": "half"})


def test_server_that_is_gone_for_good_is_an_unavailable_store(
    object_store: Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_RETRIES", 2)
    environ = object_store.environ() | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    location = Location.at(f"s3://{bucket}/sets", environ)
    with pytest.raises(StoreUnavailable, match=r"spec\.data\.source\.uri.*does not answer"):
        location.files()
    assert SECRET not in repr(location)
