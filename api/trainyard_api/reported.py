"""What a pod may report of itself.

A pod's word is a stranger's: `workers.command` runs any program. What has passed these types can
be put into status, fits the CRD, and can be counted and divided with.
"""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from trainyard_api import locations
from trainyard_api.status import Artifact, Candidate, DataChanges, DataStatus, LeftOut, Measured

MAX_COUNT: Final = 2**53 - 1
"""Largest whole number that all readers of JSON take."""
MAX_METRICS: Final = 64
MAX_CANDIDATES: Final = 64
MAX_NAME: Final = 63
MAX_NOTES: Final = 8
MAX_NOTE: Final = 240
MAX_TARGETS: Final = 24
MAX_URI: Final = 2048
"""As long as the CRD has it."""

_SCHEMES: Final = ("file", "pvc", "s3", "gs", "az")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CLAIM: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SHOWN: Final = 60
_Named = TypeVar("_Named", Candidate, LeftOut)


def shown(value: object) -> str:
    """A stranger's value for a message: one short line."""
    text = repr(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return text.encode("utf-8", "replace").decode()


def _name(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise ValueError(f"a name is printable, without spaces around it, not {shown(name)}")
    return name


def _measured_metrics(metrics: object, info: ValidationInfo) -> object:
    """Metrics without those that have no value.

    In JSON that is null; NaN and Infinity are no JSON, and a program that writes them is told so.
    Our own programs leave such metrics out by this.
    """
    if not isinstance(metrics, dict):
        return metrics
    return {
        name: value
        for name, value in metrics.items()
        if value is not None
        and (info.mode == "json" or not isinstance(value, float) or math.isfinite(value))
    }


def _artifact(artifact: Artifact) -> Artifact:
    uri = artifact.uri
    scheme, found, rest = uri.partition("://")
    if not found or scheme not in _SCHEMES or not rest:
        kinds = ", ".join(f"{name}://" for name in _SCHEMES)
        raise ValueError(f"uri must begin with one of {kinds}, and is {shown(uri)}")
    if len(uri) > MAX_URI or not uri.isprintable():
        raise ValueError(f"uri must be printable, {MAX_URI} characters at most; it is {shown(uri)}")
    if ".." in PurePosixPath(rest).parts:
        raise ValueError(f"uri must not contain '..', and is {shown(uri)}")
    if scheme == "file" and not rest.startswith("/"):
        raise ValueError(f"uri must have the whole path, as file:///PATH; it is {shown(uri)}")
    if (claim := locations.claim(uri)) is not None and not _CLAIM.fullmatch(claim):
        raise ValueError(f"uri must be pvc://CLAIM/PATH, and is {shown(uri)}")
    if not _SHA256.fullmatch(artifact.sha256):
        raise ValueError(
            "sha256 must be 64 hexadecimal digits in lower case, as 'trainyard digest PATH' "
            f"prints them; it is {shown(artifact.sha256)}"
        )
    return artifact


def _measured(measured: Measured) -> Measured:
    if not 1 <= measured.bytes <= MAX_COUNT:
        raise ValueError(f"bytes must be from 1 to {MAX_COUNT}, and is {shown(measured.bytes)}")
    for name, value in (
        ("latencyMicroseconds", measured.latencyMicroseconds),
        ("throughput", measured.throughput),
    ):
        if value is not None and value < 0:
            raise ValueError(f"{name} must not be negative, and is {shown(value)}")
    return measured


def _named(named: _Named) -> _Named:
    if not 0 < len(named.name) <= MAX_NAME:
        raise ValueError(f"name must have 1 to {MAX_NAME} characters")
    _name(named.name)
    return named


def _data(data: DataStatus) -> DataStatus:
    rows, changes = data.rows, data.changes or DataChanges()
    counts = (
        *(rows.train, rows.validation, rows.test),
        *(changes.leakage, changes.duplicates, changes.outliers),
        *(changes.labelErrors, changes.generated),
    )
    if not all(0 <= each <= MAX_COUNT for each in counts):
        raise ValueError(f"rows must be from 0 to {MAX_COUNT}")
    if len(data.notes) > MAX_NOTES or any(len(note) > MAX_NOTE for note in data.notes):
        raise ValueError(f"at most {MAX_NOTES} notes of {MAX_NOTE} characters can be told")
    if len(data.targets) > MAX_TARGETS or any(len(each) > MAX_NAME for each in data.targets):
        raise ValueError(f"at most {MAX_TARGETS} targets of {MAX_NAME} characters can be told")
    if not data.task.isidentifier() or len(data.task) > MAX_NAME:
        raise ValueError(f"task must be a word, and is {shown(data.task)}")
    if not 0 <= data.targetCount <= MAX_COUNT:
        raise ValueError(f"targetCount must be from 0 to {MAX_COUNT}")
    return data


Note = Annotated[str, Field(max_length=MAX_NOTE)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_name)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ReportedMetrics = Annotated[
    dict[Name, Finite], Field(max_length=MAX_METRICS), BeforeValidator(_measured_metrics)
]
ReportedArtifact = Annotated[Artifact, AfterValidator(_artifact)]
ReportedData = Annotated[DataStatus, AfterValidator(_data)]
ReportedMeasured = Annotated[Measured, AfterValidator(_measured)]
ReportedCandidate = Annotated[Candidate, AfterValidator(_measured), AfterValidator(_named)]
ReportedLeftOut = Annotated[LeftOut, AfterValidator(_named)]
