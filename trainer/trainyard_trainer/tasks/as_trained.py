"""What tasks have in common whose exported model is the trained one."""

from __future__ import annotations

from typing import Any

import keras

from trainyard_api.spec import MetricName
from trainyard_trainer.tasks.task import Outputs


class AsTrained:
    """Answers are the model's own, and compared with nothing."""

    output: str
    further_metrics: tuple[MetricName, ...] = ()
    learns_threshold: bool = False

    def finish(self, answer: Any) -> Any:
        """What the author's model gives, in float32 and by the output's name."""
        return keras.layers.Activation("linear", dtype="float32", name=self.output)(answer)

    def answers(self, outputs: Outputs) -> Outputs:
        """The model's own."""
        return outputs

    def threshold(self, outputs: Outputs) -> float | None:
        """None: answers are compared with nothing."""
        del outputs
        return None
