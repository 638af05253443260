"""TFRecord files."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidData


def example(values: Mapping[str, Any]) -> bytes:
    features = {}
    for name, value in values.items():
        many = value if isinstance(value, list) else [value]
        if isinstance(many[0], bytes):
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=many))
        elif isinstance(many[0], float):
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=many))
        else:
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=many))
        features[name] = feature
    return bytes(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def write(path: Path, records: Sequence[bytes], packed: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP" if packed else "") as writer:
        for record in records:
            writer.write(record)
    return path


def picture(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("L", (5, 4), shade).save(content, "PNG")
    return content.getvalue()


def pictures(first: int, count: int) -> list[bytes]:
    numbers = range(first, first + count)
    return [example({"image": picture(n), "label": n % 2, "width": 5}) for n in numbers]


def rows(first: int, count: int) -> list[bytes]:
    numbers = range(first, first + count)
    return [example({"b": [n, n], "a": n / 2, "label": b"ab"[n % 2 :][:1]}) for n in numbers]


def read(where: Path, **source: Any) -> Dataset:
    return load(Data.model_validate({"source": {"uri": f"file://{where}"} | source}), {})


def refusal(where: Path, **source: Any) -> str:
    with pytest.raises(InvalidData) as caught:
        read(where, **source)
    return str(caught.value)


@pytest.mark.parametrize("streaming", ["never", "always"])
@pytest.mark.parametrize("packed", [False, True])
def test_pictures_of_many_files_are_read_in_order(
    tmp_path: Path, streaming: str, packed: bool
) -> None:
    for part, first in (("train", 0), ("test", 100)):
        for shard in range(2):
            name = f"{part}-0000{shard}-of-00002.tfrecord{'.gz' if packed else ''}"
            write(tmp_path / name, pictures(first + 20 * shard, 20), packed)
    dataset = read(tmp_path, streaming=streaming)

    assert dataset.shape == (4, 5, 1)
    assert (len(dataset.train) + len(dataset.validation), len(dataset.test)) == (40, 40)
    np.testing.assert_array_equal(dataset.test.features()[:, 0, 0, 0], np.arange(100, 140))
    shades = dataset.train.features()[:, 0, 0, 0]
    np.testing.assert_array_equal(shades % 2, dataset.train.targets)
    assert any("pictures are read from image; not from width" in note for note in dataset.notes)


def test_numbers_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    dataset = read(write(tmp_path / "all.tfrecord", rows(0, 40)))

    assert dataset.schema.target == Classes(("a", "b"))
    found = dataset.train.features()
    np.testing.assert_array_equal(found[:, 0] * 2, found[:, 1])
    np.testing.assert_array_equal(found[:, 1] % 2, dataset.train.targets)
    chosen = read(tmp_path / "all.tfrecord", label="a", features=["b"])
    assert chosen.shape == (2,)
    assert chosen.schema.target.task == "regression"


def test_large_whole_numbers_keep_their_differences(tmp_path: Path) -> None:
    start = 1_700_000_000
    records = [example({"t": start + n, "label": n % 2}) for n in range(40)]
    dataset = read(write(tmp_path / "all.tfrecord", records))

    seconds = dataset.train.features()[:, 0].astype(float) + dataset.schema.shift[0]
    np.testing.assert_array_equal(np.rint(seconds) % 2, dataset.train.targets)


def spoil(path: Path, record: int, within: int) -> None:
    """Turn a byte of a record: from 0, of its frame."""
    content = bytearray(path.read_bytes())
    place = 0
    for _ in range(record):
        place += 16 + struct.unpack_from("<Q", content, place)[0]
    content[place + within] ^= 0x55
    path.write_bytes(content)


def test_a_damaged_record_is_left_out_or_named(tmp_path: Path) -> None:
    path = write(tmp_path / "all.tfrecord", pictures(0, 40))
    spoil(path, 7, 30)
    assert f"{path}: record 7 is damaged (checksum)" in refusal(path)
    dataset = read(path, maxBadRows=1)

    parts = (dataset.train, dataset.validation, dataset.test)
    assert sum(map(len, parts)) == 39
    shades = np.concatenate([part.features()[:, 0, 0, 0] for part in parts])
    assert sorted(shades) == [n for n in range(40) if n != 7]
    for part in parts:
        np.testing.assert_array_equal(part.features()[:, 0, 0, 0] % 2, part.targets)


def test_where_the_next_record_cannot_be_found_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "all.tfrecord", rows(0, 40))
    whole = path.read_bytes()
    spoil(path, 5, 2)
    assert "record 5 begins with no length" in refusal(path, maxBadRows=100)
    path.write_bytes(whole[:-3])
    assert f"{path} is cut off in record 39" in refusal(path, maxBadRows=100)


def test_a_record_unlike_the_first_is_named(tmp_path: Path) -> None:
    records = [*rows(0, 9), example({"b": [1], "a": 0.5, "label": b"a"})]
    message = refusal(write(tmp_path / "all.tfrecord", records))
    assert "record 9 has 1 of int64 in b, where the first record has 2 of int64" in message


@pytest.mark.parametrize(
    ("record", "source", "said"),
    [
        ({"x": 1.0, "y": 2}, {}, "no feature label (they have x, y)"),
        ({"x": 1.0, "label": 2}, {"features": ["z"]}, "no values of z"),
        ({"x": b"text", "label": 2}, {}, "x holds bytes that are no picture"),
        ({"label": 2}, {}, "no feature but label"),
    ],
)
def test_what_records_lack_is_told(
    tmp_path: Path, record: dict[str, Any], source: dict[str, Any], said: str
) -> None:
    assert said in refusal(write(tmp_path / "all.tfrecord", [example(record)]), **source)


def test_reading_touches_none_of_tensorflows_devices(tmp_path: Path) -> None:
    write(tmp_path / "all.tfrecord", pictures(0, 40))
    program = f"""
from trainyard_api.spec import Data
from trainyard_trainer.data import load
load(Data.model_validate({{"source": {{"uri": "file://{tmp_path}"}}}}), {{}})
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
assert len(tf.config.list_logical_devices("CPU")) == 2
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
