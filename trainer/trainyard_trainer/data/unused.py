"""Fields of `spec.data` that the data has no use for: nothing is ignored in silence.

Whether a field was given is told by its value: a pod's spec has every field, so one that says what
its default says anyway is not told apart, and does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from trainyard_api.model import Document
from trainyard_api.spec import Data
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidData

SourceKind: TypeAlias = Literal[
    "idx", "npz", "csv", "parquet", "images", "tfrecord", "text", "packaged"
]
"""A format of files, or the data sets that libraries bring."""

_TABLES: Final = frozenset[SourceKind]({"csv", "parquet"})
_ARRAYS: Final = frozenset[SourceKind]({"idx", "npz", "packaged"})
_ALL: Final = frozenset[SourceKind](get_args(SourceKind))


@dataclass(frozen=True)
class _Field:
    """A field that not every kind of data has a use for.

    Attributes:
        path: below spec.data.
        needs: what data without a use for it lacks, for people.
        used_by: the kinds that have one.
        misleads: of the others, those where the model would be another one than was asked for:
            refused. Elsewhere a note is enough.
        pictures: whether it is used by rows alone that are pictures.
    """

    path: str
    needs: str
    used_by: frozenset[SourceKind]
    misleads: frozenset[SourceKind] = frozenset()
    pictures: bool = False


_FIELDS: Final = (
    _Field("source.label", "named columns", _TABLES | {"images", "tfrecord"}),
    _Field("source.features", "named columns", _TABLES | {"tfrecord"}, _ALL),
    _Field("source.columns", "named columns", _TABLES, _ALL),
    _Field("split.groups", "named columns", _TABLES, _ALL),
    _Field("split.time", "named columns", _TABLES, _ALL),
    _Field("window", "named columns", _TABLES, _ALL),
    _Field("cleaning.missing", "cells that may be missing", _TABLES),
    _Field("preprocessing.scaling", "numbers to scale", _ALL - {"text"}),
    _Field("preprocessing.channels", "pictures", _ALL, pictures=True),
    _Field("preprocessing.text", "text files", frozenset({"text"})),
    # Arrays may well be pictures, and would keep their size and colors.
    _Field(
        "preprocessing.image", "picture files", frozenset({"images", "tfrecord"}), _ARRAYS, True
    ),
)


def refuse(data: Data, kind: SourceKind) -> None:
    """Make sure, before anything is read, that all is followed that decides on the result.

    Raises:
        InvalidData: a field was given that this kind of data cannot follow.
    """
    for field in _FIELDS:
        if kind in field.misleads - field.used_by and _is_given(data, field.path):
            raise InvalidData(
                f"spec.data.{field.path}: {data.source.uri} has no {field.needs} "
                f"({_shown(kind)}); leave the field out, or bring {_those(field)}"
            )


def notes(data: Data, kind: SourceKind, schema: Schema) -> Iterator[str]:
    """A sentence for each field that was given and is not used.

    Args:
        schema: of the rows that were read.
    """
    pictures = len(schema.shape) == 3
    for field in _FIELDS:
        used = kind in field.used_by and (pictures or not field.pictures)
        if not used and _is_given(data, field.path):
            yield f"spec.data.{field.path} is not used: the data has no {field.needs}"


def _is_given(data: Data, path: str) -> bool:
    """Whether a field says something else than its default."""
    value: object = data
    for name in path.split("."):
        if not isinstance(value, Document):
            return False
        default = type(value).model_fields[name].get_default()
        value = getattr(value, name)
    return value != default


def _shown(kind: SourceKind) -> str:
    return "of a library" if kind == "packaged" else f"format {kind}"


def _those(field: _Field) -> str:
    return " or ".join(sorted(field.used_by))
