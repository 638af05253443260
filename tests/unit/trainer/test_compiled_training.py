"""Steps that XLA compiles learn what plain ones do."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainyard_api.spec import TrainingJobSpec
from trainyard_trainer.data import load
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training.fit import Fitting, Surroundings, fit
from trainyard_trainer.training.fit import compiling as policy
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.supervised import supervised


def fitting(jit: str, **model: Any) -> Fitting:
    """Of a small network on the digits: 60 steps. Adam would divide by what is mere rounding."""
    optimizer = {"name": "sgd", "learningRate": 0.05}
    regularization = {"batchNormalization": True}
    spec = TrainingJobSpec.model_validate(
        {
            "data": {"source": {"uri": "sklearn://digits"}},
            "model": {"architecture": "dense", "regularization": regularization} | model,
            "training": {
                "epochs": 5,
                "jitCompile": jit,
                "stepsPerExecution": 4,
                "optimizer": optimizer,
            },
        }
    )
    dataset = load(spec.data, {})
    task = task_of(dataset.schema.target, spec.training, dataset.train.targets)
    return supervised(spec, dataset, task, dataset.train)


def weights(fitting: Fitting) -> list[np.ndarray[Any, Any]]:
    model = fit(fitting, Gang.alone(), Surroundings.none()).model
    return [np.asarray(w) for w in model.get_weights()]


def test_compiled_steps_learn_the_same_to_rounding() -> None:
    for plain, compiled in zip(weights(fitting("never")), weights(fitting("always")), strict=True):
        np.testing.assert_allclose(compiled, plain, atol=1e-4)


def test_a_trial_in_the_middle_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "WORTH_SECONDS", 0.0)
    for plain, tried in zip(weights(fitting("never")), weights(fitting("auto")), strict=True):
        np.testing.assert_allclose(tried, plain, atol=1e-4)


@keras.saving.register_keras_serializable("tests")
class NeverCompiled(keras.layers.Layer):  # type: ignore[misc]
    """Does what XLA has no operation for."""

    def call(self, inputs: Any) -> Any:
        """The input, by way of texts."""
        return tf.strings.to_number(tf.strings.as_string(tf.stop_gradient(inputs)))


def uncompiled(jit: str) -> Fitting:
    plain = fitting(jit)

    def build() -> keras.Model:
        inner = plain.build()
        inputs = keras.Input(inner.input_shape[1:])
        return keras.Model(inputs, inner(NeverCompiled()(inputs)))

    return Fitting(build, plain.objective, plain.train, plain.validation, plain.training)


def test_steps_that_xla_cannot_compile_stay_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "WORTH_SECONDS", 0.0)
    assert fit(uncompiled("auto"), Gang.alone(), Surroundings.none()).steps == 60


def test_who_wants_what_xla_cannot_compile_is_told() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.training\.jitCompile.*use auto or never"):
        fit(uncompiled("always"), Gang.alone(), Surroundings.none())
