"""Encoded pictures of one data set to rows of one shape, in two passes: the first looks at their
sizes, the second decodes them into where rows are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import pictures
from trainyard_trainer.data.pictures import Shape, Size, Unreadable
from trainyard_trainer.data.reading import Reading
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
        names: of each, for messages.
        labels: of each.
    """

    numbers: Sequence[int]
    names: Sequence[str]
    labels: NDArray[Any]


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
    sizes: dict[int, Size] = {}
    for each in parts.values():
        names = dict(zip(each.numbers, each.names, strict=True))
        for number, found in album.read(each.numbers, pictures.size_of):
            progress.add(1)
            if isinstance(found, Unreadable):
                reading.bad.leave_out(names[number], found.why, _CURE)
            else:
                sizes[number] = found
    reading.bad.check()
    if not sizes:
        raise InvalidData(f"{FIELD}: {name} has no picture that can be read")
    shape, why = pictures.common_shape(list(sizes.values()), reading.data.preprocessing.image)
    reading.notes.append(why + _hint(shape))
    residence = reading.residence.decided(len(sizes) * int(np.prod(shape.row)))
    raw: dict[PartName, Raw] = {}
    for part in (part for part in PARTS if part in parts):
        each = parts[part]
        numbers = [number for number in each.numbers if number in sizes]
        names = dict(zip(each.numbers, each.names, strict=True))
        collector = residence.collect(len(numbers), shape.row, np.dtype(np.uint8))
        kept: set[int] = set()
        for number, pixels in album.read(numbers, lambda file: pictures.decode(file, shape)):
            progress.add(_DECODING)
            if isinstance(pixels, Unreadable):
                reading.bad.leave_out(names[number], pixels.why, _CURE)
                continue
            collector.add(pixels[np.newaxis])
            kept.add(number)
        mask = np.array([number in kept for number in each.numbers], np.bool_)
        if not kept:
            reading.bad.check()
            raise InvalidData(f"{FIELD}: {name}: the {part} part has no picture that can be read")
        raw[part] = Raw(collector.finish(), each.labels[mask], name)
    reading.bad.check()
    return raw


def _hint(shape: Shape) -> str:
    if max(shape.height, shape.width) <= _HUGE:
        return ""
    return "; a model of pictures as large as that is slow: set height and width to less"
