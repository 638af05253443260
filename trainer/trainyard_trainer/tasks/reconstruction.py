"""Each row is learned itself: rebuilt from fewer numbers than it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from trainyard_api.spec import MetricName, Model, Training
from trainyard_trainer.data.generation.layout import layout_of
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Rebuilding
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.evaluation import reconstruction as metrics_of
from trainyard_trainer.evaluation.reconstruction import Measured
from trainyard_trainer.tasks import likelihood
from trainyard_trainer.tasks.packing import Packing, Rebuilt
from trainyard_trainer.tasks.task import Outputs

_QUANTILE: Final = 0.99
"""Share of normal rows that an anomaly score's threshold takes for normal."""


class Reconstruction:
    """Rows as the model's first layer takes them, scaled, are what its last layer is to give.

    The loss of an autoencoder is the mean error of a row's columns. That of a variational one is
    the negative evidence lower bound (Kingma and Welling, Auto-Encoding Variational Bayes, 2014),
    by one draw of the latents while it trains and by their means otherwise; `beta` weighs its KL
    divergence (Higgins et al., 2017). The variances of numbers are learned, so that their noise
    and the latents' information are weighed by the data, not by hand (Rybkin, Daniilidis and
    Levine, 2021).
    """

    main_metric: str = "r2"

    def __init__(self, spec: Model, schema: Schema) -> None:
        """Args:
        spec: architecture and output are in it.
        schema: of the rows, whose target is to rebuild them.
        """
        variational = spec.architecture == "vae"
        self.output = spec.output or "reconstruction"
        self.packing = Packing(layout_of(schema), latents_of(spec), variational)
        self.measures: tuple[str, ...] = ("reconstruction_error",)
        self._beta = spec.vae.beta
        self.further_metrics: tuple[MetricName, ...] = ()
        if variational:
            self.measures = ("reconstruction_error", "elbo", "kl")
            self.further_metrics = ("elbo",)
        if isinstance(schema.target, Rebuilding) and schema.target.names:
            self.further_metrics += ("roc_auc", "average_precision")

    @property
    def outputs(self) -> int:
        """How many numbers the exported model answers."""
        widths = {"encoder": self.packing.latents, "anomaly_score": 1}
        return widths.get(self.output, self.packing.layout.width)

    @property
    def learns_threshold(self) -> bool:
        """Whether it answers scores."""
        return self.output == "anomaly_score"

    def check(self, training: Training, metrics: Sequence[str]) -> None:
        """Make sure that loss, class weights and metrics fit.

        Raises:
            InvalidSpec: one of them does not.
        """
        if training.loss is not None:
            raise InvalidSpec(
                f"spec.training.loss: {training.loss} does not fit reconstruction, whose loss "
                "follows from the architecture; leave it out"
            )
        if training.lossArguments or training.labelSmoothing:
            field = "lossArguments" if training.lossArguments else "labelSmoothing"
            raise InvalidSpec(
                f"spec.training.{field}: does not fit reconstruction, whose loss follows from the "
                "architecture; leave it out"
            )
        if training.classWeights != "none":
            raise InvalidSpec(
                f"spec.training.classWeights: {training.classWeights} needs classes, and rows are "
                "rebuilt here; leave it out"
            )
        metrics_of.check(metrics, [*metrics_of.PLAIN, *self.further_metrics])

    def head(self, last: Any, regularizer: keras.regularizers.Regularizer | None) -> Any:
        """What an autoencoder gives, in one tensor, float32 (batch, places)."""
        del regularizer
        return self.packing.pack(last)

    def losses(self, targets: Any, outputs: Any) -> Any:
        """How badly each row is rebuilt, (rows,)."""
        del targets
        return self.scores(self.packing.unpack(outputs))

    def measure(self, targets: Any, outputs: Any) -> tuple[Any, ...]:
        """Squared error of each row in scaled units, a mean over its places; of a variational
        autoencoder also the evidence lower bound and the KL divergence, in nats, (rows,).
        """
        del targets
        rebuilt = self.packing.unpack(outputs)
        expected = likelihood.expected(self.packing.layout, rebuilt.decoded)
        squared = ops.mean(ops.square(rebuilt.rows - expected), axis=1)
        if rebuilt.log_variances is None:
            return (squared,)
        kl = likelihood.divergence(rebuilt.latents, rebuilt.log_variances)
        return (squared, self._bounds(rebuilt), kl)

    def progress(self, means: Mapping[str, float]) -> dict[str, float]:
        """All measures."""
        return dict(means)

    def row_weights(self, targets: Targets) -> NDArray[np.float32]:
        """Ones: all rows that are learned from count alike, (rows,)."""
        return np.ones(len(targets), np.float32)

    def evaluate(
        self, metrics: Sequence[str], targets: Targets, outputs: Outputs
    ) -> dict[str, float]:
        """The metrics asked for, which `check` has let pass."""
        rebuilt = self.packing.unpack(outputs)
        expected = likelihood.expected(self.packing.layout, rebuilt.decoded)
        variational = rebuilt.log_variances is not None
        measured = Measured(
            rows=rebuilt.rows,
            rebuilt=np.asarray(expected),
            scores=np.asarray(self.scores(rebuilt)),
            bounds=np.asarray(self._bounds(rebuilt)) if variational else None,
            targets=targets,
        )
        return metrics_of.measure(metrics, measured)

    def answers(self, outputs: Outputs) -> Outputs:
        """What the exported model answers to the same rows; the rows of a decoder are theirs."""
        rebuilt = self.packing.unpack(outputs)
        if self.output == "encoder":
            return np.asarray(rebuilt.latents)
        if self.output == "anomaly_score":
            return np.asarray(self.scores(rebuilt))[:, np.newaxis]
        return np.asarray(likelihood.expected(self.packing.layout, rebuilt.decoded))

    def threshold(self, outputs: Outputs) -> float | None:
        """The score that 99 % of normal rows do not exceed; None where no score is answered."""
        if not self.learns_threshold:
            return None
        return float(np.quantile(self.answers(outputs), _QUANTILE))

    def scores(self, rebuilt: Rebuilt) -> Any:
        """How badly rows are rebuilt, (rows,); of arrays or of tensors of a model."""
        layout = self.packing.layout
        if rebuilt.log_variances is None:
            return likelihood.error(layout, rebuilt.rows, rebuilt.decoded)
        kl = likelihood.divergence(rebuilt.latents, rebuilt.log_variances)
        return likelihood.surprise(layout, rebuilt.rows, rebuilt.decoded) + self._beta * kl

    def _bounds(self, rebuilt: Rebuilt) -> Any:
        kl = likelihood.divergence(rebuilt.latents, rebuilt.log_variances)
        return -likelihood.surprise(self.packing.layout, rebuilt.rows, rebuilt.decoded) - kl


def latents_of(spec: Model) -> int:
    """How many numbers stand for a row; 0 where the spec has no layer for them."""
    if spec.architecture == "vae":
        return spec.vae.latentDimensions
    units = spec.cnn.units if spec.architecture == "cnn" else spec.dense.units
    return units[-1] if units else 0
