"""Texts in folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidData


def folders(root: Path, count: int = 20) -> Path:
    for label in ("bad", "good"):
        (root / label).mkdir(parents=True)
        for number in range(count):
            text = f"A {label}, {label} film! Number{number}"
            (root / label / f"{number:02}.txt").write_text(text)
    return root


def read(where: Path, **source: Any) -> Dataset:
    document = {
        "source": {"uri": f"file://{where}"} | source,
        "preprocessing": {"text": {"vocabulary": 6, "length": 4}},
    }
    return load(Data.model_validate(document), {})


@pytest.mark.parametrize("streaming", ["never", "always"])
def test_a_text_becomes_the_numbers_of_its_words(tmp_path: Path, streaming: str) -> None:
    dataset = read(folders(tmp_path), streaming=streaming)
    (column,) = dataset.schema.columns

    assert dataset.schema.target == Classes(("bad", "good"))
    assert (column.kind, column.width, dataset.shape) == ("text", 4, (4,))
    assert column.vocabulary[0] == "[UNK]"
    assert {"a", "film", "bad", "good"} < set(column.vocabulary)
    codes = {word: code for code, word in enumerate(column.vocabulary, 1)}
    for part in (dataset.train, dataset.validation, dataset.test):
        for row, target in zip(part.features(), part.targets, strict=True):
            label = codes[("bad", "good")[target]]
            assert row.tolist() == [codes["a"], label, label, codes["film"]]


def test_the_vocabulary_has_words_of_the_training_part_alone(tmp_path: Path) -> None:
    folders(tmp_path / "train", 20)
    folders(tmp_path / "test", 3)
    (tmp_path / "test" / "bad" / "00.txt").write_text("secret " * 50)
    (tmp_path / "train" / "unsup").mkdir()
    (tmp_path / "train" / "unsup" / "0.txt").write_text("unjudged " * 50)
    dataset = read(tmp_path)

    assert not {"secret", "unjudged"} & set(dataset.schema.columns[0].vocabulary)
    assert dataset.test.features()[0].tolist() == [1, 1, 1, 1]
    assert any("unsup/0.txt" in note for note in dataset.notes)


def test_a_text_of_another_encoding_is_left_out_or_named(tmp_path: Path) -> None:
    folders(tmp_path)
    bad = tmp_path / "bad" / "05.txt"
    bad.write_bytes("schön".encode("latin-1"))
    with pytest.raises(InvalidData, match=r"05.txt is no UTF-8; convert it"):
        read(tmp_path)
    dataset = read(tmp_path, maxBadRows=1)

    parts = (dataset.train, dataset.validation, dataset.test)
    assert sum(map(len, parts)) == 39
    codes = {word: code for code, word in enumerate(dataset.schema.columns[0].vocabulary, 1)}
    for part in parts:
        wanted = np.where(part.targets == 1, codes["good"], codes["bad"])
        np.testing.assert_array_equal(part.features()[:, 1], wanted)


def test_texts_without_words_are_told(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(10):
            (tmp_path / label / f"{number}.txt").write_text("?!")
    with pytest.raises(InvalidData, match="no words"):
        read(tmp_path)
