"""Tiny models as .tflite files, and the real application in front of one."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.types import ASGIApp

from trainyard_serving.app import build_app
from trainyard_serving.model import Model
from trainyard_serving.readiness import Readiness
from trainyard_serving.served import Served
from trainyard_serving.settings import Limits


@dataclass(frozen=True)
class ModelFile:
    """A .tflite file and its digest."""

    path: Path
    sha256: str

    def load(self, interpreters: int = 2) -> Model:
        return Model.load(self.path, self.sha256, interpreters)


@dataclass(frozen=True)
class Service:
    """A running application and what its parts can be asked."""

    client: httpx.AsyncClient
    served: Served
    readiness: Readiness


@pytest.fixture(scope="session")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFile]:
    """By name: image, image_int8, image_uint8 (quantized input and output), image_one_row
    (fixed batch), all of [n, 4, 4, 1] -> [n, 3]; and two_inputs.
    """
    import keras
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(1)
    image = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    image.export(folder / "image", verbose=False)
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    two = keras.Model([left, right], keras.layers.Dense(2)(keras.layers.Add()([left, right])))
    two.export(folder / "two", verbose=False)

    def representative() -> Iterator[list[np.ndarray]]:
        generator = np.random.default_rng(0)
        for _ in range(100):
            yield [generator.integers(0, 256, (1, 4, 4, 1)).astype(np.float32)]

    def quantized(kind: tf.DType) -> bytes:
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "image"))
        converter.optimizations = {tf.lite.Optimize.DEFAULT}
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = kind
        return converter.convert()

    one_row = [tf.TensorSpec((1, 4, 4, 1), tf.float32)]
    image.export(folder / "one_row", verbose=False, input_signature=one_row)
    contents = {
        "image": tf.lite.TFLiteConverter.from_saved_model(str(folder / "image")).convert(),
        "image_int8": quantized(tf.int8),
        "image_uint8": quantized(tf.uint8),
        "image_one_row": tf.lite.TFLiteConverter.from_saved_model(
            str(folder / "one_row")
        ).convert(),
        "two_inputs": tf.lite.TFLiteConverter.from_saved_model(str(folder / "two")).convert(),
    }
    return {name: _write(folder / f"{name}.tflite", content) for name, content in contents.items()}


def _write(path: Path, content: bytes) -> ModelFile:
    path.write_bytes(content)
    return ModelFile(path, hashlib.sha256(content).hexdigest())


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Seventy images, shape (70, 4, 4, 1), float32 from 0 to 255."""
    return np.random.default_rng(2).integers(0, 256, (70, 4, 4, 1)).astype(np.float32)


StartService = Callable[..., Service]
DEFAULT_LIMITS = Limits()


@pytest.fixture
async def start(model_files: dict[str, ModelFile]) -> AsyncIterator[StartService]:
    """Starts the application for a model; `limits` and the model's file can be given."""
    clients: list[httpx.AsyncClient] = []

    def start_one(name: str = "image", limits: Limits = DEFAULT_LIMITS) -> Service:
        served = Served(model_files[name].load(2), "digits", "1-abc", limits, 1)
        readiness = Readiness()
        app: ASGIApp = build_app(served, readiness)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://serving")
        clients.append(client)
        return Service(client, served, readiness)

    yield start_one
    for client in clients:
        await client.aclose()


@pytest.fixture
def service(start: StartService) -> Service:
    """The application for the model `image`, with the default limits."""
    return start()
