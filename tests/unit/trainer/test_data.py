"""Reading, checking and dividing examples."""

import gzip
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.errors import InvalidData

IMAGES = np.arange(60 * 4 * 5, dtype=np.uint8).reshape(60, 4, 5)
LABELS = np.tile(np.arange(3, dtype=np.uint8), 20)


def idx(array: NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_idx(folder: Path, part: str, rows: slice = slice(None), *, packed: bool = False) -> None:
    for name, array in (("images-idx3", IMAGES[rows]), ("labels-idx1", LABELS[rows])):
        content = idx(array)
        path = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content) if packed else content)


def read(
    where: Path | str, environ: Mapping[str, str] | None = None, **split: float | bool
) -> Dataset:
    uri = where if isinstance(where, str) else f"file://{where}"
    document = {"source": {"uri": uri}, "split": split}
    return load(Data.model_validate(document), environ or {})


def refusal(where: Path | str, **split: float | bool) -> str:
    with pytest.raises(InvalidData) as caught:
        read(where, None, **split)
    return str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_keeps_the_sources_test_part(tmp_path: Path, packed: bool) -> None:
    write_idx(tmp_path, "train", slice(0, 48), packed=packed)
    write_idx(tmp_path, "t10k", slice(48, 60), packed=packed)
    dataset = read(tmp_path, validation=0.25)

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (36, 12, 12)
    assert dataset.train.features().dtype == np.uint8
    assert dataset.train.targets.dtype == np.int64
    assert (dataset.shape, dataset.schema.target.outputs) == ((4, 5, 1), 3)
    np.testing.assert_array_equal(dataset.test.features()[..., 0], IMAGES[48:])


def test_idx_with_dots_in_its_names_is_read(tmp_path: Path) -> None:
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx(LABELS))

    assert len(read(tmp_path, validation=0.1, test=0.2).test) == 12


def test_truncated_idx_names_file_and_bytes(tmp_path: Path) -> None:
    write_idx(tmp_path, "train")
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-7])
    message = refusal(tmp_path)

    assert str(path) in message
    assert "1216 bytes expected, 1209 found" in message


def test_truncated_gz_names_the_file(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", packed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-12])

    assert str(path) in refusal(tmp_path)


def test_wrong_magic_number_is_told(tmp_path: Path) -> None:
    write_idx(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"<html>")

    assert "begins with 3c68746d" in refusal(tmp_path)


def test_missing_labels_are_told(tmp_path: Path) -> None:
    write_idx(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte").unlink()

    assert "no partner" in refusal(tmp_path)


@pytest.mark.parametrize(
    "names", [("x_train", "y_train", "x_test", "y_test"), ("x", "y"), ("features", "labels")]
)
def test_npz_arrays_are_found_by_name(tmp_path: Path, names: tuple[str, ...]) -> None:
    arrays = (IMAGES, LABELS, IMAGES[:6], LABELS[:6])
    np.savez(tmp_path / "data.npz", **dict(zip(names, arrays, strict=False)))  # type: ignore[arg-type]
    dataset = read(tmp_path / "data.npz", test=0.2)

    assert len(dataset.test) == (6 if len(names) == 4 else 12)
    assert read(tmp_path, test=0.2).schema.target.outputs == 3


def test_npz_with_other_arrays_lists_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", pixels=IMAGES, y=LABELS)

    assert "pixels, y" in refusal(tmp_path / "data.npz")


def test_damaged_npz_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=IMAGES, y=LABELS)
    content = bytearray((tmp_path / "data.npz").read_bytes())
    content[300:310] = b"0123456789"
    (tmp_path / "data.npz").write_bytes(content)

    assert "no sound npz archive" in refusal(tmp_path / "data.npz")


def test_one_array_called_npz_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", IMAGES)
    (tmp_path / "data.npy").rename(tmp_path / "data.npz")

    assert "holds one array" in refusal(tmp_path / "data.npz")


def test_link_to_nothing_and_folder_in_a_files_place_are_told(tmp_path: Path) -> None:
    write_idx(tmp_path, "train")
    path = tmp_path / "train-images-idx3-ubyte"
    path.unlink()
    path.symlink_to(tmp_path / "away")
    assert "nothing is there" in (said := refusal(tmp_path))
    assert str(path) in said

    path.unlink()
    path.mkdir()
    assert "it is a folder" in refusal(tmp_path)


def test_missing_path_names_path_and_claim(tmp_path: Path) -> None:
    assert str(tmp_path / "away") in refusal(tmp_path / "away")
    with pytest.raises(InvalidData, match="claim datasets") as caught:
        read("pvc://datasets/mnist", {"TRAINYARD_VOLUMES": str(tmp_path)})
    assert str(tmp_path / "datasets/mnist") in str(caught.value)


def test_folder_of_other_files_lists_them(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()

    assert "notes.txt" in refusal(tmp_path)


@pytest.mark.parametrize("uri", ["sklearn://iris2", "keras://mnist2"])
def test_unknown_packaged_set_lists_the_known(uri: str) -> None:
    assert f"{uri.partition('2')[0]}" in refusal(uri)


FEATURES = np.linspace(0.0, 1.0, 60 * 2).reshape(60, 2)


@pytest.mark.parametrize(
    ("features", "labels", "said"),
    [
        (FEATURES, np.full(60, np.nan), "row 0 has no label"),
        (FEATURES, np.ones(60, np.int64), "two classes"),
        (FEATURES, np.full((60, 2), 0.5), "nothing to learn"),
        (FEATURES, np.arange(60), "60 different labels in 60 rows are no classes"),
        (FEATURES, np.where(LABELS == 2, "", LABELS.astype(str)), "row 2 has no label"),
        (FEATURES, LABELS.astype("M8[s]"), "of type datetime64"),
        (FEATURES, LABELS[:50], "60 rows of features and 50 labels"),
        (np.where(FEATURES[7, 1] == FEATURES, np.nan, FEATURES), LABELS, "row 7, column 1"),
        (FEATURES[:, 0], LABELS, "shape"),
        (FEATURES[:0], LABELS[:0], "no rows"),
        (FEATURES * 1e300, LABELS, "row 0, column 1 is larger than 1e+18"),
    ],
)
def test_data_that_cannot_be_learned_from_names_field_and_cure(
    tmp_path: Path, features: NDArray[Any], labels: NDArray[Any], said: str
) -> None:
    np.savez(tmp_path / "data.npz", x=features, y=labels)
    message = refusal(tmp_path / "data.npz")

    assert "spec.data.source.uri" in message
    assert said in message


def test_test_label_that_training_never_saw_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x_train=FEATURES, y_train=LABELS, x_test=FEATURES, y_test=LABELS + 1)

    assert "the class 3" in refusal(path)


def said(dataset: Dataset) -> str:
    return "; ".join(dataset.notes)


def test_half_precision_with_infinity_names_row_and_column(tmp_path: Path) -> None:
    half = np.arange(120, dtype=np.float16).reshape(60, 2)
    half[5, 1] = np.inf
    np.savez(tmp_path / "data.npz", x=half, y=LABELS)

    assert "row 5, column 1 is NaN or infinite" in refusal(tmp_path)


def test_extended_precision_is_converted(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=FEATURES.astype(np.longdouble), y=LABELS)

    assert read(tmp_path).train.features().dtype == np.float32


def test_channels_first_are_recognised_and_left_as_they_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.repeat(IMAGES[:, np.newaxis], 3, 1), y=LABELS)
    dataset = read(tmp_path)

    assert dataset.schema.channels_first
    assert (dataset.shape, dataset.schema.picture) == ((3, 4, 5), (4, 5, 3))
    assert "channels first: 3 x 4 x 5" in said(dataset)
    assert dataset.moments is not None
    assert dataset.moments.mean.shape == (3,)


def test_values_that_are_fractions_already_are_not_divided_in_silence(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=FEATURES, y=LABELS)
    data = {"source": {"uri": f"file://{tmp_path}"}, "preprocessing": {"scaling": "rescale"}}
    dataset = load(Data.model_validate(data), {})

    assert "already lie between 0 and 1; use none" in said(dataset)
    assert "already lie" not in said(read(tmp_path))


def test_three_parts_are_read_as_they_are(tmp_path: Path) -> None:
    parts = {"train": slice(0, 36), "val": slice(36, 45), "test": slice(45, 60)}
    arrays = {f"{part}_images": IMAGES[rows] for part, rows in parts.items()}
    arrays |= {f"{part}_labels": LABELS[rows, np.newaxis] for part, rows in parts.items()}
    np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]
    dataset = read(tmp_path)

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (36, 9, 15)
    np.testing.assert_array_equal(dataset.validation.features()[..., 0], IMAGES[36:45])


def test_times_since_1970_keep_their_minutes(tmp_path: Path) -> None:
    times = 1.7e9 + 60.0 * np.arange(60)
    np.savez(tmp_path / "data.npz", x=np.stack([times, FEATURES[:, 0]], 1), y=LABELS)
    dataset = read(tmp_path)
    minutes = np.sort(dataset.train.features()[:, 0])

    assert dataset.schema.shift[0] == pytest.approx(times.mean(), rel=1e-6)
    assert dataset.schema.shift[1] == 0.0
    np.testing.assert_array_equal(np.diff(minutes) % 60, 0)
    assert "column 0" in said(dataset)
    assert "float32" in said(dataset)
    assert read("sklearn://wine").schema.shift == (), "ordinary columns are left alone"


def test_a_class_that_a_part_lacks_is_told(tmp_path: Path) -> None:
    arrays = {"x_train": FEATURES, "y_train": LABELS}
    np.savez(tmp_path / "data.npz", x_test=FEATURES[:9], y_test=np.zeros(9, np.int64), **arrays)  # type: ignore[arg-type]

    assert "the test part has no row of 1, 2" in said(read(tmp_path))


def test_column_of_labels_is_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=FEATURES, y=LABELS[:, np.newaxis])

    assert read(tmp_path / "data.npz").train.targets.ndim == 1


def test_split_is_stratified_without_overlap_and_repeatable() -> None:
    first, second = (read("sklearn://digits", validation=0.2, test=0.2) for _ in range(2))
    for part in (first.validation, first.test):
        shares = np.bincount(part.targets) / len(part)
        np.testing.assert_allclose(shares, 0.1, atol=0.01)

    assert len(first.train) + len(first.validation) + len(first.test) == 1797
    assert abs(len(first.validation) - len(first.test)) <= 1
    np.testing.assert_array_equal(first.train.features(), second.train.features())


def test_seed_changes_the_split() -> None:
    one, other = (read("sklearn://wine", seed=seed).test.features() for seed in (0, 1))

    assert not np.array_equal(one, other)


def test_class_of_one_row_needs_stratify_off(tmp_path: Path) -> None:
    labels = LABELS.copy()
    labels[0] = 3
    np.savez(tmp_path / "data.npz", x=FEATURES, y=labels)

    assert "stratify: false" in refusal(tmp_path / "data.npz")
    assert read(tmp_path / "data.npz", stratify=False).schema.target.outputs == 4


def test_no_test_part_at_all_is_refused() -> None:
    assert "spec.data.split.test" in refusal("sklearn://iris", test=0.0)


def test_validation_may_be_empty() -> None:
    assert len(read("sklearn://iris", validation=0.0).validation) == 0
