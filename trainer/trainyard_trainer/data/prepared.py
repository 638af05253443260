"""What training prepared, for the stages that come after it.

They judge and calibrate by the very rows that training held out, not by a division of their own:
a source that was changed meanwhile, or another version's way to divide it, would let rows in that
the model has learned.

The artifact is a folder. `test.npz` has the arrays `features` and `targets`; `validation.npz` the
same; `representative.npz` some rows of the training part. `plan.npz` has the row numbers of all
parts, `cleaning.csv` the rows that cleaning found, `prepared.json` tells what the data was taken
for, and `contract.json` what a caller's rows are to the model. A program of one's own that writes
`test.npz` alone has said enough.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from trainyard_api.contract import Contract
from trainyard_api.model import OpenDocument
from trainyard_api.reported import MAX_NAME, MAX_NOTE, MAX_NOTES, MAX_TARGETS
from trainyard_api.status import DataChanges, DataRows, DataStatus
from trainyard_trainer.data import findings
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.labels import Labels, read_labels
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Features, Part, Targets, whole
from trainyard_trainer.data.target import (
    Classes,
    Quantities,
    Rebuilding,
    SeveralLabels,
    Target,
    TaskName,
)
from trainyard_trainer.errors import InvalidResult

REPRESENTATIVE_ROWS: Final = 1000
CLEANING: Final = "cleaning.csv"
_FIRST_NOTES: Final = 2

_MOST_BYTES: Final = 256 * 2**20
"""Of one part's features: a part that has more is represented by some of its rows."""
_KINDS: Final[Mapping[TaskName, Callable[[tuple[str, ...]], Target]]] = {
    "classification": Classes,
    "multi_label": SeveralLabels,
    "regression": Quantities,
    "reconstruction": Rebuilding,
}
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError)


class _About(OpenDocument):
    """prepared.json."""

    task: TaskName
    targets: list[str]
    rows: DataRows
    notes: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """The rows that later stages go by.

    Attributes:
        representative: of the training part; targets come with them.
        test: held out from everything.
        validation: empty where there is none.
        contract: of the model that was trained; None: its callers send what it takes.
        notes: what the stage that uses them should say, a sentence each.
    """

    target: Target
    representative: Part
    validation: Part
    test: Part
    contract: Contract | None = None
    notes: tuple[str, ...] = ()


def of_dataset(dataset: Dataset, seed: int) -> Prepared:
    """What of a data set later stages go by; the same for the same seed.

    Parts of more than 256 MiB are represented by some of their rows.
    """
    random = np.random.default_rng(seed)
    return Prepared(
        target=dataset.schema.target,
        representative=_some(dataset.train, REPRESENTATIVE_ROWS, random),
        validation=_some(dataset.validation, None, random),
        test=_some(dataset.test, None, random),
    )


def _some(part: Part, most: int | None, random: np.random.Generator) -> Part:
    fitting = max(1, _MOST_BYTES // max(1, part.row_bytes))
    count = min(len(part), fitting, most or len(part))
    if count == len(part):
        return part
    return part.only(np.sort(random.choice(len(part), count, replace=False)).astype(np.int64))


def write(
    folder: Path,
    dataset: Dataset,
    contract: Contract,
    seed: int,
    taken: Callable[[Features], Features] = lambda rows: rows,
) -> None:
    """Write the artifact.

    Args:
        folder: does not exist yet.
        contract: of the trained model.
        taken: what the model takes in the place of some rows.

    Raises:
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True)
    prepared = of_dataset(dataset, seed)
    for name, part in (
        ("test", prepared.test),
        ("validation", prepared.validation),
        ("representative", prepared.representative),
    ):
        np.savez(folder / f"{name}.npz", features=taken(part.features()), targets=part.targets)
    np.savez(
        folder / "plan.npz",
        train=dataset.train.numbers,
        validation=dataset.validation.numbers,
        test=dataset.test.numbers,
    )
    if dataset.findings:
        findings.write(folder / CLEANING, dataset.findings, partial(dataset.place, "train"))
    about = _About(
        task=dataset.schema.target.task,
        targets=list(dataset.schema.target.names),
        rows=_rows(dataset),
        notes=list(dataset.notes),
    )
    (folder / "prepared.json").write_text(about.model_dump_json(indent=1))
    (folder / "contract.json").write_text(contract.model_dump_json(indent=1))


def read(folder: Path) -> Prepared:
    """What was written.

    Args:
        folder: whose digest was checked.

    Raises:
        InvalidResult: it is no such folder.
        OSError: the disk refuses.
    """
    test = _read_part(folder / "test.npz")
    if test is None:
        raise InvalidResult(
            f"{folder}: prepared data has a file test.npz with the arrays features and targets; "
            "there is none"
        )
    nothing = (test[0][:0], test[1][:0])
    validation = _read_part(folder / "validation.npz") or nothing
    representative = _read_part(folder / "representative.npz")
    found = {"test": test, "validation": validation, "representative": representative or test}
    target, targets = _targets(folder, {name: part[1] for name, part in found.items()})
    parts = {name: whole(Resident(found[name][0]), targets[name]) for name in found}
    return Prepared(
        target,
        parts["representative"],
        parts["validation"],
        parts["test"],
        _read_contract(folder / "contract.json"),
    )


def report(dataset: Dataset) -> DataStatus:
    """What of a data set is told in status: names and notes as far as a pod can report them."""
    target = dataset.schema.target
    return DataStatus(
        task=target.task,
        rows=_rows(dataset),
        targets=[_cut(name, MAX_NAME) for name in target.names[:MAX_TARGETS]],
        targetCount=len(target.names),
        changes=_changes(dataset),
        notes=[_cut(note, MAX_NOTE) for note in _telling(dataset.notes)],
    )


def _changes(dataset: Dataset) -> DataChanges | None:
    found = findings.counts(dataset.findings)
    if not found.total() and not dataset.generated:
        return None
    return DataChanges(
        leakage=found["leakage"],
        duplicates=found["duplicates"],
        outliers=found["outliers"],
        labelErrors=found["labelErrors"],
        generated=dataset.generated,
    )


def _rows(dataset: Dataset) -> DataRows:
    return DataRows(
        train=len(dataset.train), validation=len(dataset.validation), test=len(dataset.test)
    )


def _telling(notes: Sequence[str]) -> list[str]:
    """As many notes as can be reported: the first say what the data is, the last what was changed;
    the log has all.
    """
    beyond = len(notes) - MAX_NOTES
    if beyond <= 0:
        return list(notes)
    return [*notes[:_FIRST_NOTES], *notes[_FIRST_NOTES + beyond :]]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _read_contract(path: Path) -> Contract | None:
    if not path.exists():
        return None
    try:
        return Contract.model_validate_json(path.read_text())
    except ValidationError as error:
        raise InvalidResult(f"{path}: {error.errors()[0]['msg']}") from error


def _read_part(path: Path) -> tuple[NDArray[Any], NDArray[Any]] | None:
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            features, targets = archive["features"], archive["targets"]
    except _DAMAGE as error:
        raise InvalidResult(
            f"{path}: no sound npz archive of the arrays features and targets ({error})"
        ) from error
    if len(features) != len(targets) or features.ndim < 2 or features.dtype.kind not in "iubf":
        raise InvalidResult(
            f"{path}: features have the shape {features.shape}, targets {targets.shape}; each row "
            "of numbers needs one target"
        )
    return features, targets


def _targets(
    folder: Path, stored: Mapping[str, NDArray[Any]]
) -> tuple[Target, Mapping[str, Targets]]:
    """What is learned, and the targets by part: as they were written, or told by the values."""
    path = folder / "prepared.json"
    if not path.exists():
        labels = [Labels(values, str(folder / f"{name}.npz")) for name, values in stored.items()]
        learned = read_labels("the result of training: prepared", None, labels)
        return learned.target, dict(zip(stored, learned.parts, strict=True))
    try:
        about = _About.model_validate_json(path.read_text())
    except ValidationError as error:
        raise InvalidResult(f"{path}: {error.errors()[0]['msg']}") from error
    return _target(about.task, about.targets), stored


def _target(task: TaskName, names: Sequence[str]) -> Target:
    return _KINDS[task](tuple(names))
