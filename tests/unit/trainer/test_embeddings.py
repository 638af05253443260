"""What is learned of an embedding, some of whose rows a batch takes more than once."""

from __future__ import annotations

import keras
import numpy as np

from trainyard_api.spec import Training
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.target import Classes
from trainyard_trainer.tasks import task_of
from trainyard_trainer.training.fit import Fitting, Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised

CODES = np.array([[0], [1], [1], [1], [2], [2]], np.float32)
TARGETS = np.array([0, 1, 1, 0, 0, 0], np.int64)
RATE = 0.01


def test_a_word_that_occurs_often_moves_no_farther_than_the_rate() -> None:
    """The first step of Adam is the rate's length whatever the gradient; squares of a gradient's
    parts instead of the square of their sum would make it longer."""
    training = Training.model_validate(
        {"epochs": 1, "batchSize": 6, "optimizer": {"learningRate": RATE}}
    )

    def build() -> keras.Model:
        """Of which the embedding alone learns."""
        kernel = keras.initializers.Constant([[0.5, -0.5], [1.0, -1.0], [-0.5, 1.0]])
        layers = [
            keras.Input((1,)),
            keras.layers.Embedding(4, 3, embeddings_initializer="ones"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, "softmax", kernel_initializer=kernel, trainable=False),
        ]
        return keras.Sequential(layers)

    part = whole(Resident(CODES), TARGETS)
    task = task_of(Classes(("a", "b")), training, TARGETS)
    fitting = Fitting(build, Supervised(task), part, part.only(np.arange(0)), training)
    model = fit(fitting, Gang.alone(), Surroundings.none()).model
    moved = np.abs(np.asarray(model.layers[0].get_weights()[0]) - 1.0)
    np.testing.assert_allclose(moved[:3], RATE, rtol=1e-3)
    np.testing.assert_array_equal(moved[3], 0.0)
