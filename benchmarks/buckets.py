"""Measures data in a bucket against the same data on a disk: `python -m benchmarks.buckets`.

Writes a table of Parquet files, an array and a folder of pictures, and puts them into a bucket of
an object store on this machine. A worker of its own reads each and trains on it with the defaults
of a job (five epochs, a small network), in turn from the disk and from the bucket; prints one line
of JSON: medians over `--rounds`, and ratios.
The object store has to share the machine with the worker, which a real one would not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.data import write_table
from benchmarks.data_pictures import make_array, make_pictures
from tests.object_store import Server, running

_WORKER: Final = "--worker"
_BATCH: Final = 512
_KINDS: Final[dict[str, dict[str, Any]]] = {
    "parquet": {"source": {"label": "label"}},
    "npz": {},
    "pictures": {"preprocessing": {"scaling": "rescale", "image": {"height": 64}}},
}


def write(folder: Path, megabytes: int, pictures: int) -> None:
    """What is read: a folder for each kind."""
    for kind in _KINDS:
        (folder / kind).mkdir()
    write_table(folder / "parquet", megabytes * 2**20)
    make_array(folder / "npz" / "rows.npz", megabytes)
    make_pictures(folder / "pictures", pictures)


def put(folder: Path, server: Server) -> str:
    """A bucket that has the files of a folder."""
    bucket = server.bucket()
    store = server.store(bucket)
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        store.put(path.relative_to(folder).as_posix(), path)
    return bucket


def work(kind: str, uri: str) -> dict[str, float]:
    """What a worker does, and how long it takes: seconds."""
    from trainyard_api.spec import Data, TrainingJobSpec
    from trainyard_trainer.data import load
    from trainyard_trainer.tasks import task_of
    from trainyard_trainer.training.fit import Surroundings, fit
    from trainyard_trainer.training.gang import Gang
    from trainyard_trainer.training.supervised import supervised

    document = _KINDS[kind] | {"source": {"uri": uri} | _KINDS[kind].get("source", {})}
    spec = TrainingJobSpec.model_validate(
        {
            "data": document,
            "model": {"architecture": "cnn" if kind == "pictures" else "dense"},
            "training": {"batchSize": _BATCH if kind == "parquet" else _BATCH // 4},
        }
    )
    begun = time.monotonic()
    dataset = load(Data.model_validate(document), os.environ)
    read = time.monotonic() - begun
    task = task_of(dataset.schema.target, spec.training, dataset.train.targets)
    fit(supervised(spec, dataset, task, dataset.train), Gang.alone(), Surroundings.none())
    return {"read": read, "whole": time.monotonic() - begun}


def measure(kind: str, uri: str, environ: dict[str, str]) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.buckets", _WORKER, kind, uri]
    done = subprocess.run(
        command, env=os.environ | environ, stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compared(kind: str, uris: dict[str, str], environ: dict[str, str], rounds: int) -> Any:
    """Medians of both places, in turn, and their ratios."""
    measured: dict[str, list[dict[str, float]]] = {place: [] for place in uris}
    for _ in range(rounds):
        for place, uri in uris.items():
            measured[place].append(measure(kind, f"{uri}/{kind}", environ))
    found: dict[str, Any] = {}
    for what in ("read", "whole"):
        medians = {
            place: statistics.median(each[what] for each in every)
            for place, every in measured.items()
        }
        found |= {f"{what}_seconds_{place}": round(each, 2) for place, each in medians.items()}
        found[f"{what}_ratio"] = round(medians["bucket"] / medians["disk"], 2)
    return found


def main() -> None:
    """Measure all kinds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=400, help="of the table, and of the array")
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(_WORKER, nargs=2, metavar=("KIND", "URI"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(*options.worker)))
        return
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "store") as server:
        data = Path(folder) / "data"
        data.mkdir()
        write(data, options.megabytes, options.pictures)
        uris = {"disk": f"file://{data}", "bucket": f"s3://{put(data, server)}"}
        figures = {kind: compared(kind, uris, server.environ(), options.rounds) for kind in _KINDS}
    print(json.dumps({"benchmark": "buckets", **figures}))


if __name__ == "__main__":
    main()
