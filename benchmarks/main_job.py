"""Measures the main job on this machine, from the command to the endpoint that answers.

    python benchmarks/main_job.py manifests/examples/mnist.yaml

Runs `trainyard run JOB --once` and prints one JSON line: seconds until the endpoint had answered,
accuracy, and what compression gained against the SavedModel (ratios within this run).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from trainyard_api.status import TrainingJobStatus

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "datasets"
TRAINYARD = Path(sys.executable).parent / "trainyard"


def run(job: Path, output: Path) -> float:
    """Run a job from nothing until its endpoint has answered; the seconds that took."""
    shutil.rmtree(output, ignore_errors=True)
    begun = time.monotonic()
    subprocess.run(
        [TRAINYARD, "run", job, "--output", output, "--mount", f"datasets={DATA}", "--once"],
        stdout=sys.stderr,
        check=True,
    )
    return time.monotonic() - begun


def report(job: Path, seconds: float, status: TrainingJobStatus) -> dict[str, object]:
    """The figures of a finished job."""
    if status.evaluation is None or status.compression is None:
        raise SystemExit(f"{job} is no job with compression")
    original, winner = status.compression.original, status.compression.compressed
    return {
        "benchmark": "main_job",
        "job": job.stem,
        "seconds": round(seconds, 1),
        "accuracy": round(status.evaluation.metrics["accuracy"], 4),
        "winner": status.compression.winner,
        "times_smaller": round(original.bytes / winner.bytes, 2),
        "times_faster": round(original.latencyMicroseconds / winner.latencyMicroseconds, 1),
        "accuracy_lost": round(original.accuracy - winner.accuracy, 4),
    }


def main() -> None:
    """Measure one job."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("job", type=Path, help="a job on pvc://datasets/NAME")
    options = parser.parse_args()
    for name in ("mnist", "fashion-mnist"):
        command = [str(TRAINYARD), "data", "get", name, "--to", str(DATA / name)]
        subprocess.run(command, stdout=sys.stderr, check=True)
    output = ROOT / "trainyard-run" / f"benchmark-{options.job.stem}"
    seconds = run(options.job, output)
    status = TrainingJobStatus.model_validate_json((output / "status.json").read_text())
    print(json.dumps(report(options.job, seconds, status)))


if __name__ == "__main__":
    main()
