"""NumPy archives."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.source import FIELD, Raw, RawParts
from trainyard_trainer.errors import InvalidData

_WITH_TEST: Final = ("x_train", "y_train", "x_test", "y_test")
_TRAIN_ALONE: Final = (("x_train", "y_train"), ("x", "y"), ("features", "labels"))


def read(path: Path) -> RawParts:
    """The arrays x_train, y_train, x_test, y_test of an archive; or x, y; or features, labels.

    Raises:
        InvalidData: it is no archive, is damaged, or has other arrays.
    """
    try:
        archive = np.load(path, allow_pickle=False)
        # What numpy.save wrote, whatever it is called, is read as an array of its own.
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InvalidData(f"{FIELD}: {path} holds one array; save two with numpy.savez")
        with archive:
            return _parts(path, {name: archive[name] for name in _wanted(path, archive.files)})
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise InvalidData(
            f"{FIELD}: {path} is no sound npz archive ({error}); write it again with numpy.savez, "
            "numbers alone"
        ) from error


def _wanted(path: Path, names: list[str]) -> tuple[str, ...]:
    for wanted in (_WITH_TEST, *_TRAIN_ALONE):
        if set(wanted) <= set(names):
            return wanted
    raise InvalidData(
        f"{FIELD}: {path} has the arrays {', '.join(names) or '(none)'}; name them "
        "x_train, y_train, x_test, y_test, or x, y, or features, labels"
    )


def _parts(path: Path, arrays: dict[str, NDArray[Any]]) -> RawParts:
    features, labels, *test = arrays.values()
    return RawParts(
        Raw(features, labels, str(path)), Raw(test[0], test[1], str(path)) if test else None
    )
