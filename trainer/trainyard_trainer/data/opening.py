"""Where a source is, and who reads it."""

from __future__ import annotations

from trainyard_api.locations import claim, scheme
from trainyard_trainer.data.assembling import from_parts
from trainyard_trainer.data.collecting import gather
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.formats import format_of
from trainyard_trainer.data.readers import packaged
from trainyard_trainer.data.reading import Files, Reading
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Location


def open_source(reading: Reading) -> Dataset:
    """What the source of the spec brings.

    Raises:
        InvalidData: it is not there, or no sound data of its format.
        StoreUnavailable: the volume, the bucket or a data set's host is away.
    """
    uri = reading.data.source.uri
    kind, _, name = uri.partition("://")
    if kind in ("sklearn", "keras"):
        read = packaged.read_sklearn if kind == "sklearn" else packaged.read_keras
        return from_parts(gather(read(name), reading), reading)
    location = Location.at(uri, reading.environ)
    if location.exists():
        files = Files.of(location)
    elif (matching := Files.matching(uri, reading.environ)) is not None:
        files = matching
    else:
        raise InvalidData(f"{FIELD}: nothing is there: {_whereabouts(location)}; mend the path")
    if not files.entries:
        raise InvalidData(f"{FIELD}: {_whereabouts(location)} has no files; put the data there")
    return format_of(files, reading).read(files, reading)


def _whereabouts(location: Location) -> str:
    if scheme(location.uri) == "pvc":
        return f"{location.uri} (claim {claim(location.uri)}, {location.local} in the pod)"
    return location.shown
