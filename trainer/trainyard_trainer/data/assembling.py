"""From the parts that a source brings to the three that a training needs."""

from __future__ import annotations

from dataclasses import replace

from trainyard_api.spec import Data
from trainyard_trainer.data import anomalies, checks, shifting, splitting
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.labels import Labels, read_labels, task_notes
from trainyard_trainer.data.moments import moments
from trainyard_trainer.data.reading import Reading
from trainyard_trainer.data.rows import Part, StoredRows, whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.source import FIELD, PARTS, RawParts
from trainyard_trainer.data.target import Target


def from_parts(raw: RawParts, reading: Reading) -> Dataset:
    """The parts of a source whose rows are arrays or pictures.

    Raises:
        InvalidData: they cannot be learned from.
    """
    data, given = reading.data, {part: raw[part] for part in PARTS if part in raw}
    source, name = raw["train"].features, raw["train"].name
    for part, each in given.items():
        checks.check_same_shape(source, each.features, part, name)
    learned = read_labels(
        FIELD, data.task, [Labels(each.labels, each.name) for each in given.values()]
    )
    parts = {
        part: whole(each.features, targets)
        for (part, each), targets in zip(given.items(), learned.parts, strict=True)
    }
    train, validation, test = splitting.divide(
        parts["train"], data.split, parts.get("validation"), parts.get("test"), data.fold
    )
    train, validation = (_learned(learned.target, part) for part in (train, validation))
    checks.check_classes(learned.target, train, test, name)
    channels_first = _channels_first(data, source.shape)
    notes = task_notes(learned.target, learned.why)
    if channels_first:
        sizes = " x ".join(str(size) for size in source.shape)
        notes.append(f"channels first: {sizes}; the model itself turns them")
    notes += checks.scaled_before(train, data.preprocessing.scaling)
    notes += checks.absent_classes(learned.target, validation, test)
    schema = Schema(
        source.shape,
        learned.target,
        channels_first=channels_first,
        resize=raw["train"].resize,
    )
    places = {part: each.place for part, each in given.items()}
    dataset = Dataset(train, validation, test, schema, notes=tuple(notes), places=places)
    shifted = _shifted(dataset, source, raw)
    if data.preprocessing.scaling not in ("standard", "minmax"):
        return shifted
    return replace(shifted, moments=moments(shifted.train, channels_first))


def _learned(target: Target, part: Part) -> Part:
    """The rows of a part that may be learned from."""
    places = anomalies.learned_from(target, part.targets)
    return part if places is None else part.only(places)


def _channels_first(data: Data, shape: tuple[int, ...]) -> bool:
    wanted = data.preprocessing.channels
    if len(shape) != 3:
        return False
    return checks.are_channels_first(shape) if wanted == "auto" else wanted == "first"


def _shifted(dataset: Dataset, source: StoredRows, raw: RawParts) -> Dataset:
    """The parts, from whose wide numbers a constant is taken off where float32 needs it."""
    shift = shifting.shift_of(source, dataset.train.numbers)
    if shift is None:
        return dataset
    others = [(each.features, each.features.shifted(shift)) for each in raw.values()]

    def shifted(part: Part) -> Part:
        # Parts that were divided share one source; those that were brought have their own.
        taken = next(after for before, after in others if before is part.source)
        return Part(taken, part.numbers, part.targets)

    taken = tuple(float(each) for each in shift)
    return replace(
        dataset,
        train=shifted(dataset.train),
        validation=shifted(dataset.validation),
        test=shifted(dataset.test),
        schema=replace(dataset.schema, shift=taken),
        notes=(*dataset.notes, shifting.describe(taken)),
    )
