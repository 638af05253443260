"""The formats of files that can be read, and how each is recognised.

`auto` asks them in this order; the first that recognises its files takes them. An explicit
format is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from trainyard_api.listing import listed
from trainyard_trainer.data.assembling import from_parts
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.readers import idx, images, npz, text, tfrecord
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.source import FIELD, RawParts
from trainyard_trainer.data.tables import files as tables
from trainyard_trainer.data.tables.reading import read_csv, read_parquet
from trainyard_trainer.data.unused import SourceKind
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Entry

_FIELD: Final = "spec.data.source.format"
_LISTED: Final = 5


@dataclass(frozen=True)
class Format:
    """One format of files.

    Attributes:
        name: as in `spec.data.source.format`.
        needs: which files it is made of, for people.
        recognise: whether files are of this format, told by their names and sizes alone.
        read: the data set that files make.
    """

    name: SourceKind
    needs: str
    recognise: Callable[[Sequence[Entry]], bool]
    read: Callable[[Files, Reading], Dataset]


def _of_parts(read: Callable[[Files, Reading], RawParts]) -> Callable[[Files, Reading], Dataset]:
    return lambda files, reading: from_parts(read(files, reading), reading)


FORMATS: Final = (
    Format("idx", "train-images-idx3-ubyte and its like", idx.recognise, _of_parts(idx.read)),
    Format("npz", "one .npz archive", npz.recognise, _of_parts(npz.read)),
    Format("tfrecord", ".tfrecord files", tfrecord.recognise, _of_parts(tfrecord.read)),
    Format(
        "images",
        "pictures in a folder for each class, or a .csv of path and label",
        images.recognise,
        _of_parts(images.read),
    ),
    Format("text", ".txt files in a folder for each class", text.KIND.recognise, text.read),
    Format("parquet", ".parquet tables", partial(tables.recognise, "parquet"), read_parquet),
    Format("csv", ".csv or .tsv (.gz or not)", partial(tables.recognise, "csv"), read_csv),
)


def format_of(files: Files, reading: Reading) -> Format:
    """The format that the spec names, or that the files are recognised to have.

    Raises:
        InvalidData: they have none that is known.
    """
    wanted = reading.data.source.format
    if wanted != "auto":
        named = next((each for each in FORMATS if each.name == wanted), None)
        if named is None:
            known = ", ".join(each.name for each in FORMATS)
            raise InvalidData(f"{_FIELD}: {wanted} is not built yet; use one of: {known}")
        return named
    found = [each for each in FORMATS if each.recognise(files.entries)]
    if not found:
        there = listed([entry.name for entry in files.entries], _LISTED)
        needs = "; ".join(f"{each.name}: {each.needs}" for each in FORMATS)
        raise InvalidData(
            f"{FIELD}: {files.location.uri} has no files of a known format ({there}). "
            f"Known are {needs}"
        )
    if len(found) > 1:
        others = ", ".join(each.name for each in found[1:])
        reading.notes.append(
            f"format {found[0].name} is taken; files of {others} are there as well: to read "
            f"those, set {_FIELD}"
        )
    return found[0]
