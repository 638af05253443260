"""Batch normalisation in a gang."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trainyard_trainer.models.normalization import ENOUGH_ROWS, Synchronized, is_synchronized


@pytest.mark.parametrize(
    ("wanted", "batch", "replicas", "synchronized"),
    [
        ("always", 1024, 2, True),
        ("never", 4, 2, False),
        ("auto", 2 * ENOUGH_ROWS, 2, False),
        ("auto", 2 * ENOUGH_ROWS, 3, True),
        ("auto", 4, 1, True),
    ],
)
def test_a_replica_with_enough_rows_waits_for_nobody(
    wanted: Synchronized, batch: int, replicas: int, synchronized: bool
) -> None:
    assert is_synchronized(wanted, batch, replicas) is synchronized


IN_TWO_REPLICAS = """
import keras, numpy as np, tensorflow as tf
from trainyard_api.spec import TrainingJobSpec
from trainyard_trainer.data import load
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training.fit import Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.supervised import supervised

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

def trained(strategy, synchronized):
    regularization = {"batchNormalization": True, "synchronizedBatchNormalization": synchronized}
    spec = TrainingJobSpec.model_validate({
        "data": {"source": {"uri": "sklearn://digits"}},
        "model": {"architecture": "cnn", "cnn": {"filters": [4], "units": [8]},
                  "regularization": regularization},
        "training": {"epochs": 1, "batchSize": 64, "optimizer": {"name": "sgd"}},
    })
    dataset = load(spec.data, {})
    task = task_of(dataset.schema.target, spec.training, dataset.train.targets)
    gang = Gang(strategy, 1, 0)
    model = fit(supervised(spec, dataset, task, dataset.train), gang, Surroundings.none()).model
    return gang, model

def differences(one, two):
    return [float(np.abs(a.numpy() - b.numpy()).max())
            for a, b in zip(one.variables, two.variables, strict=True)]

alone = trained(tf.distribute.get_strategy(), "always")[1]
mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
gang, both = trained(mirrored, "always")
assert max(differences(alone, both)) < 1e-4, differences(alone, both)

gang, each = trained(mirrored, "never")
for variable in each.non_trainable_variables:
    first, second = gang.strategy.experimental_local_results(variable.value)
    assert np.array_equal(first.numpy(), second.numpy()), variable.path
near = differences(alone, each)
assert 1e-4 < max(near), "the replicas' own moments were not used"
statistics = [d for v, d in zip(each.variables, near) if "moving" in v.path]
assert max(statistics) < 0.2, statistics
"""


def test_moments_of_all_replicas_learn_what_one_does_and_own_ones_end_alike_everywhere() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_TWO_REPLICAS], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
