"""Measures how a worker takes data that is larger than its memory should be.

    python benchmarks/data.py --gigabytes 4

Writes a table of Parquet files into a temporary folder, trains one epoch on it in a worker of its
own, streamed, and prints one JSON line: the worker's peak resident memory, the seconds that reading
took, and the share of its time that training waited for rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

_WORKER: Final = "--worker"
_ROWS_OF_A_FILE: Final = 500_000
_NUMBERS: Final = 40
_CITIES: Final = 1000


def write_table(folder: Path, size: int) -> int:
    """Write Parquet files of `size` bytes in all; the number of rows."""
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(0)
    cities = np.array([f"city {i}" for i in range(_CITIES)])
    written = rows = 0
    while written < size:
        numbers = random.normal(size=(_NUMBERS, _ROWS_OF_A_FILE))
        city = random.integers(0, _CITIES, _ROWS_OF_A_FILE)
        columns: dict[str, Any] = {f"number_{i}": each for i, each in enumerate(numbers)}
        columns["city"] = cities[city]
        columns["member"] = random.random(_ROWS_OF_A_FILE) < 0.5
        columns["label"] = np.where(numbers[0] + city / _CITIES > 0.5, "yes", "no")
        path = folder / f"part-{rows // _ROWS_OF_A_FILE:05}.parquet"
        parquet.write_table(pa.table(columns), path)
        written += path.stat().st_size
        rows += _ROWS_OF_A_FILE
    return rows


def work(uri: str) -> dict[str, Any]:
    """What a worker does with the table, and what it took."""
    from trainyard_api.spec import Data, Model, Training
    from trainyard_trainer import models
    from trainyard_trainer.data import load
    from trainyard_trainer.tasks import task_of
    from trainyard_trainer.training.fit import Fitting, Surroundings, fit
    from trainyard_trainer.training.gang import Gang
    from trainyard_trainer.training.objectives.objective import Supervised

    data = Data.model_validate({"source": {"uri": uri, "label": "label", "streaming": "always"}})
    training = Training.model_validate({"epochs": 1, "batchSize": 512})
    begun = time.monotonic()
    dataset = load(data, {})
    read = time.monotonic()
    read_peak = peak_bytes()
    task = task_of(dataset.schema.target, training, dataset.train.targets)
    scaling = models.scaling_for(data.preprocessing.scaling, dataset.schema, dataset.moments)
    fitting = Fitting(
        build=lambda: models.build(Model(architecture="dense"), dataset.schema, task, scaling),
        objective=Supervised(task),
        train=dataset.train,
        validation=dataset.validation,
        training=training,
    )
    fitted = fit(fitting, Gang.alone(), Surroundings.none())
    trained = time.monotonic() - read
    return {
        "rows": len(dataset.train.source),
        "read_seconds": round(read - begun, 1),
        "read_peak_megabytes": round(read_peak / 2**20),
        "peak_megabytes": round(peak_bytes() / 2**20),
        "train_seconds": round(trained, 1),
        "waiting_share": round(fitted.waited / trained, 4),
    }


def peak_bytes() -> int:
    """The most memory that was this process's at a time."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("/proc/self/status has no VmHWM")


def main() -> None:
    """Measure one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.5, help="of Parquet files")
    parser.add_argument(_WORKER, metavar="URI", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(options.worker)))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder), int(options.gigabytes * 2**30))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        command = [sys.executable, __file__, _WORKER, f"file://{folder}"]
        done = subprocess.run(
            command, env=os.environ, stdout=subprocess.PIPE, check=True, text=True
        )
    figures = {"benchmark": "data", "parquet_gigabytes": round(size / 2**30, 2)}
    print(json.dumps(figures | json.loads(done.stdout.splitlines()[-1])))


if __name__ == "__main__":
    main()
