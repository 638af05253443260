"""Recurrent layers as LiteRT can express them.

Keras runs a cell in a loop that collects what it gives in a list of tensors. LiteRT has such lists
for a batch of a fixed size alone. Written out step by step, the same cells are plain operations,
which every technique converts, for any batch.
"""

from __future__ import annotations

from typing import Any, Final

import keras

_FIELD: Final = "unroll"
"""Of the configuration of Keras' recurrent layers, also inside of Bidirectional."""


def unrolled(model: keras.Model) -> keras.Model:
    """A model of the same weights whose recurrent layers are written out; itself, if it has none.

    Rows have a fixed shape, and so have series a fixed number of steps.
    """
    config = model.get_config()
    if not _unroll(config):
        return model
    made = type(model).from_config(config)
    made.set_weights(model.get_weights())
    for layer in made.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            # Written out, Keras makes zeros of what a layer gives at steps that do not count, and
            # takes the mask the wrong way round where it reads backwards. Whoever comes next has
            # the same mask, and does not look there.
            layer.backward_layer.zero_output_for_mask = False
    return made


def _unroll(config: Any) -> bool:
    """Whether there was anything to write out in a configuration, which is changed: everywhere,
    so nothing here may end at the first find.
    """
    if isinstance(config, dict):
        here = config.get(_FIELD) is False
        if here:
            config[_FIELD] = True
        return sum(map(_unroll, config.values())) > 0 or here
    if isinstance(config, list | tuple):
        return sum(map(_unroll, config)) > 0
    return False
