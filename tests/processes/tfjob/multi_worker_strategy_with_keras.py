"""A Keras model trained by several workers with MultiWorkerMirroredStrategy, as TFJobs do it.

Nothing of it knows of Trainyard: the workers find each other in TF_CONFIG.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

ROWS, FEATURES, BATCH, EPOCHS = 512, 8, 64, 3


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Points, and on which side of a plane they lie."""
    dice = np.random.default_rng(0)
    points = dice.normal(size=(ROWS, FEATURES)).astype("float32")
    return points, (points.sum(axis=1) > 0).astype("float32")[:, None]


def main(saved_model_dir: Path) -> None:
    """Train, and let the chief save the model."""
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = keras.Sequential([keras.layers.Input((FEATURES,)), keras.layers.Dense(1)])
        rate = tf.constant(0.5)
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
    data = tf.data.Dataset.from_tensor_slices(rows()).batch(BATCH)
    batches = strategy.experimental_distribute_dataset(data)

    def step(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.nn.compute_average_loss(
                loss_of(labels, model(features, training=True)), global_batch_size=BATCH
            )
        variables = model.trainable_variables
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce("sum", tape.gradient(loss, variables))
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.value.assign_sub(rate * gradient)
        return loss

    @tf.function
    def train(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return strategy.reduce("sum", strategy.run(step, (features, labels)), axis=None)

    for epoch in range(EPOCHS):
        losses = [float(train(*batch)) for batch in batches]
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.4f}", flush=True)
    # All workers take part in what saving reads; the chief's file is the one that counts.
    folder = saved_model_dir if index == 0 else saved_model_dir / f"worker_tmp_{index}"
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    workers = strategy.num_replicas_in_sync
    (folder / "report.json").write_text(json.dumps({"workers": workers, "loss": losses[-1]}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--saved_model_dir", type=Path, required=True)
    main(parser.parse_args().saved_model_dir)
