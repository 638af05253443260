"""A served model answers rows as callers have them, as the trained one answers encoded ones."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import keras
import numpy as np
import pytest
import tensorflow as tf

from trainyard_api.contract import (
    ColumnContract,
    Contract,
    InputContract,
    OutputContract,
    Range,
)
from trainyard_api.packed import contract_of, pack
from trainyard_api.spec import Data, Training
from trainyard_api.spec import Model as ModelSpec
from trainyard_serving import protocol_v1, protocol_v2
from trainyard_serving.app import build_app
from trainyard_serving.model import Model, ModelRejected
from trainyard_serving.readiness import Readiness
from trainyard_serving.refusals import Refusal
from trainyard_serving.served import Served
from trainyard_serving.settings import Limits
from trainyard_trainer import export, models
from trainyard_trainer.data import load
from trainyard_trainer.export import baseline
from trainyard_trainer.tasks import task_of

CITIES = ("Lyon", "Oslo", "Porto")


def table(rows: int = 60) -> list[dict[str, Any]]:
    random = np.random.default_rng(4)
    return [
        {
            "age": None if row % 7 == 3 else round(float(random.normal(40, 9)), 2),
            "city": None if row % 11 == 5 else CITIES[row % 3],
            "member": bool(row % 2),
            "since": f"2026-0{1 + row % 9}-1{row % 10}T12:{row % 60:02}:00",
            "words": f"the {CITIES[row % 3]} train number {row} was late, again and again",
            "label": "yes" if row % 3 else "no",
        }
        for row in range(rows)
    ]


def converted(saved_model: Path) -> bytes:
    content: bytes = tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert()
    return content


def served(content: bytes, folder: Path) -> Served:
    path = folder / "model.tflite"
    path.write_bytes(content)
    model = Model.load(path, hashlib.sha256(content).hexdigest(), 1)
    return Served(model, "m", "r", Limits(), 1)


def write(rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_rows_with_names_are_answered_as_training_saw_them(tmp_path: Path) -> None:
    rows = table()
    write(rows, tmp_path / "rows.csv")
    document = {
        "source": {"uri": f"file://{tmp_path}/rows.csv", "label": "label"},
        "cleaning": {"missing": {"strategy": "median"}},
        "split": {"test": 0.2, "validation": 0.0},
    }
    data = load(Data.model_validate(document), {})
    assert {column.kind for column in data.schema.columns} == {
        *("number", "category", "boolean", "time", "text")
    }
    task = task_of(data.schema.target, Training(), data.train.targets)
    keras.utils.set_random_seed(2)
    scaling = models.scaling_for("standard", data.schema, data.moments)
    model = models.build(ModelSpec(architecture="dense"), data.schema, task, scaling)
    model.export(tmp_path / "model", format="tf_saved_model", verbose=False)
    learned, answers = baseline.sample(data.train), np.zeros((1, task.outputs))
    contract = export.contract_of(data.schema, task.output, learned, answers)
    serving = served(pack(converted(tmp_path / "model"), contract), tmp_path)

    sent = [{name: cell for name, cell in row.items() if name != "label"} for row in rows]
    answer = json.loads(protocol_v1.predict(serving, json.dumps({"instances": sent}).encode()))
    for part in (data.train, data.test):
        expected = np.asarray(model(part.features()))
        given = np.array(answer["predictions"])[part.numbers]
        np.testing.assert_allclose(given, expected, atol=1e-5)
    in_order = [list(row.values()) for row in sent]
    again = json.loads(protocol_v1.predict(serving, json.dumps({"instances": in_order}).encode()))
    assert again == answer

    wrong = [sent[0], sent[1] | {"member": "perhaps"}]
    with pytest.raises(Refusal, match=r"instances\[1\]: .*member") as caught:
        protocol_v1.predict(serving, json.dumps({"instances": wrong}).encode())
    assert caught.value.status == 400


async def test_the_metadata_of_a_table_has_a_row_that_the_endpoint_takes(tmp_path: Path) -> None:
    columns = [
        ColumnContract(name="age", kind="number", first=0, range=Range(lowest=1.0, highest=9.0)),
        ColumnContract(name="city", kind="category", first=1, vocabulary=list(CITIES)),
    ]
    told = contract([2], [])
    told = told.model_copy(update={"input": told.input.model_copy(update={"columns": columns})})
    serving = served(pack(identity(tmp_path / "model"), told), tmp_path)
    app = build_app(serving, Readiness())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://serving") as client:
        [taken] = (await client.get("/v2/models/m")).json()["inputs"]
        row = taken["parameters"]["example"]
        assert row == {"age": 5, "city": "Lyon"}
        answer = await client.post("/v1/models/m:predict", json={"instances": [row]})
    assert answer.json()["predictions"] == [[5.0, 1.0]]


async def test_the_metadata_tells_what_labels_are_called_and_from_where_on_they_hold(
    tmp_path: Path,
) -> None:
    output = OutputContract(
        name="probabilities", task="multi_label", names=["red", "round"], threshold=0.5
    )
    told = contract([2], []).model_copy(update={"output": output})
    serving = served(pack(identity(tmp_path / "model"), told), tmp_path)
    transport = httpx.ASGITransport(build_app(serving, Readiness()))
    async with httpx.AsyncClient(transport=transport, base_url="http://serving") as client:
        [given] = (await client.get("/v2/models/m")).json()["outputs"]
    assert given["parameters"] == {"labels": ["red", "round"], "threshold": 0.5}


def contract(shape: list[int], shift: list[float]) -> Contract:
    return Contract(
        input=InputContract(name="features", shape=shape, shift=shift),
        output=OutputContract(name="predictions", task="regression", names=["value"]),
    )


def identity(folder: Path) -> bytes:
    inputs = keras.Input((2,), name="features")
    model = keras.Model(inputs, keras.layers.Rescaling(1.0, name="predictions")(inputs))
    model.export(folder, format="tf_saved_model", verbose=False)
    return converted(folder)


def test_what_training_took_off_is_taken_off_before_float32_rounds(tmp_path: Path) -> None:
    content = pack(identity(tmp_path / "model"), contract([2], [1.7e9, 0.0]))
    serving = served(content, tmp_path)
    rows = [[1.7e9 + 60.0, 5.0], [1.7e9 + 61.0, 5.0]]
    taken = [[60.0, 5.0], [61.0, 5.0]]

    first = json.loads(protocol_v1.predict(serving, json.dumps({"instances": rows}).encode()))
    assert first["predictions"] == taken
    tensor = {"name": serving.model.input.name, "shape": [2, 2], "datatype": "FP64", "data": rows}
    second = json.loads(protocol_v2.infer(serving, json.dumps({"inputs": [tensor]}).encode()))
    assert second["outputs"][0]["data"] == [60.0, 5.0, 61.0, 5.0]


def test_a_contract_comes_back_and_changes_nothing_for_others(tmp_path: Path) -> None:
    content = identity(tmp_path / "model")
    packed = pack(content, contract([2], []))

    assert contract_of(packed) == contract([2], [])
    assert contract_of(content) is None
    assert packed.startswith(content)
    assert packed == pack(content, contract([2], [])), "its digest would tell nothing"


def test_a_contract_of_another_model_is_not_served(tmp_path: Path) -> None:
    content = pack(identity(tmp_path / "model"), contract([3], []))
    with pytest.raises(ModelRejected, match=r"rows of shape \[3\]"):
        served(content, tmp_path)
