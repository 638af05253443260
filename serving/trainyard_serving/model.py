"""The model: a .tflite file that is checked, loaded and asked. It knows of no protocol.

LiteRT's interpreter is not thread-safe, so a model keeps a few, and a caller has one for
itself while it computes. An interpreter is built for one batch size, because resizing packs
all weights anew; a batch is cut into pieces of 32 and single rows. That costs nearly nothing:
a row costs about the same in both.
"""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from trainyard_api.contract import Contract
from trainyard_api.packed import contract_of
from trainyard_serving.tensor import Array, TensorSpec, UnsuitableTensor, read_spec

_BATCH = 32
_WARM_UP_RUNS = 3


class ModelRejected(Exception):
    """The file is not the model that was announced, or not one that can be served."""


@dataclass(frozen=True)
class _Loaded:
    """A checked model file and what goes in and out."""

    content: bytes
    input: TensorSpec
    output: TensorSpec
    any_batch: bool
    contract: Contract | None


class Model:
    """A loaded model, ready to be asked; `predict` may be called from several threads.

    Attributes:
        input: what `predict` takes, per row.
        output: what it gives, per row.
        contract: what a caller's rows are; None: what the model itself takes.
        sha256: digest of the file.
        row_seconds: time that one row takes, as measured when the model was loaded.
    """

    def __init__(self, loaded: _Loaded, sha256: str, interpreters: int) -> None:
        self.input = loaded.input
        self.output = loaded.output
        self.contract = loaded.contract
        self.sha256 = sha256
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self.row_seconds = 0.0
        for _ in range(interpreters):
            worker = _Worker(loaded)
            self.row_seconds = max(self.row_seconds, worker.warm_up())
            self._free.put(worker)

    @classmethod
    def load(cls, path: Path, sha256: str, interpreters: int = 1) -> Model:
        """The model in the file `path`, warmed up.

        What was hashed is what is loaded: the file is read once.

        Args:
            path: the .tflite file.
            sha256: the digest that its bytes must have, hexadecimal.
            interpreters: how many calls of `predict` run side by side.

        Raises:
            ModelRejected: unreadable, another digest, or a model that cannot be served.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelRejected(f"{path} cannot be read: {error.strerror}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256.lower():
            raise ModelRejected(f"{path} has sha256 {found}, not {sha256}: it was not loaded")
        try:
            return cls(_inspect(content), found, interpreters)
        except (ValueError, RuntimeError, UnsuitableTensor) as error:
            raise ModelRejected(f"{path} cannot be served: {error}") from error

    def predict(self, rows: Array) -> Array:
        """The model's answer to each row.

        Args:
            rows: shape (n, *input.shape) of input.dtype, n >= 1.

        Returns:
            Shape (n, *output.shape) of output.dtype.
        """
        worker = self._free.get()
        try:
            return worker.run(rows)
        finally:
            self._free.put(worker)


class _Worker:
    """The interpreters that one thread uses at a time."""

    def __init__(self, loaded: _Loaded) -> None:
        self._loaded = loaded
        self._by_size: dict[int, Interpreter] = {}

    def warm_up(self) -> float:
        """Seconds that a row takes once everything is in place."""
        row = np.zeros((1, *self._loaded.input.shape), self._loaded.input.dtype)
        taken = []
        for _ in range(_WARM_UP_RUNS):
            started = time.perf_counter()
            self.run(row)
            taken.append(time.perf_counter() - started)
        return min(taken)

    def run(self, rows: Array) -> Array:
        stored = self._loaded.input.to_stored(rows)
        pieces = [self._invoke(piece) for piece in self._pieces(stored)]
        answer = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return self._loaded.output.from_stored(answer)

    def _pieces(self, rows: Array) -> Iterator[Array]:
        whole = len(rows) - len(rows) % _BATCH if self._loaded.any_batch else 0
        for start in range(0, whole, _BATCH):
            yield rows[start : start + _BATCH]
        for start in range(whole, len(rows)):
            yield rows[start : start + 1]

    def _invoke(self, rows: Array) -> Array:
        interpreter = self._interpreter(len(rows))
        interpreter.set_tensor(self._loaded.input.index, rows)
        interpreter.invoke()
        answer: Array = interpreter.get_tensor(self._loaded.output.index)
        return answer

    def _interpreter(self, size: int) -> Interpreter:
        interpreter = self._by_size.get(size)
        if interpreter is None:
            interpreter = Interpreter(model_content=self._loaded.content, num_threads=1)
            if self._loaded.any_batch:
                spec = self._loaded.input
                interpreter.resize_tensor_input(spec.index, (size, *spec.shape))
            interpreter.allocate_tensors()
            self._by_size[size] = interpreter
        return interpreter


def _inspect(content: bytes) -> _Loaded:
    """Reads what goes in and out.

    Raises:
        ValueError: not a .tflite file, or not one input and one output.
        UnsuitableTensor: an input or output that cannot be served.
        UnreadableContract: the contract that it brings is none that this version knows.
    """
    interpreter = Interpreter(model_content=content, num_threads=1)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(
            f"it has {len(inputs)} inputs and {len(outputs)} outputs; one of each can be served"
        )
    input_name, output_name = _names(interpreter, inputs[0], outputs[0])
    batch = int(inputs[0]["shape_signature"][0]) if len(inputs[0]["shape_signature"]) else 0
    if batch not in (-1, 1):
        raise ValueError(f"its batch is fixed at {batch}; export it for any batch, or for one row")
    contract = contract_of(content)
    taken = read_spec(input_name, inputs[0])
    if contract is not None and list(taken.shape) != contract.input.shape:
        raise ValueError(
            f"its contract is of rows of shape {contract.input.shape}, and the model takes "
            f"{list(taken.shape)}"
        )
    return _Loaded(
        content=content,
        input=taken,
        output=read_spec(output_name, outputs[0]),
        any_batch=batch == -1,
        contract=contract,
    )


def _names(
    interpreter: Interpreter, input_details: dict[str, Any], output_details: dict[str, Any]
) -> tuple[str, str]:
    """The signature's names where there is one: they are the names that the author gave."""
    signatures = list(interpreter.get_signature_list().values())
    if len(signatures) == 1:
        return signatures[0]["inputs"][0], signatures[0]["outputs"][0]
    return input_details["name"], output_details["name"]
