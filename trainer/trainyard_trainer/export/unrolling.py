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
    return made


def _unroll(config: Any) -> bool:
    """Whether there was anything to write out in a configuration, which is changed."""
    if isinstance(config, dict):
        here = config.get(_FIELD) is False
        if here:
            config[_FIELD] = True
        return any([here, *(_unroll(each) for each in config.values())])
    if isinstance(config, list | tuple):
        return any([_unroll(each) for each in config])
    return False
