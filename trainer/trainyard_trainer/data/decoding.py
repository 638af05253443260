"""Encoded pictures of one data set to rows of one shape, in two passes: the first looks at their
sizes, the second decodes them into where rows are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import pictures
from trainyard_trainer.data.pictures import Shape, Size, Unreadable
from trainyard_trainer.data.reading import Progress, Reading
from trainyard_trainer.data.residence import Residence
from trainyard_trainer.data.source import FIELD, PARTS, PartName, Raw
from trainyard_trainer.errors import InvalidData, InvalidSpec

R = TypeVar("R")

_DECODING: Final = 4
"""How much longer it takes to decode a picture than to look at its size."""
_HUGE: Final = 512
_CURE: Final = "mend or remove it"


class Album(Protocol):
    """Encoded pictures that can be read more than once."""

    def read(
        self, numbers: Sequence[int], work: Callable[[IO[bytes]], R]
    ) -> Iterator[tuple[int, R]]:
        """What `work` makes of each of these, in their order, with its number.

        Args:
            work: called from several threads.
        """


@dataclass(frozen=True)
class Pictures:
    """The pictures of one part.

    Attributes:
        numbers: in the album.
        name_of: the name of one by its number, for messages.
        labels: of each.
    """

    numbers: Sequence[int]
    name_of: Callable[[int], str]
    labels: NDArray[Any]

    def only(self, kept: NDArray[np.bool_]) -> Pictures:
        """Those that are kept."""
        numbers = np.asarray(self.numbers)[kept].tolist()
        return Pictures(numbers, self.name_of, self.labels[kept])


def decoded(
    album: Album, parts: Mapping[PartName, Pictures], name: str, reading: Reading
) -> dict[PartName, Raw]:
    """The rows of each part, uint8 (height, width, channels).

    Args:
        name: of where they come from.

    Raises:
        InvalidData: more pictures than allowed cannot be decoded, or none can.
        InvalidSpec: the spec wants another order of channels.
    """
    if reading.data.preprocessing.channels == "first":
        raise InvalidSpec(
            "spec.data.preprocessing.channels: first is for arrays; picture files are read with "
            "their channels last: leave it out"
        )
    progress = reading.progress((1 + _DECODING) * sum(len(each.numbers) for each in parts.values()))
    sizes, sound = _look(album, parts, reading, progress)
    if not sizes:
        raise InvalidData(f"{FIELD}: {name} has no picture that can be read")
    shape, why = pictures.common_shape(sizes, reading.data.preprocessing.image)
    reading.notes.append(why + _hint(shape))
    residence = reading.residence.decided(sizes.total() * int(np.prod(shape.row)))
    raw = {}
    for part in (part for part in PARTS if part in parts):
        raw[part] = _decode(album, sound[part], shape, residence, name, reading, progress)
    reading.bad.check()
    return raw


def _look(
    album: Album, parts: Mapping[PartName, Pictures], reading: Reading, progress: Progress
) -> tuple[Counter[Size], dict[PartName, Pictures]]:
    """How many pictures have which size, and the parts without those that have none."""
    sizes: Counter[Size] = Counter()
    sound: dict[PartName, Pictures] = {}
    for part, each in parts.items():
        good = []
        for number, found in album.read(each.numbers, pictures.size_of):
            progress.add(1)
            good.append(isinstance(found, Size))
            if isinstance(found, Unreadable):
                reading.bad.leave_out(each.name_of(number), found.why, _CURE)
            else:
                sizes[found] += 1
        sound[part] = each.only(np.array(good, np.bool_))
    reading.bad.check()
    return sizes, sound


def _decode(
    album: Album,
    part: Pictures,
    shape: Shape,
    residence: Residence,
    name: str,
    reading: Reading,
    progress: Progress,
) -> Raw:
    """The rows of one part."""
    collector = residence.collect(len(part.numbers), shape.row, np.dtype(np.uint8))
    good = []
    for number, pixels in album.read(part.numbers, lambda file: pictures.decode(file, shape)):
        progress.add(_DECODING)
        good.append(not isinstance(pixels, Unreadable))
        if isinstance(pixels, Unreadable):
            reading.bad.leave_out(part.name_of(number), pixels.why, _CURE)
        else:
            collector.add(pixels[np.newaxis])
    if not any(good):
        reading.bad.check()
        raise InvalidData(f"{FIELD}: {name}: one part has no picture that can be read")
    kept = part.only(np.array(good, np.bool_))
    return Raw(
        collector.finish(),
        kept.labels,
        name,
        lambda number: kept.name_of(kept.numbers[number]),
        shape.resize,
    )


def _hint(shape: Shape) -> str:
    if max(shape.height, shape.width) <= _HUGE:
        return ""
    return "; a model of pictures as large as that is slow: set height and width to less"
