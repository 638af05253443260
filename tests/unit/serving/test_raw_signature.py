"""The model that was trained, its SavedModel on raw rows and the served one answer alike."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from trainyard_api.packed import pack
from trainyard_api.spec import Data, Training
from trainyard_api.spec import Model as ModelSpec
from trainyard_serving import protocol_v1
from trainyard_serving.model import Model
from trainyard_serving.served import Served
from trainyard_serving.settings import Limits
from trainyard_trainer import export, models
from trainyard_trainer.compress import float32
from trainyard_trainer.compress.size import bytes_for
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.export import baseline
from trainyard_trainer.export.raw.names import input_names
from trainyard_trainer.store import Store
from trainyard_trainer.tasks import task_of

CITIES = ("Zürich", "São Paulo", "Αθήνα", "Кишинёв", "東京")
NATURE = ("«Ça n’est pas ÉTÉ»", "ΟΔΥΣΣΕΥΣ — ἐν Ἀθήναις", "naïve re\u0301sume\u0301 x≠y", "it's 5 €")
SINCE = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def table(rows: int = 120) -> list[dict[str, Any]]:
    random = np.random.default_rng(4)
    return [
        {
            "age": None if row % 7 == 3 else round(float(random.normal(40, 9)), 2),
            "Account no.": 900_000_000_000_000 + row,
            "Stadt/city": None if row % 11 == 5 else f" {CITIES[row % 5]} ",
            # Too rare for the training part to have all of them.
            "plate": f"ZH {row // 2}",
            "member": None if row % 13 == 4 else bool(row % 2),
            "since": None if row % 9 == 8 else SINCE + row * 1.5,
            "words": None if row % 10 == 7 else f"{NATURE[row % 4]}, number {row} again and again",
            "label": "yes" if row % 3 else "no",
        }
        for row in range(rows)
    ]


def written(cell: Any, name: str) -> Any:
    if name == "since" and cell is not None:
        return datetime.fromtimestamp(cell, UTC).isoformat()
    return cell


@dataclass(frozen=True)
class Trained:
    """A model in all its forms."""

    data: Dataset
    model: keras.Model
    folder: Path
    served: Served

    def raw(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
        """What the SavedModel answers to rows as callers have them."""
        signature = tf.saved_model.load(str(self.folder)).signatures["serving_raw"]
        columns = self.data.schema.columns
        tensors = {
            name: as_tensor([row[column.name] for row in rows], column.kind)
            for column, name in zip(columns, input_names([c.name for c in columns]), strict=True)
        }
        return {name: answer.numpy() for name, answer in signature(**tensors).items()}

    def answers(self, rows: Sequence[Any]) -> np.ndarray:
        """What is answered over the network."""
        body = json.dumps({"instances": list(rows)}).encode()
        return np.array(json.loads(protocol_v1.predict(self.served, body))["predictions"])


def as_tensor(cells: Sequence[Any], kind: str) -> tf.Tensor:
    if kind in ("category", "text"):
        return tf.constant(["" if cell is None else str(cell) for cell in cells])
    return tf.constant([math.nan if cell is None else float(cell) for cell in cells], tf.float64)


def trained(data: Dataset, folder: Path) -> Trained:
    task = task_of(data.schema.target, Training(), data.train.targets)
    keras.utils.set_random_seed(2)
    scaling = models.scaling_for("standard", data.schema, data.moments)
    model = models.build(ModelSpec(architecture="dense"), data.schema, task, scaling)
    store = Store.open(f"file://{folder}/store", {}, "train", 1)
    export.export_model(model, task.output, data.schema, store)
    learned, answers = baseline.sample(data.train), np.zeros((1, task.outputs))
    contract = export.contract_of(data.schema, task.output, learned, answers)
    with store.saved_model.on_disk() as saved:
        lite = pack(float32.convert(saved, learned.astype(np.float32)), contract)
    (folder / "model.tflite").write_bytes(lite)
    loaded = Model.load(folder / "model.tflite", hashlib.sha256(lite).hexdigest(), 1)
    return Trained(data, model, saved, Served(loaded, "m", "r", Limits(), 1))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of a table with columns of all kinds, with missing cells and wide numbers."""
    folder = tmp_path_factory.mktemp("people")
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table(1)[0]))
        writer.writeheader()
        for row in table():
            writer.writerow({name: written(cell, name) for name, cell in row.items()})
    kinds = {"plate": "category", "Account no.": "number", "words": "text"}
    document = {
        "source": {"uri": f"file://{folder}/rows.csv", "label": "label", "columns": kinds},
        "cleaning": {"missing": {"strategy": "median"}},
        "split": {"test": 0.3, "validation": 0.0},
    }
    return trained(load(Data.model_validate(document), {}), folder)


def test_all_three_answer_alike_to_every_row(people: Trained) -> None:
    schema = people.data.schema
    assert {column.kind for column in schema.columns} == {
        *("number", "category", "boolean", "time", "text")
    }
    assert {column.name for column in schema.columns if column.shift} == {"Account no.", "since"}
    rows = [{name: cell for name, cell in row.items() if name != "label"} for row in table()]
    raw, served = people.raw(rows), people.answers(rows)
    unknown = 0
    for part in (people.data.train, people.data.test):
        expected = np.asarray(people.model(part.features()))
        np.testing.assert_allclose(raw["probabilities"][part.numbers], expected, atol=1e-6)
        np.testing.assert_allclose(served[part.numbers], expected, atol=1e-5)
        [plate] = [column for column in schema.columns if column.name == "plate"]
        unknown += int((part.features()[:, plate.first] == 0).sum())
    assert unknown > 0, "no row had a category that training did not know"
    assert {tuple(row) for row in raw["classes"].tolist()} == {(b"no", b"yes")}


def test_inputs_are_called_as_the_columns_are_as_far_as_tensorflow_allows(people: Trained) -> None:
    content = (people.folder / "saved_model.pb").read_bytes()
    [graph] = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    inputs = graph.signature_def["serving_raw"].inputs
    texts = {"Stadt_city", "plate", "words"}
    assert set(inputs) == texts | {"age", "Account_no.", "member", "since"}
    for name, taken in inputs.items():
        wanted = tf.string if name in texts else tf.float64
        assert (tf.DType(taken.dtype), len(taken.tensor_shape.dim)) == (wanted, 1)


def test_texts_in_folders_are_answered_alike(tmp_path: Path) -> None:
    for label in ("bad", "good"):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(20):
            text = f"A {label}, {label.upper()} film! {NATURE[number % 4]} № {number}"
            (tmp_path / "texts" / label / f"{number:02}.txt").write_text(text)
    document = {"source": {"uri": f"file://{tmp_path}/texts"}}
    found = trained(load(Data.model_validate(document), {}), tmp_path)
    files = sorted((tmp_path / "texts").rglob("*.txt"))
    rows = [{"text": file.read_text()} for file in [*files, files[0]]] + [{"text": " "}]
    raw = found.raw(rows)["probabilities"]
    np.testing.assert_allclose(raw, found.answers(rows), atol=1e-5)
    for part in (found.data.train, found.data.validation, found.data.test):
        expected = np.asarray(found.model(part.features()))
        near = np.abs(raw[:, None] - expected[None]).max(axis=2).min(axis=0)
        assert near.max() < 1e-6


def test_the_raw_signature_changes_nothing_of_what_is_compressed(
    people: Trained, tmp_path: Path
) -> None:
    """Signature, conversion and measured size are those of a SavedModel without it."""
    module = tf.Module()
    module.variables_of = [variable.value for variable in people.model.variables]
    rows = tf.TensorSpec(people.model.inputs[0].shape, tf.float32, name="features")
    module.serve = tf.function(
        lambda features: {"probabilities": people.model(features, training=False)},
        input_signature=[rows],
    )
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.serve})
    plain, both = (
        tf.saved_model.load(str(path)).signatures["serving_default"]
        for path in (tmp_path, people.folder)
    )
    assert both.structured_input_signature == plain.structured_input_signature
    assert both.structured_outputs == plain.structured_outputs
    features = people.data.test.features()
    assert float32.convert(people.folder, features) == float32.convert(tmp_path, features)
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert bytes_for(tmp_path, "serving_default") == on_disk
    assert bytes_for(people.folder, "serving_default") == pytest.approx(on_disk, abs=1024)
