"""NumPy archives."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from trainyard_trainer.data.source import FIELD, Raw, RawParts
from trainyard_trainer.errors import InvalidData

_PARTS: Final[tuple[Mapping[str, tuple[str, ...]], ...]] = (
    {
        "train": ("x_train", "train_images", "train_x", "X_train"),
        "validation": ("x_val", "val_images", "val_x", "X_val", "x_valid", "x_validation"),
        "test": ("x_test", "test_images", "test_x", "X_test"),
    },
    {
        "train": ("y_train", "train_labels", "train_y"),
        "validation": ("y_val", "val_labels", "val_y", "y_valid", "y_validation"),
        "test": ("y_test", "test_labels", "test_y"),
    },
)
"""Names of features and of labels, as the field's collections have them."""
_ONE_PART: Final = (("x", "y"), ("X", "y"), ("features", "labels"), ("images", "labels"))


def read(path: Path) -> RawParts:
    """The arrays of an archive: x_train, y_train and, if they are there, those of validation and
    test; or x, y; or features, labels.

    Raises:
        InvalidData: it is no archive, is damaged, or has other arrays.
    """
    try:
        archive = np.load(path, allow_pickle=False)
        # What numpy.save wrote, whatever it is called, is read as an array of its own.
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InvalidData(f"{FIELD}: {path} holds one array; save two with numpy.savez")
        with archive:
            found = _names(path, archive.files)
            raw = {
                part: Raw(archive[features], archive[labels], f"{path} ({features})")
                for part, (features, labels) in found.items()
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise InvalidData(
            f"{FIELD}: {path} is no sound npz archive ({error}); write it again with numpy.savez, "
            "numbers alone"
        ) from error
    return RawParts(raw["train"], raw.get("test"), raw.get("validation"))


def _names(path: Path, files: list[str]) -> dict[str, tuple[str, str]]:
    """For each part that an archive has, the names of its features and labels.

    Raises:
        InvalidData: it has no training part.
    """
    found = {}
    for part in _PARTS[0]:
        features, labels = (
            next((name for name in names[part] if name in files), None) for names in _PARTS
        )
        if features is not None and labels is not None:
            found[part] = (features, labels)
    if "train" in found:
        return found
    for pair in _ONE_PART:
        if set(pair) <= set(files):
            return {"train": pair}
    raise InvalidData(
        f"{FIELD}: {path} has the arrays {', '.join(files) or '(none)'}; name them "
        "x_train, y_train (and x_val, y_val, x_test, y_test), or x, y, or features, labels"
    )
