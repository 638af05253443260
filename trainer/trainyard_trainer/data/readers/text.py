"""Texts in a folder for each class: one file each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import checks, splitting, words
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.labels import Labels, Learned, read_labels, task_notes
from trainyard_trainer.data.many_files import ManyFiles
from trainyard_trainer.data.readers.folders import Example, Kind, look
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.rows import Numbers, Part, StoredRows, Targets, kept_of
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.source import FIELD, PARTS, PartName
from trainyard_trainer.errors import InvalidData

# The reviews of IMDB come with some that nobody has judged.
KIND: Final = Kind(frozenset({".txt"}), "texts", no_classes=frozenset({"unsup"}))
COLUMN: Final = "text"

_AT_ONCE: Final = 256


@dataclass(frozen=True)
class _Texts:
    """All texts, whatever part they are in.

    Attributes:
        files: in the order of their numbers.
        names: of each, for messages.
    """

    files: ManyFiles
    names: Sequence[str]


@dataclass(frozen=True)
class _Chosen:
    """The texts of one part of a training, by number."""

    numbers: Numbers
    targets: Targets

    def without(self, bad: frozenset[int]) -> _Chosen:
        """Those that could be read."""
        good = np.array([number not in bad for number in self.numbers.tolist()], np.bool_)
        return _Chosen(self.numbers[good], self.targets[good])


def read(files: Files, reading: Reading) -> Dataset:
    """The texts of all folders, as the numbers of their words.

    Raises:
        InvalidData: there are none, or they cannot be learned from.
    """
    found = look(files, KIND)
    reading.notes.extend(found.notes)
    given = [example for examples in found.parts.values() for example in examples]
    if reading.data.task == "reconstruction":
        raise InvalidData(
            "spec.data.task: reconstruction rebuilds numbers, categories and pictures, and rows "
            f"of {files.location.uri} are texts; use another task"
        )
    learned = read_labels(FIELD, reading.data.task, _labels(found.parts, files.location.uri))
    texts = _Texts(
        ManyFiles([files.at(each.entry) for each in given], reading.residence.scratch),
        [files.shown(each.entry) for each in given],
    )
    chosen = _divide(found.parts, learned, reading)
    codes, bad = _learn_words(texts, chosen["train"].numbers, reading)
    source = _encoded(texts, codes, bad, reading)
    return _dataset(source, chosen, bad, learned, tuple(codes), texts.names, reading)


def _labels(parts: Mapping[PartName, Sequence[Example]], name: str) -> list[Labels]:
    return [
        Labels(np.array([example.label for example in examples]), name)
        for examples in parts.values()
    ]


def _divide(
    parts: Mapping[PartName, Sequence[Example]], learned: Learned, reading: Reading
) -> dict[PartName, _Chosen]:
    """The texts of the three parts; the vocabulary may know of the training's words alone."""
    ends = np.cumsum([len(examples) for examples in parts.values()])
    given = {
        part: _Chosen(np.arange(end - len(targets), end, dtype=np.int64), targets)
        for (part, targets), end in zip(zip(parts, learned.parts, strict=True), ends, strict=True)
    }
    data, train = reading.data, given["train"]
    brought: set[PartName] = set(given) - {"train"}
    planned = splitting.plan(splitting.Divisible(train.targets), data.split, brought, data.fold)
    cut = planned.parts
    return {
        part: given[part]
        if part in brought
        else _Chosen(train.numbers[cut[part]], train.targets[cut[part]])
        for part in PARTS
    }


def _text_of(file: IO[bytes]) -> str | None:
    """A file's text; None where it is no UTF-8."""
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _learn_words(
    texts: _Texts, train: Numbers, reading: Reading
) -> tuple[dict[str, int], frozenset[int]]:
    """The codes of words, and the numbers of texts that cannot be read."""
    counts, bad, trains = words.WordCounts(), set(), frozenset(train.tolist())
    progress = reading.progress(2 * len(texts.names))
    for number, text in texts.files.read(range(len(texts.names)), _text_of):
        progress.add(1)
        if text is None:
            reading.bad.leave_out(texts.names[number], "is no UTF-8", "convert it")
            bad.add(number)
        elif number in trains:
            counts.add([text])
    reading.bad.check()
    vocabulary = counts.vocabulary(reading.data.preprocessing.text.vocabulary)
    if len(vocabulary) == 1:
        raise InvalidData(f"{FIELD}: the training part's texts have no words")
    return words.lookup(vocabulary), frozenset(bad)


def _encoded(
    texts: _Texts, codes: Mapping[str, int], bad: frozenset[int], reading: Reading
) -> StoredRows:
    """All texts that can be read, in their order."""
    length = reading.data.preprocessing.text.length
    good = [number for number in range(len(texts.names)) if number not in bad]
    collector = reading.residence.collect(len(good), (length,), np.dtype(np.float32))
    contents = (text or "" for _, text in texts.files.read(good, _text_of))
    for some in _batches(contents):
        collector.add(words.encode(some, codes, length))
    return collector.finish()


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(texts, _AT_ONCE)):
        yield some


def _dataset(
    source: StoredRows,
    chosen: Mapping[PartName, _Chosen],
    bad: frozenset[int],
    learned: Learned,
    vocabulary: tuple[str, ...],
    names: Sequence[str],
    reading: Reading,
) -> Dataset:
    is_good = np.array([number not in bad for number in range(len(source) + len(bad))], np.bool_)
    places: NDArray[Any] = np.cumsum(is_good) - 1
    number_of = kept_of(is_good)
    good = {part: each.without(bad) for part, each in chosen.items()}
    train, validation, test = (
        Part(source, places[good[part].numbers].astype(np.int64), good[part].targets)
        for part in PARTS
    )
    checks.check_classes(learned.target, train, test, reading.data.source.uri)
    text = reading.data.preprocessing.text
    notes = task_notes(learned.target, learned.why)
    notes.append(
        f"texts: the first {text.length} words of each, {len(vocabulary) - 1} words told apart "
        "(spec.data.preprocessing.text)"
    )
    notes += checks.absent_classes(learned.target, validation, test)
    column = Column(COLUMN, "text", 0, width=text.length, vocabulary=vocabulary)
    schema = Schema((text.length,), learned.target, columns=(column,))
    return Dataset(
        train,
        validation,
        test,
        schema,
        notes=tuple(notes),
        places={"train": lambda number: names[number_of(number)]},
    )
