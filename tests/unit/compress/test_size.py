"""A SavedModel is as large as what the signature needs that is compressed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainyard_trainer.compress.size import bytes_for

LARGE = 50_000


class Several:
    """Signatures that need a variable, a lookup table, and numbers of their own."""

    def __init__(self) -> None:
        self.weight = tf.Variable(tf.ones((100, 100)))
        words = tf.constant([f"word {number}" for number in range(1000)])
        entries = tf.lookup.KeyValueTensorInitializer(words, tf.range(1000))
        self.table = tf.lookup.StaticHashTable(entries, -1)
        vector = tf.TensorSpec((None, 100), tf.float32, name="features")
        text = tf.TensorSpec((None,), tf.string, name="text")
        self.serve = tf.function(
            lambda features: {"answer": features @ self.weight}, input_signature=[vector]
        )
        self.search = tf.function(
            lambda text: {"answer": self.table.lookup(text)}, input_signature=[text]
        )
        random = np.random.default_rng(0)
        large = random.normal(size=LARGE // 4).astype(np.float32)
        self.sum = tf.function(
            lambda features: {
                "answer": tf.reduce_sum(features) + tf.reduce_sum(tf.constant(large))
            },
            input_signature=[vector],
        )


def saved(folder: Path, *names: str) -> Path:
    module = Several()
    functions = {"serving_default": module.serve, "search": module.search, "sum": module.sum}
    bare = tf.Module()
    bare.weight, bare.table = module.weight, module.table
    signatures = {name: functions[name] for name in names}
    tf.saved_model.save(bare, str(folder / "-".join(names)), signatures=signatures)
    return folder / "-".join(names)


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["serving_default", "search", "sum"])
def test_all_of_a_savedmodel_of_one_signature_counts(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path, name)
    assert bytes_for(folder, name) == on_disk(folder)


def test_what_another_signature_alone_needs_does_not_count(tmp_path: Path) -> None:
    alone, both = saved(tmp_path, "serving_default"), saved(tmp_path, "serving_default", "sum")
    assert on_disk(both) > on_disk(alone) + LARGE
    assert bytes_for(both, "serving_default") == pytest.approx(on_disk(alone), abs=1024)
    assert bytes_for(both, "sum") > LARGE


def test_what_is_set_up_for_all_signatures_counts(tmp_path: Path) -> None:
    alone, both = saved(tmp_path, "serving_default"), saved(tmp_path, "serving_default", "search")
    assert bytes_for(both, "serving_default") == pytest.approx(on_disk(alone), abs=1024)
