"""Fetching data sets, without a network."""

from __future__ import annotations

import gzip
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from rich.console import Console

from trainyard_cli.datasets.catalogue import (
    BREAST_CANCER,
    PICTURES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    KnownSet,
    class_names,
    find_set,
)
from trainyard_cli.datasets.debian import DebianInstalled
from trainyard_cli.datasets.get import SOURCES, fetch_into, wrong_files
from trainyard_cli.datasets.idx import header, read_test_part
from trainyard_cli.datasets.npz import convert, npy_to_idx
from trainyard_cli.datasets.source import Source, SourceFailed, run_program
from trainyard_cli.errors import CliError, WrongInput
from trainyard_cli.show.transfer import Transfer

IMAGES = header((2, 2, 3)) + bytes(range(12))
LABELS = header((2,)) + bytes([7, 1])
CONTENT = {TRAIN_IMAGES: IMAGES, TRAIN_LABELS: LABELS, TEST_IMAGES: IMAGES, TEST_LABELS: LABELS}
TINY = KnownSet(
    "tiny",
    MappingProxyType({name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}),
)


@dataclass
class Fake:
    """A source that gives `content`, or fails."""

    title: str
    content: dict[str, bytes] | None = None
    asked: int = 0

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:  # noqa: ARG002
        self.asked += 1
        if self.content is None:
            raise SourceFailed("no answer")
        for name, data in self.content.items():
            (folder / name).write_bytes(data)


def fetch(folder: Path, *sources: Source) -> str:
    written = io.StringIO()
    fetch_into(folder, TINY, Transfer(Console(file=written, width=200)), sources)
    return written.getvalue()


def test_the_first_source_that_has_it_is_taken(tmp_path: Path) -> None:
    third = Fake("third", CONTENT)
    text = fetch(tmp_path / "new", Fake("first"), Fake("second", CONTENT), third)
    assert "first: no answer; trying second" in text
    assert third.asked == 0
    assert wrong_files(tmp_path / "new", TINY) == []
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(CONTENT)


def test_other_bytes_are_never_taken(tmp_path: Path) -> None:
    forged = Fake("forged", {**CONTENT, TEST_LABELS: b"other"})
    with pytest.raises(CliError, match="could not be had anywhere"):
        fetch(tmp_path, forged)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_fetched_twice(tmp_path: Path) -> None:
    source = Fake("only", CONTENT)
    fetch(tmp_path, source)
    assert "already" in fetch(tmp_path, source)
    assert source.asked == 1


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    source = Fake("only", CONTENT)
    fetch(tmp_path, source)
    (tmp_path / TEST_IMAGES).write_bytes(IMAGES[:-1])
    fetch(tmp_path, source)
    assert wrong_files(tmp_path, TINY) == []


def test_a_folder_that_cannot_be_written_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongInput, match="cannot be written"):
        fetch(tmp_path / "file" / "below", Fake("only", CONTENT))


def test_the_installed_package_is_unpacked(tmp_path: Path) -> None:
    packed = tmp_path / "installed"
    packed.mkdir()
    for name, data in CONTENT.items():
        (packed / f"{name}.gz").write_bytes(gzip.compress(data))
    fetch(tmp_path / "to", DebianInstalled(packed))
    assert wrong_files(tmp_path / "to", TINY) == []


def test_mnist_npz_becomes_the_same_bytes_as_idx(tmp_path: Path) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    labels = np.array([7, 1], np.uint8)
    archive = tmp_path / "mnist.npz"
    np.savez(archive, x_train=images, y_train=labels, x_test=images, y_test=labels)
    convert(archive, tmp_path)
    assert wrong_files(tmp_path, TINY) == []


def test_arrays_of_another_type_are_refused() -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    with pytest.raises(SourceFailed, match="unsigned bytes"):
        npy_to_idx(content.getvalue())


def test_an_archive_without_the_arrays_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "other.npz"
    np.savez(archive, x=np.zeros(3))
    with pytest.raises(SourceFailed, match="x_train"):
        convert(archive, tmp_path)


def test_a_program_that_is_missing_or_fails_is_a_failed_source(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="no not-a-program on this machine"):
        run_program(["not-a-program"], tmp_path)
    with pytest.raises(SourceFailed, match="E: no such package"):
        run_program(
            ["sh", "-c", "echo 'W: x' >&2; echo 'E: no such package' >&2; exit 1"], tmp_path
        )


def test_test_images_are_read_plain_and_packed(tmp_path: Path) -> None:
    (tmp_path / TEST_IMAGES).write_bytes(IMAGES)
    (tmp_path / f"{TEST_LABELS}.gz").write_bytes(gzip.compress(LABELS))
    part = read_test_part(tmp_path, 5)
    assert part.images == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    assert part.labels == [7, 1]
    assert read_test_part(tmp_path, 1).labels == [7]


def test_a_folder_without_idx_files_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match=TEST_IMAGES):
        read_test_part(tmp_path, 1)


def test_a_file_in_the_folders_place_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / TEST_IMAGES
    path.write_bytes(IMAGES)
    with pytest.raises(WrongInput, match=f"has no {TEST_IMAGES}"):
        read_test_part(path, 1)


@pytest.mark.parametrize("name", [TEST_IMAGES, TEST_LABELS])
def test_test_images_or_labels_that_are_cut_off_are_wrong_input(tmp_path: Path, name: str) -> None:
    (tmp_path / TEST_IMAGES).write_bytes(IMAGES)
    (tmp_path / TEST_LABELS).write_bytes(LABELS)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WrongInput, match=f"{name} is cut off"):
        read_test_part(tmp_path, 1)


def test_a_test_part_without_rows_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / TEST_IMAGES).write_bytes(header((0, 2, 3)))
    (tmp_path / TEST_LABELS).write_bytes(header((0,)))
    with pytest.raises(WrongInput, match="no rows"):
        read_test_part(tmp_path, 1)


def test_a_file_of_another_format_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / TEST_IMAGES).write_bytes(LABELS)
    (tmp_path / TEST_LABELS).write_bytes(LABELS)
    with pytest.raises(WrongInput, match="no idx file of 3 dimensions"):
        read_test_part(tmp_path, 1)


def test_a_table_that_scikit_learn_brings_is_written_as_it_is_known(tmp_path: Path) -> None:
    transfer = Transfer(Console(file=io.StringIO()))
    fetch_into(tmp_path, BREAST_CANCER, transfer, SOURCES[BREAST_CANCER.name])
    header_line, first, *_ = (tmp_path / "breast-cancer.csv").read_text().splitlines()
    assert header_line.startswith("mean radius,")
    assert header_line.endswith(",diagnosis")
    assert first.startswith("17.99,10.38,")
    assert first.endswith(",malignant")


def test_clothes_have_names_and_digits_have_none() -> None:
    mnist, fashion = PICTURES
    assert class_names(fashion.digests[TEST_LABELS])[9] == "Ankle boot"
    assert class_names(mnist.digests[TEST_LABELS]) == ()


def test_keras_spelling_of_a_name_is_understood() -> None:
    assert find_set("fashion_mnist").name == "fashion-mnist"
    with pytest.raises(WrongInput, match="one of: mnist, fashion-mnist, breast-cancer"):
        find_set("imagenet")
