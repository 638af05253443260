"""Tables of all kinds of columns, trained for real by the program that runs in a pod."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.object_store import Server
from trainyard_api.results import parse_termination_message
from trainyard_api.spec import Data
from trainyard_trainer.data import load

pytestmark = pytest.mark.processes

ROWS = 1500


def write_table(path: Path) -> None:
    """A label that follows from a number, a category, a truth value and a time together."""
    random = np.random.default_rng(0)
    age = random.integers(18, 90, ROWS)
    city = random.integers(0, 3, ROWS)
    member = random.random(ROWS) < 0.5
    day = random.integers(0, 360, ROWS)
    score = (age - 54) / 10 + (city == 0) * 3.0 + member * 2.0 + (day - 180) / 60
    lines = ["age,city,member,since,bought"]
    for row in range(ROWS):
        cells = [
            "" if row % 40 == 0 else str(age[row]),
            "" if row % 50 == 1 else ("Rome", "Oslo", "Zürich")[city[row]],
            "yes" if member[row] else "no",
            str(np.datetime64("2024-01-01") + int(day[row])),
            "much" if score[row] > 1.5 else "little",
        ]
        lines.append(";".join(cells))
    path.write_text("\n".join([lines[0].replace(",", ";"), *lines[1:]]) + "\n")


def test_a_table_of_all_kinds_of_columns_is_learned(tmp_path: Path) -> None:
    write_table(tmp_path / "people.csv")
    spec = {
        "data": {
            "source": {"uri": f"file://{tmp_path}/people.csv", "label": "bought"},
            "cleaning": {"missing": {"strategy": "median"}},
        },
        "model": {"architecture": "dense", "dense": {"units": [32]}},
        "training": {"epochs": 20, "batchSize": 32, "optimizer": {"learningRate": 0.01}},
        "workers": {"replicas": 1},
    }
    message, log = tmp_path / "message", tmp_path / "log"
    environ = os.environ | {
        "TRAINYARD_JOB": "people",
        "TRAINYARD_NAMESPACE": "tests",
        "TRAINYARD_RUN": "1-5f3a9c",
        "TRAINYARD_ATTEMPT": "1",
        "TRAINYARD_SPEC": json.dumps(spec),
        "TRAINYARD_STORAGE": f"file://{tmp_path}/store",
        "TRAINYARD_TERMINATION_LOG": str(message),
        "TRAINYARD_HOST": "127.0.0.1",
        "TRAINYARD_PORT": "0",
    }
    with log.open("wb") as output:
        command = [sys.executable, "-m", "trainyard_trainer", "train"]
        done = subprocess.run(
            command, env=environ, stdout=output, stderr=output, timeout=120, check=False
        )
    assert done.returncode == 0, log.read_text()
    reported = parse_termination_message(message.read_text())
    assert reported is not None
    assert reported.train is not None
    assert reported.train.metrics["accuracy"] > 0.9
    graph = tmp_path / "store" / "model" / "saved_model" / "saved_model.pb"
    assert b"serving_raw" in graph.read_bytes()
    assert "columns: number age; category city; boolean member; time since" in log.read_text()


def test_tables_in_a_bucket_are_read_as_on_a_disk(object_store: Server, tmp_path: Path) -> None:
    write_table(tmp_path / "people.csv")
    table = csv.read_csv(tmp_path / "people.csv", parse_options=csv.ParseOptions(delimiter=";"))
    packed = pa.BufferOutputStream()
    parquet.write_table(table, packed, row_group_size=400)
    name = object_store.bucket()
    store = object_store.store(name)
    store.put("sets/people.csv", (tmp_path / "people.csv").read_bytes())
    store.put("parts/year=2024/a.parquet", packed.getvalue().to_pybytes())
    cleaning = {"missing": {"strategy": "median"}}
    numbers = np.arange(ROWS, dtype=np.int64)

    def rows(uri: str) -> np.ndarray:
        source = {"uri": uri, "label": "bought", "features": ["age", "city", "since"]}
        data = Data.model_validate({"source": source, "cleaning": cleaning})
        return load(data, object_store.environ()).train.source.take(numbers)

    expected = rows(f"file://{tmp_path}/people.csv")
    for uri in ("sets/people.csv", "sets/*.csv", "sets", "parts"):
        np.testing.assert_array_equal(rows(f"s3://{name}/{uri}"), expected)
