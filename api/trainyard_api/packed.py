"""A model file that brings its contract.

The contract is appended to the .tflite file as a zip archive, as TensorFlow Lite's metadata has
it: whoever knows nothing of it reads the model as before, `unzip -p MODEL contract.json` prints
it, and one digest stands for both.
"""

from __future__ import annotations

import io
import zipfile
from typing import Final

from pydantic import ValidationError

from trainyard_api.contract import Contract

NAME: Final = "contract.json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Of the entry, so that the same model and contract give the same bytes."""


class UnreadableContract(ValueError):
    """A model file brings a contract that cannot be read."""


def pack(model: bytes, contract: Contract) -> bytes:
    """The model file with its contract."""
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        entry = zipfile.ZipInfo(NAME, _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, contract.model_dump_json())
    return file.getvalue()


def contract_of(model: bytes) -> Contract | None:
    """The contract that a model file brings; None where it brings none.

    Raises:
        UnreadableContract: what it brings is none that this version knows.
    """
    file = io.BytesIO(model)
    if not zipfile.is_zipfile(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            if NAME not in archive.namelist():
                return None
            return Contract.model_validate_json(archive.read(NAME))
    except (zipfile.BadZipFile, ValidationError) as error:
        raise UnreadableContract(f"its {NAME} cannot be read: {error}") from error
