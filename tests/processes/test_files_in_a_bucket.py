"""Every format of files, from a bucket as from a disk: a real S3 server, with authentication."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.object_store import Server
from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.errors import InvalidData

pytestmark = pytest.mark.processes

LABELS = np.arange(40, dtype=np.uint8) % 2
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 6, 5), np.uint8)


def images(folder: Path) -> None:
    for number, pixels in enumerate(PIXELS):
        path = folder / f"class-{number % 2}" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)


def text(folder: Path) -> None:
    for number in range(40):
        path = folder / f"class-{number % 2}" / f"{number:02}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"word{number % 2} and more words")


def npz(folder: Path) -> None:
    np.savez_compressed(folder / "all.npz", x=PIXELS, y=LABELS)


def idx(folder: Path) -> None:
    for name, array in (("images-idx3", PIXELS), ("labels-idx1", LABELS)):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        packed = gzip.compress(header + array.tobytes())
        (folder / f"train-{name}-ubyte.gz").write_bytes(packed)


def tfrecord(folder: Path) -> None:
    with tf.io.TFRecordWriter(str(folder / "all.tfrecord.gz"), "GZIP") as writer:
        for pixels, label in zip(PIXELS, LABELS.tolist(), strict=True):
            example = tf.train.Example()
            values = example.features.feature
            values["pixels"].int64_list.value.extend(pixels.ravel().tolist())
            values["label"].int64_list.value.append(label)
            writer.write(example.SerializeToString())


def read(uri: str, environ: dict[str, str]) -> Dataset:
    document: dict[str, Any] = {"source": {"uri": uri}, "preprocessing": {"scaling": "none"}}
    return load(Data.model_validate(document), environ)


@pytest.mark.parametrize("write", [images, text, npz, idx, tfrecord])
def test_a_bucket_gives_the_rows_that_a_disk_gives(
    object_store: Server, tmp_path: Path, write: Any
) -> None:
    write(tmp_path)
    bucket = object_store.bucket()
    store = object_store.store(bucket)
    for path in tmp_path.rglob("*.*"):
        store.put(f"set/{path.relative_to(tmp_path)}", path.read_bytes())
    near = read(f"file://{tmp_path}", {})
    far = read(f"s3://{bucket}/set", dict(object_store.environ()))

    assert near.schema == far.schema
    for one, other in ((near.train, far.train), (near.test, far.test)):
        np.testing.assert_array_equal(one.features(), other.features())
        np.testing.assert_array_equal(one.targets, other.targets)


def test_an_empty_bucket_is_told(object_store: Server) -> None:
    uri = f"s3://{object_store.bucket()}/nothing"
    with pytest.raises(InvalidData, match=f"nothing is there: {uri}"):
        read(uri, dict(object_store.environ()))
