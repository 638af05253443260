"""Documents that a pod leaves behind as its termination message (4,096 bytes at most)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from trainyard_api.model import OpenDocument
from trainyard_api.reported import (
    MAX_CANDIDATES,
    MAX_NAME,
    MAX_NOTES,
    Count,
    Name,
    Note,
    ReportedArtifact,
    ReportedCandidate,
    ReportedData,
    ReportedLeftOut,
    ReportedMeasured,
    ReportedMetrics,
    Seconds,
    shown,
)

MAX_BYTES: Final = 4096
"""What the kubelet takes of a termination message: its last bytes."""
_SENTENCES: Final = 5

FailureReason = Literal[
    "InvalidSpec",
    "InvalidData",
    "InvalidResult",
    "ProgramFailed",
    "PeerLost",
    "StoreUnavailable",
    "Superseded",
    "ModelRejected",
    "Stalled",
    "Diverged",
]


def _encodable(text: object) -> Any:
    """Text without halves of surrogate pairs, which no UTF-8 has: names of files may bring them."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text


class TrainResult(OpenDocument):
    """What worker 0 reports when the gang has trained and evaluated."""

    metrics: ReportedMetrics = Field(description="Metrics on the test part.")
    examples: Count = Field(description="Rows of the test part.")
    epochs: Count = Field(description="Epochs trained.")
    steps: Count = Field(description="Steps trained, over all attempts.")
    resumedFromStep: Count = Field(default=0, description="Step this attempt began at.")
    stoppedEarly: bool = False
    seconds: Seconds = Field(default=0.0, description="Time of this attempt.")
    model: ReportedArtifact = Field(description="The SavedModel (a folder).")
    keras: ReportedArtifact | None = Field(
        default=None, description="The .keras file; a program of one's own need not write one."
    )
    prepared: ReportedArtifact | None = Field(
        default=None,
        description="What later stages take their rows from (a folder); without it they divide "
        "the source anew.",
    )
    data: ReportedData | None = Field(default=None, description="What the data was taken for.")

    def shortened(self) -> TrainResult | None:
        """The same with less said of the data; None where nothing can be left out."""
        data = self.data
        if data is None:
            return None
        if data.notes:
            less = data.model_copy(update={"notes": data.notes[:-1]})
        elif data.targets:
            less = data.model_copy(update={"targets": data.targets[: len(data.targets) // 2]})
        else:
            less = None
        return self.model_copy(update={"data": less})


class CompressResult(OpenDocument):
    """What the compression pod reports."""

    original: ReportedMeasured
    candidates: Annotated[list[ReportedCandidate], Field(min_length=1, max_length=MAX_CANDIDATES)]
    leftOut: Annotated[list[ReportedLeftOut], Field(max_length=MAX_CANDIDATES)] = Field(
        default_factory=list
    )
    winner: Name
    metric: Name = Field(default="accuracy", description="What is called accuracy here.")
    withinBudget: bool
    notes: Annotated[list[Note], Field(max_length=MAX_NOTES)] = Field(default_factory=list)
    compressed: ReportedArtifact = Field(description="The winner's .tflite file.")
    seconds: Seconds = 0.0

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [candidate.name for candidate in self.candidates]
        if len(set(names)) < len(names):
            raise ValueError(f"two candidates have one name; they are {', '.join(names)}")
        if self.winner not in names:
            raise ValueError(f"winner {self.winner} is none of the candidates {', '.join(names)}")
        return self


class Failure(OpenDocument):
    """Why a program gave up."""

    reason: FailureReason
    message: Annotated[str, BeforeValidator(_encodable)]


class TerminationMessage(OpenDocument):
    """The whole document: exactly one of its fields is set."""

    train: TrainResult | None = None
    compress: CompressResult | None = None
    failure: Failure | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        found = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(found) != 1:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"must have one of {known}; it has {' and '.join(found) or 'none'}")
        return self

    def encode(self) -> str:
        """The document as JSON of at most MAX_BYTES bytes.

        A failure's message is cut where it is too long, and what is said of data left out.

        Raises:
            ValueError: a result does not fit.
        """
        text = self.model_dump_json(exclude_none=True)
        size = len(text.encode())
        if size <= MAX_BYTES:
            return text
        shorter = self.train.shortened() if self.train is not None else None
        if shorter is not None:
            return TerminationMessage(train=shorter).encode()
        if self.failure is None:
            raise ValueError(f"the result has {size} bytes; a pod can report {MAX_BYTES}")
        keep = max(0, len(self.failure.message) - (size - MAX_BYTES) - 16)
        message = self.failure.message[:keep]
        while True:
            cut = self.failure.model_copy(update={"message": message + " ..."})
            text = TerminationMessage(failure=cut).model_dump_json(exclude_none=True)
            if len(text.encode()) <= MAX_BYTES:
                return text
            message = message[: len(message) * 9 // 10]


def parse_termination_message(text: str) -> TerminationMessage | None:
    """The document in `text`, or None where a foreign program wrote something else."""
    try:
        return _parse(text)
    except ValueError:
        return None


def is_silent(text: str) -> bool:
    """Whether a text is no attempt at a document: empty, or what a log may end with.

    Of a document that is too long only the end is left.
    """
    said = text.strip()
    return not (said.startswith("{") or said.endswith("}"))


def why_no_document(text: str) -> str:
    """What keeps a text from being a document, a sentence each field; empty where nothing does."""
    if not text.strip():
        return "it is empty"
    try:
        _parse(text)
    except ValidationError as error:
        details = error.errors()
        said = [_sentence(detail, text) for detail in details[:_SENTENCES]]
        more = len(details) - len(said)
        return "; ".join([*said, *([f"and {more} more"] if more else [])])
    except ValueError as error:
        return str(error)
    return ""


def _parse(text: str) -> TerminationMessage:
    """The document in a text of any length, depth and encoding.

    Raises:
        ValueError: it is none.
    """
    content = _encodable(text).encode()
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {len(content)} bytes; a pod can report {MAX_BYTES}")
    return TerminationMessage.model_validate_json(content)


def _sentence(detail: ErrorDetails, text: str) -> str:
    """One thing that is wrong: the field, what it has to be, what it is."""
    path = [_part(part) for part in detail["loc"] if part != "[key]"]
    field, wanted = ".".join(path), detail["msg"]
    if detail["type"] == "json_invalid":
        cut = " (only the last 4,096 bytes reach the operator)"
        whole = len(text.encode("utf-8", "replace")) < MAX_BYTES
        return f"it is no JSON: {wanted.partition(': ')[2]}{'' if whole else cut}"
    if detail["type"] == "missing":
        return f"{field} is required"
    if detail["type"] == "value_error":
        return f"{field}: {wanted.removeprefix('Value error, ')}".removeprefix(": ")
    wanted = re.sub("^(Input|String|List|Dictionary) should", "should", wanted)
    wanted = wanted.replace(" after validation", "")
    return f"{field or 'it'}: {wanted}, not {shown(detail['input'])}"


def _part(part: int | str) -> str:
    """A part of a field's path; the name of a metric is a stranger's word too."""
    known = isinstance(part, int) or (part.isidentifier() and len(part) <= MAX_NAME)
    return str(part) if known else shown(part)
