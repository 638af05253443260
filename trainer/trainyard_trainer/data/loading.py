"""From `spec.data` to checked parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trainyard_api.spec import Data
from trainyard_trainer.data import checks, shifting, splitting
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.labels import Labels, read_labels
from trainyard_trainer.data.moments import moments
from trainyard_trainer.data.opening import open_source
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Part, whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.source import FIELD, RawParts
from trainyard_trainer.errors import InvalidSpec


def load(data: Data, environ: Mapping[str, str]) -> Dataset:
    """The examples that `data` names, checked and divided; the same for every caller.

    Args:
        environ: the pod's environment, which says where claims are mounted.

    Raises:
        InvalidData: they are not there, or cannot be learned from.
        InvalidSpec: the task is not built yet.
        StoreUnavailable: the volume or a data set's host is away.
    """
    if data.task == "reconstruction":
        raise InvalidSpec("spec.data.task: reconstruction is not built yet")
    return from_arrays(open_source(data, environ), data)


def from_arrays(raw: RawParts, data: Data) -> Dataset:
    """The parts of a source that brings arrays.

    Raises:
        InvalidData: they cannot be learned from.
    """
    brought = {"train": raw.train, "validation": raw.validation, "test": raw.test}
    given = {part: each for part, each in brought.items() if each is not None}
    name = raw.train.name
    sources = {part: checks.to_source(each) for part, each in given.items()}
    for part, source in sources.items():
        checks.check_same_shape(sources["train"], source, part, name)
    task = None if data.task == "reconstruction" else data.task
    learned = read_labels(FIELD, task, [Labels(each.labels, each.name) for each in given.values()])
    parts = {
        part: whole(source, targets)
        for (part, source), targets in zip(sources.items(), learned.parts, strict=True)
    }
    train, validation, test = splitting.divide(
        parts["train"], data.split, parts.get("validation"), parts.get("test")
    )
    checks.check_classes(learned.target, train, test, name)
    channels = _channels_first(data, sources["train"].shape)
    notes = [f"task {learned.target.task}: {learned.why}"] if learned.why else []
    if channels:
        sizes = " x ".join(str(size) for size in sources["train"].shape)
        notes.append(f"channels first: {sizes}; the model itself turns them")
    notes += checks.scaled_before(train, data.preprocessing.scaling)
    notes += checks.absent_classes(learned.target, validation, test)
    schema = Schema(sources["train"].shape, learned.target, channels_first=channels)
    dataset = Dataset(train, validation, test, schema, notes=tuple(notes))
    shifted = _shifted(dataset, sources["train"])
    if data.preprocessing.scaling not in ("standard", "minmax"):
        return shifted
    return replace(shifted, moments=moments(shifted.train, channels))


def _channels_first(data: Data, shape: tuple[int, ...]) -> bool:
    wanted = data.preprocessing.channels
    return checks.are_channels_first(shape) if wanted == "auto" else wanted == "first"


def _shifted(dataset: Dataset, source: Resident) -> Dataset:
    """The parts, from whose wide numbers a constant is taken off where float32 needs it."""
    shift = shifting.shift_of(source, dataset.train.numbers)
    if shift is None:
        return dataset
    taken = tuple(float(each) for each in shift)

    def shifted(part: Part) -> Part:
        if not isinstance(part.source, Resident):
            return part
        return Part(part.source.shifted(np.array(taken)), part.numbers, part.targets)

    return replace(
        dataset,
        train=shifted(dataset.train),
        validation=shifted(dataset.validation),
        test=shifted(dataset.test),
        schema=replace(dataset.schema, shift=taken),
        notes=(*dataset.notes, shifting.describe(taken)),
    )
