"""A .tflite file run as serving runs it: by LiteRT, on one thread."""

from __future__ import annotations

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from trainyard_trainer.compress.conversion import Rows


class LiteModel:
    """A loaded .tflite file with float32 input and output, for batches of one size."""

    def __init__(self, content: bytes, batch: int) -> None:
        """Load a file.

        Raises:
            ValueError, RuntimeError: LiteRT cannot load it.
        """
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        details = self._interpreter.get_input_details()[0]
        self._input = details["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._interpreter.resize_tensor_input(self._input, [batch, *details["shape"][1:]])
        self._interpreter.allocate_tensors()

    def predict(self, rows: Rows) -> NDArray[np.float32]:
        """The output for one batch, shape (batch, classes)."""
        self._interpreter.set_tensor(self._input, rows)
        self._interpreter.invoke()
        output: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return output
