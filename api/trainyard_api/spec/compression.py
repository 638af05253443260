"""`spec.compression`: the smaller model, and what it may cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document
from trainyard_api.spec.shared import Fraction, NonNegativeInt, PositiveInt, Resources

Technique = Literal[
    "float16",
    "dynamic_range",
    "int8",
    "int16_activations",
    "int4",
    "pruning",
    "sparsity_2_4",
    "filter_pruning",
    "clustering",
    "quantization_aware",
    "distillation",
]


class Compression(Document):
    """Candidates are made, measured with the runtime that will serve them, and one wins."""

    objective: Literal["latency", "size"] = Field(
        default="latency",
        description="What the winner is best in, among the candidates that are accurate enough.",
    )
    maxAccuracyLoss: Fraction = Field(
        default=0.01, description="Accuracy that a candidate may lose, absolute."
    )
    techniques: Annotated[list[Technique], Field(min_length=1, max_length=16)] = Field(
        default=["float16", "dynamic_range", "int8"], description="The candidates to make."
    )
    fineTuneEpochs: NonNegativeInt = Field(
        default=1, description="Epochs of fine-tuning, for the techniques that need it."
    )
    maxSeconds: PositiveInt = Field(
        default=1800, description="Time after which no further candidate is begun."
    )
    resources: Resources = Field(default=Resources(), description="Resources of the pod.")
