"""The compression stage, from the pod's environment to its result."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf

from trainyard_api import environment
from trainyard_api.contract import Contract
from trainyard_api.exit_codes import ExitCode
from trainyard_api.packed import pack
from trainyard_api.results import CompressResult, TerminationMessage
from trainyard_api.spec import Compression
from trainyard_api.status import Artifact, LeftOut, Measured
from trainyard_trainer import termination
from trainyard_trainer.compress.announced import Announced, announced_folder, announced_model
from trainyard_trainer.compress.choose import FALLBACK, choose
from trainyard_trainer.compress.conversion import ConversionFailed, Rows
from trainyard_trainer.compress.measure import HeldOut, measure_litert, measure_saved_model
from trainyard_trainer.compress.techniques import TECHNIQUES
from trainyard_trainer.data import Part, load
from trainyard_trainer.data import prepared as prepared_data
from trainyard_trainer.data.prepared import Prepared
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Store, guarded

REPRESENTATIVE_ROWS: Final = 300

_PERCENT_ORIGINAL: Final = 10
_DIVIDED_ANEW: Final = (
    "held-out rows are of a division made for compression: the program that trained has reported "
    "no prepared data, and may have learned some of them"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Materials:
    """What candidates are made from and measured on.

    Attributes:
        saved_model: folder of the original; its digest was checked.
        representative: rows of the training part.
        held_out: the test part, and how answers to it are judged.
        contract: that candidates bring with them; None: they bring none.
    """

    saved_model: Path
    representative: Rows
    held_out: HeldOut
    contract: Contract | None = None


def run(pod: Pod, tracker: Tracker) -> ExitCode:
    """Make, measure and publish the candidates; the result goes into the termination message.

    Raises:
        TrainerError: see `trainyard_trainer.errors`.
    """
    _use_one_thread()
    store = Store.open(pod.storage, pod.environ, "compress", pod.attempt)
    with tempfile.TemporaryDirectory(prefix="trainyard-") as scratch:
        tracker.say("checking the model's digest", 0)
        saved_model = verified_model(pod, Path(scratch))
        tracker.say("reading data")
        prepared = held_out_rows(pod, Path(scratch), tracker.say)
        representative = representative_rows(prepared.representative, pod.spec.data.split.seed)
        held_out = HeldOut.of(prepared, pod.spec.training, saved_model)
        materials = Materials(saved_model, representative, held_out, prepared.contract)
        compression = pod.spec.compression or Compression()
        result = compress(materials, compression, store, tracker)
    result = result.model_copy(update={"notes": list(prepared.notes)})
    termination.write(TerminationMessage(compress=result), pod.environ)
    tracker.say("done", 100)
    return ExitCode.OK


def verified_model(pod: Pod, scratch: Path) -> Path:
    """The SavedModel's folder, after its digest was checked.

    Args:
        pod: says which model.
        scratch: a folder for the copy of a model that is in a bucket.

    Raises:
        InvalidSpec: the pod was not told which model, or its URI has no path in a pod.
        InvalidResult: the store answers, and no SavedModel is there.
        ModelRejected: it is not the announced one.
        StoreUnavailable: it cannot be read.
    """
    if pod.model_uri is None or pod.model_sha256 is None:
        raise InvalidSpec(
            f"environment: {environment.MODEL_URI} and {environment.MODEL_SHA256} must be set; "
            "the operator sets them in compression pods"
        )
    return announced_model(pod.model_uri, pod.model_sha256, pod.storage, pod.environ, scratch)


def held_out_rows(pod: Pod, scratch: Path, say: Callable[[str], None]) -> Prepared:
    """The rows that training prepared; where it told of none, those of the source.

    Raises:
        InvalidResult, ModelRejected: what was told of is not there, or something else.
        InvalidData: the source cannot be read.
        StoreUnavailable: the store or the source is away.
    """
    if pod.prepared_uri is not None and pod.prepared_sha256 is not None:
        announced = Announced(pod.prepared_uri, pod.prepared_sha256, "its prepared data")
        folder = announced_folder(announced, pod.storage, pod.environ, scratch)
        with guarded(folder, "read"):
            return prepared_data.read(folder)
    dataset = load(pod.spec.learned_data, pod.environ, say)
    rows = prepared_data.of_dataset(dataset, pod.spec.data.split.seed)
    is_divided = dataset.test.source is dataset.train.source
    return replace(rows, notes=(_DIVIDED_ANEW,)) if is_divided else rows


def representative_rows(train: Part, seed: int) -> Rows:
    """Up to REPRESENTATIVE_ROWS rows of the training part, the same for the same seed.

    Returns:
        Shape (rows, *input), float32.
    """
    count = min(REPRESENTATIVE_ROWS, len(train))
    chosen = np.random.default_rng(seed).choice(len(train), count, replace=False)
    return train.take(np.sort(chosen)).features.astype(np.float32)


def compress(
    materials: Materials,
    compression: Compression,
    store: Store,
    tracker: Tracker,
    clock: Callable[[], float] = time.monotonic,
) -> CompressResult:
    """The measured candidates, all in the store, and the winner.

    Raises:
        InvalidSpec: LiteRT cannot express the model at all.
        StoreUnavailable: the store refuses.
    """
    begun = clock()
    tracker.say("measuring the original", 1)
    original = measure_saved_model(materials.saved_model, materials.held_out)
    _log_measured("original", original)
    measured: dict[str, Measured] = {}
    published: dict[str, Artifact] = {}
    left_out: list[LeftOut] = []
    names = _names(compression)
    for index, name in enumerate(names):
        if name != FALLBACK and clock() >= begun + compression.maxSeconds:
            reason = f"compression.maxSeconds ({compression.maxSeconds}) were over"
            left_out.append(LeftOut(name=name, reason=reason))
            continue
        share = index / len(names)
        percent = round(_PERCENT_ORIGINAL + (100 - _PERCENT_ORIGINAL) * share)
        tracker.say(f"measuring {name} ({index + 1} of {len(names)})", percent)
        try:
            measured[name], published[name] = _candidate(name, materials, store)
        except _NotMade as error:
            left_out.append(LeftOut(name=name, reason=str(error)))
    for missing in left_out:
        _log.warning("%s is no candidate: %s", missing.name, missing.reason)
    loss = original.accuracy - measured[FALLBACK].accuracy
    _log.info("LiteRT's %s loses %.4f of accuracy against the SavedModel", FALLBACK, loss)
    metric = materials.held_out.judge.main_metric
    choice = choose(
        original.accuracy, measured, compression.objective, compression.maxAccuracyLoss, metric
    )
    _log.info("winner: %s; within maxAccuracyLoss: %s", choice.winner, choice.within_budget)
    return CompressResult(
        original=original,
        candidates=list(choice.candidates),
        leftOut=left_out,
        winner=choice.winner,
        metric=metric,
        withinBudget=choice.within_budget,
        compressed=published[choice.winner],
        seconds=round(clock() - begun, 3),
    )


def _names(compression: Compression) -> list[str]:
    """The candidates to make: first the one that is served if no other may be."""
    return list(dict.fromkeys([FALLBACK, *compression.techniques]))


class _NotMade(Exception):
    """A technique cannot be applied to this model."""


def _candidate(name: str, materials: Materials, store: Store) -> tuple[Measured, Artifact]:
    """One candidate, measured and published.

    Raises:
        _NotMade: it cannot be made from this model.
        InvalidSpec: the same, of FALLBACK.
        StoreUnavailable: the store refuses.
    """
    try:
        content = TECHNIQUES[name](materials.saved_model, materials.representative)
        if materials.contract is not None:
            content = pack(content, materials.contract)
        measured = measure_litert(content, materials.held_out)
    except (ConversionFailed, ValueError, RuntimeError) as error:
        if name == FALLBACK:
            raise InvalidSpec(
                f"spec.model: LiteRT cannot express this model ({error}); "
                "leave out spec.compression and spec.serving, or use other layers"
            ) from error
        raise _NotMade(f"it cannot be made from this model: {str(error)[:200]}") from error
    _log_measured(name, measured)
    return measured, store.compressed(name).announce(lambda path: path.write_bytes(content))


def _log_measured(name: str, measured: Measured) -> None:
    _log.info(
        "%s: accuracy %.4f, %d bytes, %.1f us a row, %.0f rows/s in batches of 32",
        name,
        measured.accuracy,
        measured.bytes,
        measured.latencyMicroseconds,
        measured.throughput or 0.0,
    )


def _use_one_thread() -> None:
    """Lets TensorFlow run the original as LiteRT runs the candidates."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        _log.warning("the original is measured with several threads: %s", error)
