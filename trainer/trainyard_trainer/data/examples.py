"""What is read of a tf.train.Example: a picture or numbers, and the label."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from trainyard_trainer.data.labels import the_label
from trainyard_trainer.data.reading import Reading
from trainyard_trainer.data.source import FIELD
from trainyard_trainer.errors import InvalidData

Kind = Literal["bytes", "float", "int64"]
Example = Mapping[str, Any]
"""The features of one, by name."""

_LABEL_FIELD: Final = "spec.data.source.label"
_FEATURES_FIELD: Final = "spec.data.source.features"
_LABELS: Final = ("label", "image/class/label")
"""What the field's collections call it."""


@dataclass(frozen=True)
class Columns:
    """What is read of each record.

    Attributes:
        picture: the feature that holds one; None: the numbers of `features` are read.
        features: names and kinds in the order of names, and how many numbers each has.
        label: its name and kind, and how many values it has.
    """

    picture: str | None
    features: Mapping[str, tuple[Kind, int]]
    label: str
    label_kind: tuple[Kind, int]

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return sum(count for _, count in self.features.values())


def columns_of(records: Iterable[bytes | None], name: str, reading: Reading) -> Columns:
    """What the first sound record has in it.

    Args:
        records: None for one that is damaged.
        name: of where they come from.

    Raises:
        InvalidData: there is none, or it lacks what the spec names.
    """
    example = None
    for content in records:
        if content is not None and (example := parsed(content)) is not None:
            break
    if example is None:
        raise InvalidData(f"{FIELD}: {name} has no records of tf.train.Example")
    there = {name: _kind(feature) for name, feature in example.items()}
    listed = ", ".join(sorted(there)) or "none"
    wanted = the_label(reading.data.source)
    label = wanted or next((name for name in _LABELS if name in there), None)
    if label is None or there.get(label) is None:
        raise InvalidData(
            f"{_LABEL_FIELD}: records have no feature {wanted or _LABELS[0]} (they have {listed}); "
            "name the one to be learned"
        )
    chosen = reading.data.source.features or sorted(set(there) - {label})
    if missing := [name for name in chosen if there.get(name) is None]:
        raise InvalidData(
            f"{_FEATURES_FIELD}: records have no values of {missing[0]} (they have {listed})"
        )
    kinds = {name: kind for name in sorted(chosen) if (kind := there[name]) is not None}
    label_kind = there[label]
    assert label_kind is not None
    picture = _picture(example, kinds)
    if picture is not None:
        others = [name for name in kinds if name != picture]
        if others:
            reading.notes.append(
                f"tfrecord: pictures are read from {picture}; not from {', '.join(others[:5])}"
            )
        return Columns(picture, {}, label, label_kind)
    if texts := [name for name, (kind, _) in kinds.items() if kind == "bytes"]:
        raise InvalidData(
            f"{_FEATURES_FIELD}: {texts[0]} holds bytes that are no picture (JPEG, PNG, GIF, BMP, "
            "WebP); name the features that are numbers"
        )
    if not kinds:
        raise InvalidData(f"{FIELD}: records have no feature but {label}")
    return Columns(None, kinds, label, label_kind)


def _picture(example: Example, kinds: Mapping[str, tuple[Kind, int]]) -> str | None:
    """The feature that holds an encoded picture."""
    held = [name for name, kind in kinds.items() if kind == ("bytes", 1)]
    if not held:
        return None
    from trainyard_trainer.data.pictures import Unreadable, size_of

    found = [
        name
        for name in held
        if not isinstance(size_of(io.BytesIO(example[name].bytes_list.value[0])), Unreadable)
    ]
    if len(found) > 1:
        raise InvalidData(
            f"{_FEATURES_FIELD}: {' and '.join(found)} hold pictures; name the one to learn from"
        )
    return found[0] if found else None


def parsed(content: bytes) -> Example | None:
    """The features of a record; None where it is no tf.train.Example."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.example.example_pb2 import Example as Message

    try:
        features: Example = Message.FromString(content).features.feature
    except DecodeError:
        return None
    return features


def _kind(feature: Any) -> tuple[Kind, int] | None:
    """What a feature holds, and how many of it; None where it is empty."""
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    values = getattr(feature, kind).value
    return (kind.removesuffix("_list"), len(values)) if len(values) else None


def unlike(example: Example, columns: Columns) -> str | None:
    """What a record has otherwise than the first; None where they are alike."""
    wanted = {columns.label: columns.label_kind, **columns.features}
    if columns.picture is not None:
        wanted[columns.picture] = ("bytes", 1)
    for name, (kind, count) in wanted.items():
        found = _kind(example[name]) if name in example else None
        if found != (kind, count):
            there = "none" if found is None else f"{found[1]} of {found[0]}"
            return f"has {there} in {name}, where the first record has {count} of {kind}"
    return None
