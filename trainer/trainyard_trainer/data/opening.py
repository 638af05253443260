"""Where a source is, and who reads it."""

from __future__ import annotations

from collections.abc import Callable

from trainyard_api.locations import claim, scheme
from trainyard_trainer.data import unused
from trainyard_trainer.data.assembling import from_parts
from trainyard_trainer.data.collecting import gather
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.formats import format_of
from trainyard_trainer.data.readers import packaged
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.data.unused import SourceKind
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Location


def open_source(reading: Reading) -> Dataset:
    """What the source of the spec brings.

    Raises:
        InvalidData: it is not there, no sound data of its format, or cannot follow the spec.
        StoreUnavailable: the volume, the bucket or a data set's host is away.
    """
    kind, read = _reader(reading)
    unused.refuse(reading.data, kind)
    dataset = read()
    reading.notes.extend(unused.notes(reading.data, kind, dataset.schema))
    return dataset


def _reader(reading: Reading) -> tuple[SourceKind, Callable[[], Dataset]]:
    """What kind of data it is, and what reads it."""
    scheme_there, _, name = reading.data.source.uri.partition("://")
    if scheme_there in ("sklearn", "keras"):
        read = packaged.read_sklearn if scheme_there == "sklearn" else packaged.read_keras
        return "packaged", lambda: from_parts(gather(read(name), reading), reading)
    files = _files(reading)
    format = format_of(files, reading)
    return format.name, lambda: format.read(files, reading)


def _files(reading: Reading) -> Files:
    uri = reading.data.source.uri
    location = Location.at(uri, reading.environ)
    if location.exists():
        files = Files.of(location)
    elif (matching := Files.matching(uri, reading.environ)) is not None:
        files = matching
    else:
        raise InvalidData(f"{FIELD}: nothing is there: {_whereabouts(location)}; mend the path")
    if not files.entries:
        raise InvalidData(f"{FIELD}: {_whereabouts(location)} has no files; put the data there")
    return files


def _whereabouts(location: Location) -> str:
    if scheme(location.uri) == "pvc":
        return f"{location.uri} (claim {claim(location.uri)}, {location.local} in the pod)"
    return location.shown
