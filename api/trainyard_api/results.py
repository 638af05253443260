"""Documents that a pod leaves behind as its termination message (4,096 bytes at most)."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, ValidationError

from trainyard_api.model import OpenDocument
from trainyard_api.status import Artifact, Candidate, LeftOut, Measured, Metrics

MAX_BYTES: Final = 4096

FailureReason = Literal[
    "InvalidSpec",
    "InvalidData",
    "ProgramFailed",
    "PeerLost",
    "StoreUnavailable",
    "ModelRejected",
]


class TrainResult(OpenDocument):
    """What worker 0 reports when the gang has trained and evaluated."""

    metrics: Metrics = Field(description="Metrics on the test part.")
    examples: int = Field(description="Rows of the test part.")
    epochs: int = Field(description="Epochs trained.")
    steps: int = Field(description="Steps trained, over all attempts.")
    resumedFromStep: int = Field(default=0, description="Step this attempt began at.")
    stoppedEarly: bool = False
    seconds: float = Field(default=0.0, description="Time of this attempt.")
    model: Artifact = Field(description="The SavedModel (a folder).")
    keras: Artifact = Field(description="The .keras file.")


class CompressResult(OpenDocument):
    """What the compression pod reports."""

    original: Measured
    candidates: list[Candidate]
    leftOut: list[LeftOut] = Field(default=[])
    winner: str
    withinBudget: bool
    compressed: Artifact = Field(description="The winner's .tflite file.")
    seconds: float = 0.0


class Failure(OpenDocument):
    """Why a program gave up."""

    reason: FailureReason
    message: str


class TerminationMessage(OpenDocument):
    """The whole document: exactly one of its fields is set."""

    train: TrainResult | None = None
    compress: CompressResult | None = None
    failure: Failure | None = None

    def encode(self) -> str:
        """The document as JSON of at most MAX_BYTES bytes.

        A failure's message is cut where it is too long.

        Raises:
            ValueError: a result does not fit.
        """
        text = self.model_dump_json(exclude_none=True)
        size = len(text.encode())
        if size <= MAX_BYTES:
            return text
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
        return TerminationMessage.model_validate_json(text)
    except ValidationError:
        return None


def why_no_document(text: str) -> str:
    """What keeps a text from being a document, field by field; empty where nothing does."""
    if not text.strip():
        return "it is empty"
    try:
        TerminationMessage.model_validate_json(text)
    except ValidationError as error:
        details = error.errors()[:3]
        return "; ".join(f"{'.'.join(map(str, d['loc'])) or 'text'}: {d['msg']}" for d in details)
    return ""
