"""A small table of people, for tests: a column of each kind, and a label that follows from one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load

ROWS = 200
KINDS = {
    "age": "number",
    "height": "number",
    "city": "category",
    "member": "boolean",
    "since": "time",
}


def table(rows: int = ROWS) -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    ages = random.integers(18, 90, rows)
    return {
        "age": ages.tolist(),
        "height": random.normal(170, 9, rows).round(2).tolist(),
        "city": random.choice(["Rome", "Oslo", "Paris"], rows).tolist(),
        "member": random.choice([True, False], rows).tolist(),
        "since": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(rows)],
        "bought": np.where(ages > 50, "much", "little").tolist(),
    }


def csv_of(columns: dict[str, list[Any]], delimiter: str = ",") -> str:
    lines = [delimiter.join(columns)]
    lines += [delimiter.join(map(str, cells)) for cells in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


def data(path: Path | str, /, label: str | None = "bought", **fields: Any) -> Data:
    source = {"uri": f"file://{path}", "label": label} | fields.pop("source", {})
    return Data.model_validate({"source": source} | fields)


def read(path: Path | str, /, label: str | None = "bought", **fields: Any) -> Dataset:
    return load(data(path, label, **fields), {})


def kinds(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in dataset.schema.columns}


def features(dataset: Dataset) -> np.ndarray:
    """Of all rows, in the order of the source."""
    return dataset.train.source.take(np.arange(len(dataset.train.source), dtype=np.int64))
