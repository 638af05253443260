"""What a spec may leave to a program of one's own (`workers.command`), and what it asks of it.

Such a program may be a whole TFJob's: it reads what it likes, makes what it likes, and says
nothing of either. It has to say more where the spec wants something done with what it made.
"""

from __future__ import annotations

from collections.abc import Iterator

from trainyard_api.problem import Problem
from trainyard_api.spec import TrainingJobSpec
from trainyard_api.spec.data import NO_DATA


def brings_its_data(spec: TrainingJobSpec) -> bool:
    """Whether only the program knows what it learns from."""
    return spec.data.source.uri == NO_DATA


def asked_of_training(spec: TrainingJobSpec) -> str:
    """Which field asks for the result of stage Train, and for what of it; empty where none does."""
    if spec.workers.command is None:
        return "only a program of one's own (spec.workers.command) may end without one"
    model = {
        "spec.serving": spec.serving,
        "spec.compression": spec.compression,
        "spec.explanation": spec.explanation,
    }
    for field, wanted in model.items():
        if wanted is not None:
            return f"{field} needs the model it was to report"
    metrics = {"spec.evaluation.gates": spec.evaluation.gates, "spec.search": spec.search}
    for field, asked in metrics.items():
        if asked:
            return f"{field} needs the metrics it was to report"
    return ""


def find_what_is_missing(spec: TrainingJobSpec) -> Iterator[Problem]:
    """Fields that only some programs may leave out."""
    if spec.workers.command is None:
        only = "only a program of one's own (spec.workers.command) brings its own"
        if brings_its_data(spec):
            yield Problem("spec.data", f"is required: what to learn from, as source.uri; {only}")
        if spec.model.architecture == "program":
            yield Problem("spec.model", f"is required: what learns, by its architecture; {only}")
        return
    measured = {
        "spec.serving": spec.serving,
        "spec.compression": spec.compression,
        "spec.explanation": spec.explanation,
    }
    asking = [field for field, wanted in measured.items() if wanted is not None]
    if asking and brings_its_data(spec):
        yield Problem(
            "spec.data",
            f"is required by {asking[0]}: what the program makes is measured on rows of it; write "
            "source.uri, or leave that block out",
        )
