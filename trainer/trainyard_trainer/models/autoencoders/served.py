"""What is exported of a model that rebuilds rows: one of its parts, without chance.

Whatever draws latents stays behind: the exported model decodes their means, and has Keras' own
layers alone.
"""

from __future__ import annotations

import keras

from trainyard_trainer.models.vae import DECODER
from trainyard_trainer.tasks import likelihood
from trainyard_trainer.tasks.packing import PACKED, Rebuilt
from trainyard_trainer.tasks.reconstruction import Reconstruction


def served(model: keras.Model, output: str, task: Reconstruction) -> keras.Model:
    """The part that answers `output`, as `spec.model.output` names them.

    Returns:
        A model of raw rows (of latents, where it is a decoder) to (batch, numbers).
    """
    rows, _, latents, *log_variances = model.get_layer(PACKED).input
    decoder, layout, (inputs,) = model.get_layer(DECODER), task.packing.layout, model.inputs
    if output == "decoder":
        inputs = keras.Input((task.packing.latents,), name=inputs.name, dtype="float32")
        answer = likelihood.expected(layout, decoder(inputs))
    elif output == "encoder":
        answer = latents
    elif output == "anomaly_score":
        rebuilt = Rebuilt(
            rows, decoder(latents), latents, log_variances[0] if log_variances else None
        )
        answer = keras.ops.expand_dims(task.scores(rebuilt), axis=1)
    else:
        answer = likelihood.expected(layout, decoder(latents))
    return keras.Model(inputs, answer, name=output)
