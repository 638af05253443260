"""`spec.code`: Python code of one's own."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from trainyard_api.model import Document
from trainyard_api.spec.shared import JsonObject

ENTRY_POINT: Final = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
"""`package.module:name`."""


class Code(Document):
    """Python modules that the job brings, named by their digest: other code is another run."""

    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            pattern=r"^(file|pvc|configmap|s3|gs|az|https)://.+$",
        ),
    ] = Field(
        description=(
            "A .zip or .tar.gz archive of the modules, or on a disk also their folder: "
            "file:///PATH, pvc://CLAIM/PATH, configmap://NAME/KEY, s3://, gs://, az://, https://. "
            "'trainyard submit --code DIR' and 'trainyard run --code DIR' write it."
        )
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Its digest, 64 hexadecimal digits in lower case, as 'trainyard digest PATH' "
        "prints it; other code is not run."
    )


class Callback(Document):
    """A keras.callbacks.Callback of one's own."""

    entrypoint: Annotated[str, Field(pattern=ENTRY_POINT, max_length=253)] = Field(
        description='The class, or a function that returns one, as "package.module:Name".'
    )
    arguments: JsonObject = Field(default={}, description="Its keyword arguments.")
