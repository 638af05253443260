"""What the spec asks of data that has no use for it is refused or told, never ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.errors import InvalidData


def read(uri: str, **spec: Any) -> Dataset:
    source = {"uri": uri} | spec.pop("source", {})
    data = Data.model_validate({"source": source} | spec)
    # As a pod gets it: with every field, whether it was given or not.
    return load(Data.model_validate_json(data.model_dump_json(exclude_none=True)), {})


def table(folder: Path) -> str:
    lines = ["x,y,label", *(f"{n},{n % 7},{'ab'[n % 2]}" for n in range(40))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return f"file://{folder}/rows.csv"


def texts(folder: Path) -> str:
    for label in ("bad", "good"):
        (folder / "texts" / label).mkdir(parents=True)
        for number in range(20):
            (folder / "texts" / label / f"{number}.txt").write_text(f"a {label} film {number}")
    return f"file://{folder}/texts"


def archive(folder: Path, *shape: int) -> str:
    x = np.random.default_rng(0).random((40, *shape), np.float32)
    np.savez(folder / "rows.npz", x=x, y=np.arange(40) % 2)
    return f"file://{folder}/rows.npz"


def unused(dataset: Dataset) -> list[str]:
    return [note for note in dataset.notes if "is not used" in note]


def test_data_that_follows_the_whole_spec_has_no_such_note(tmp_path: Path) -> None:
    used = {"cleaning": {"missing": {"strategy": "mean"}}}
    columns = {"label": "label", "columns": {"y": "category"}, "features": ["x", "y"]}
    assert unused(read(table(tmp_path), source=columns, **used)) == []
    assert unused(read("sklearn://digits")) == []
    assert unused(read(texts(tmp_path), preprocessing={"text": {"length": 4}})) == []
    assert unused(read(archive(tmp_path, 3, 8, 8), preprocessing={"channels": "first"})) == []


@pytest.mark.parametrize(
    ("preprocessing", "field", "lacks"),
    [
        ({"image": {"height": 32}}, "image", "picture files"),
        ({"text": {"length": 4}}, "text", "text files"),
        ({"channels": "first"}, "channels", "pictures"),
    ],
)
def test_preprocessing_that_a_table_has_no_use_for_is_told(
    tmp_path: Path, preprocessing: dict[str, Any], field: str, lacks: str
) -> None:
    uri, label = table(tmp_path), {"label": "label"}
    told = read(uri, source=label, preprocessing=preprocessing)
    note = f"spec.data.preprocessing.{field} is not used: the data has no {lacks}"
    assert unused(told) == [note]
    plain = read(uri, source=label)
    assert told.schema == plain.schema
    np.testing.assert_array_equal(told.train.features(), plain.train.features())


def test_missing_values_are_a_tables(tmp_path: Path) -> None:
    cleaning = {"missing": {"strategy": "mean"}}
    [note] = unused(read(archive(tmp_path, 5), cleaning=cleaning))
    assert note.startswith("spec.data.cleaning.missing is not used")


def test_rows_that_are_no_pictures_have_no_channels_to_turn(tmp_path: Path) -> None:
    dataset = read(archive(tmp_path, 5), preprocessing={"channels": "first"})
    assert not dataset.schema.channels_first
    assert unused(dataset) == [
        "spec.data.preprocessing.channels is not used: the data has no pictures"
    ]


def test_texts_have_nothing_to_scale(tmp_path: Path) -> None:
    [note] = unused(read(texts(tmp_path), preprocessing={"scaling": "rescale"}))
    assert note.startswith("spec.data.preprocessing.scaling is not used")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"source": {"features": ["a"]}}, "source.features"),
        ({"source": {"columns": {"a": "category"}}}, "source.columns"),
        ({"split": {"groups": "family"}}, "split.groups"),
        ({"split": {"time": "day"}}, "split.time"),
        ({"preprocessing": {"image": {"height": 32}}}, "preprocessing.image"),
    ],
)
def test_what_would_make_another_model_than_was_asked_for_is_refused(
    tmp_path: Path, spec: dict[str, Any], field: str
) -> None:
    for uri in ("sklearn://iris", archive(tmp_path, 4, 4)):
        with pytest.raises(InvalidData, match=rf"spec\.data\.{field}: .* has no .*leave the field"):
            read(uri, **spec)


def test_texts_in_folders_cannot_be_divided_by_a_column(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.split\.groups: .*format text"):
        read(texts(tmp_path), split={"groups": "author"})
