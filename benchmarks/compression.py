"""Measures what compression gains: the winner against the SavedModel, on real held-out rows.

    python benchmarks/compression.py --saved-model RUN/model/saved_model --data IDX_FOLDER

Prints one JSON line. Ratios are the SavedModel's figure divided by the winner's; the SavedModel
is run by TensorFlow, the candidates by LiteRT, both on one thread.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import tensorflow as tf

from trainyard_api.results import CompressResult
from trainyard_api.spec import Compression, Data, Training
from trainyard_api.spec.data import Source
from trainyard_trainer.compress.measure import HeldOut
from trainyard_trainer.compress.stage import Materials, compress, representative_rows
from trainyard_trainer.data import load
from trainyard_trainer.data.prepared import of_dataset
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Store


def measure(saved_model: Path, data: Path, objective: str) -> CompressResult:
    """All candidates of a SavedModel that was trained on the data in `data`."""
    dataset = load(Data(source=Source(uri=f"file://{data.resolve()}")), {})
    held_out = HeldOut.of(of_dataset(dataset, seed=0), Training(), saved_model)
    materials = Materials(saved_model, representative_rows(dataset.train, 0), held_out)
    compression = Compression.model_validate({"objective": objective})
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"file://{folder}", {}, "compress", 1)
        return compress(materials, compression, store, Tracker())


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Measure what compression gains.")
    add = parser.add_argument
    add("--saved-model", type=Path, required=True, help="folder of the SavedModel")
    add("--data", type=Path, required=True, help="folder of the four idx files, or an .npz")
    add("--objective", choices=("latency", "size"), default="latency")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    result = measure(options.saved_model, options.data, options.objective)
    winner = next(each for each in result.candidates if each.name == result.winner)
    original = result.original
    print(
        json.dumps(
            {
                "benchmark": "compression",
                "winner": winner.name,
                "within_budget": result.withinBudget,
                "size_ratio": round(original.bytes / winner.bytes, 2),
                "latency_ratio": round(
                    original.latencyMicroseconds / winner.latencyMicroseconds, 2
                ),
                "accuracy_loss": round(original.accuracy - winner.accuracy, 4),
                "original": original.to_dict(),
                "candidates": [each.to_dict() for each in result.candidates],
                "seconds": result.seconds,
            }
        )
    )


if __name__ == "__main__":
    main()
