"""The base of every document of the contract."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A part of a TrainingJob.

    Attributes are spelled as in the YAML (camelCase), so that a field has one name
    everywhere. Unknown fields and wrong types are errors, never dropped or converted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """This document as plain JSON types, without the fields that are null."""
        return self.model_dump(mode="json", exclude_none=True)


class OpenDocument(Document):
    """A document of ours that newer writers may extend (status): unknown fields are kept out."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=False)


def rule(expression: str, message: str) -> dict[str, str]:
    """A CEL rule for the CRD, with the message that a user sees when it does not hold."""
    return {"rule": expression, "message": message}


def rules(*validations: dict[str, str]) -> ConfigDict:
    """Model configuration that carries CEL `validations` into the generated CRD."""
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": cast(Any, list(validations))})
