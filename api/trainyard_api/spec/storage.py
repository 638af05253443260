"""`spec.storage`: where checkpoints, models and reports are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trainyard_api.model import Document
from trainyard_api.spec.shared import SecretReference


class Storage(Document):
    """Where checkpoints, models and reports are kept."""

    uri: Annotated[
        str, Field(min_length=1, max_length=1024, pattern=r"^(file|pvc|s3|gs|az)://.+$")
    ] = Field(description="The folder: pvc://CLAIM/PATH, s3://, gs://, az:// or file://.")
    secretRef: SecretReference | None = Field(
        default=None, description="Secret with the credentials of the store."
    )
