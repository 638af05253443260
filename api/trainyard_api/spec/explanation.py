"""`spec.explanation`: why the model decides as it does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainyard_api.model import Document

ExplanationMethod = Literal["integrated_gradients", "shap", "lime", "saliency"]


class Explanation(Document):
    """Attributions for held-out examples."""

    methods: Annotated[list[ExplanationMethod], Field(min_length=1, max_length=8)] = Field(
        default=["integrated_gradients", "shap", "lime"], description="The methods."
    )
    samples: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=8, description="How many held-out examples are explained."
    )
