"""Measures what reading costs a worker: streamed pictures, and an array kept in memory.

    python benchmarks/data_pictures.py [--pictures 20000] [--megabytes 600]

Prints a JSON line for each. A worker is a process of its own, which reads the data as the train
stage does and trains the example's network for some steps. Memory is the most that was resident
(VmHWM), TensorFlow's own 500 MB and the network's among it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

SIDE: Final = 224
CLASSES: Final = 10
STEPS: Final = 30
COLUMNS: Final = 784
MIB: Final = 2**20


def make_picture(folder: Path, number: int) -> None:
    """A picture with some structure, of some 15 kB."""
    from PIL import Image

    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.integers(0, 255, (14, 14, 3), np.uint8))
    fine = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).astype(np.int16)
    noisy = (fine + random.integers(-12, 12, fine.shape)).clip(0, 255).astype(np.uint8)
    path = folder / f"class-{number % CLASSES}" / f"{number:06}.jpg"
    Image.fromarray(noisy).save(path, quality=85)


def make_pictures(folder: Path, count: int) -> None:
    """A folder for each class."""
    for each in range(CLASSES):
        (folder / f"class-{each}").mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(make_picture, folder), range(count)))


def make_array(path: Path, megabytes: int) -> None:
    """An archive of float32, written piece by piece."""
    rows = megabytes * MIB // (4 * COLUMNS)
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("y.npy", "w") as member:
            np.lib.format.write_array(member, np.arange(rows) % CLASSES)
        with archive.open("x.npy", "w", force_zip64=True) as member:
            header: dict[str, Any] = {
                "descr": "<f4",
                "fortran_order": False,
                "shape": (rows, COLUMNS),
            }
            np.lib.format.write_array_header_1_0(member, header)
            for first in range(0, rows, 1024):
                count = min(1024, rows - first)
                member.write(random.standard_normal((count, COLUMNS), np.float32).tobytes())


def spec_of(data: Path, streaming: str) -> dict[str, Any]:
    """The example's network for pictures; for an array a dense one."""
    pictures = data.is_dir()
    network = {"filters": [32, 64], "kernelSize": 3, "pooling": "max", "units": [64]}
    return {
        "data": {
            "source": {"uri": f"file://{data}", "streaming": streaming},
            "preprocessing": {"scaling": "rescale" if pictures else "standard"},
        },
        "model": {"architecture": "cnn", "cnn": network} if pictures else {"architecture": "dense"},
        "training": {"epochs": 1000, "batchSize": 16 if pictures else 128},
    }


def work(data: Path, streaming: str) -> dict[str, Any]:
    """What a worker does, and what it cost."""
    from trainyard_api.spec import TrainingJobSpec
    from trainyard_trainer import models
    from trainyard_trainer.data import load
    from trainyard_trainer.progress import Tracker
    from trainyard_trainer.tasks import task_of
    from trainyard_trainer.training.fit import Fitting, Surroundings, fit
    from trainyard_trainer.training.fit.loop import Outside
    from trainyard_trainer.training.gang import Gang
    from trainyard_trainer.training.objectives.objective import Supervised

    spec = TrainingJobSpec.model_validate(spec_of(data, streaming))
    before = peak()
    begun = time.monotonic()
    dataset = load(spec.data, {})
    read = time.monotonic() - begun
    after_reading = peak()
    task = task_of(dataset.schema.target, spec.training, dataset.train.targets)
    scaling = models.scaling_for(spec.data.preprocessing.scaling, dataset.schema, dataset.moments)
    tracker = Tracker()
    nobody = dataset.validation.only(np.empty(0, np.int64))
    fitting = Fitting(
        build=lambda: models.build(spec.model, dataset.schema, task, scaling),
        objective=Supervised(task),
        train=dataset.train,
        validation=nobody,
        training=spec.training,
    )
    outside = Outside(
        asked_to_stop=lambda: (tracker.snapshot().step or 0) >= STEPS,
        save=None,
        drain=lambda: None,
        watchdog=None,
    )
    surroundings = Surroundings(tracker, None, outside)
    begun = time.monotonic()
    fitted = fit(fitting, Gang.alone(), surroundings)
    trained = time.monotonic() - begun
    return {
        "rows": len(dataset.train) + len(dataset.validation) + len(dataset.test),
        "read_seconds": round(read, 1),
        "before_mib": before,
        "after_reading_mib": after_reading,
        "peak_mib": peak(),
        "steps": fitted.steps,
        "waited_share": round(fitted.waited / trained, 4),
    }


def peak() -> int:
    """The most of this process that was in memory, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise LookupError("VmHWM")


def measure(name: str, data: Path, streaming: str, size: int) -> None:
    """Let a worker read and train, and print what it cost.

    Args:
        size: of the rows as they are kept, in MiB.
    """
    command = [sys.executable, __file__, "--worker", str(data), "--streaming", streaming]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(answer.splitlines()[-1])
    limit = 1500 if streaming == "always" else int(1.3 * size + 600)
    print(json.dumps({"benchmark": name, "data_mib": size, **found, "limit_mib": limit}))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Measure what reading costs a worker.")
    parser.add_argument("--pictures", type=int, default=20_000, help="how many")
    parser.add_argument("--megabytes", type=int, default=600, help="size of the array")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--streaming", default="auto", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        print(json.dumps(work(options.worker, options.streaming)))
        return
    with tempfile.TemporaryDirectory() as folder:
        pictures, array = Path(folder, "pictures"), Path(folder, "array.npz")
        make_pictures(pictures, options.pictures)
        measure("pictures", pictures, "always", options.pictures * SIDE * SIDE * 3 // MIB)
        make_array(array, options.megabytes)
        measure("array", array, "never", options.megabytes)


if __name__ == "__main__":
    main()
