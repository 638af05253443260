"""The losses that a spec can name."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from trainyard_api.spec import Training
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import Classes, Quantities, SeveralLabels
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.tasks import Task, task_of
from trainyard_trainer.tasks.losses import OF_CLASSES, OF_LABELS, OF_NUMBERS

CLASSES = np.array([0, 2, 1, 2], np.int64)
LABELS = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], np.int64)
NUMBERS = np.array([[1.0], [3.0], [2.0], [6.0]], np.float32)
PROBABLE = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3], [0.5, 0.3, 0.2]], np.float32
)
LIKELY = np.array([[0.9, 0.2], [0.6, 0.7], [0.1, 0.4], [0.5, 0.5]], np.float32)
TOLD = np.array([[1.5], [2.0], [2.0], [5.0]], np.float32)
CASES: dict[str, tuple[Any, Targets, Any]] = {
    "classes": (Classes(("a", "b", "c")), CLASSES, PROBABLE),
    "labels": (SeveralLabels(("a", "b")), LABELS, LIKELY),
    "numbers": (Quantities(("value",)), NUMBERS, TOLD),
}
ALL = [
    *(("classes", name) for name in OF_CLASSES.functions),
    *(("labels", name) for name in OF_LABELS.functions),
    *(("numbers", name) for name in OF_NUMBERS.functions),
]


def task(kind: str, **fields: Any) -> Task:
    target, targets, _ = CASES[kind]
    return task_of(target, Training.model_validate(fields), targets)


def losses(kind: str, **fields: Any) -> Any:
    """Of each row."""
    _, targets, outputs = CASES[kind]
    return np.asarray(task(kind, **fields).losses(targets, outputs))


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_loss_gives_a_number_for_each_row(kind: str, name: str) -> None:
    found = losses(kind, loss=name)
    assert found.shape == (4,)
    assert np.isfinite(found).all()
    assert np.ptp(found) > 0


def test_the_loss_of_classes_is_what_keras_says_of_their_vectors() -> None:
    vectors = np.eye(3, dtype=np.float32)[CLASSES]
    focal = keras.losses.categorical_focal_crossentropy(vectors, PROBABLE, gamma=3.0)
    found = losses("classes", loss="categorical_focal_crossentropy", lossArguments={"gamma": 3.0})
    np.testing.assert_allclose(found, np.asarray(focal), rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["SparseCategoricalCrossentropy", "categorical_crossentropy", None]
)
def test_cross_entropy_has_several_names(name: str | None) -> None:
    expected = -np.log(PROBABLE[np.arange(4), CLASSES])
    np.testing.assert_allclose(losses("classes", loss=name), expected, rtol=1e-5)


def test_smoothed_classes_are_those_of_keras() -> None:
    vectors = np.eye(3, dtype=np.float32)[CLASSES]
    expected = keras.losses.categorical_crossentropy(vectors, PROBABLE, label_smoothing=0.2)
    found = losses("classes", labelSmoothing=0.2)
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-5)


def test_smoothed_labels_are_those_of_keras() -> None:
    truth = LABELS.astype(np.float32)
    expected = keras.losses.binary_crossentropy(truth, LIKELY, label_smoothing=0.2)
    np.testing.assert_allclose(
        losses("labels", labelSmoothing=0.2), np.asarray(expected), rtol=1e-5
    )


def test_a_ratio_is_of_numbers_in_their_own_unit() -> None:
    expected = 100.0 * np.abs((NUMBERS - TOLD) / NUMBERS)[:, 0]
    np.testing.assert_allclose(losses("numbers", loss="mape"), expected, rtol=1e-5)


def test_a_loss_takes_its_arguments() -> None:
    narrow, wide = (
        losses("numbers", loss="huber", lossArguments={"delta": delta}) for delta in (0.1, 10.0)
    )
    assert narrow.sum() < wide.sum()


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("classes", {"loss": "mae"}, r"loss: mae does not fit classification; .*kl_divergence"),
        ("labels", {"loss": "hinge"}, r"loss: hinge does not fit several labels; .*focal"),
        ("numbers", {"loss": "kl_divergence"}, r"loss: .* does not fit regression; .*huber"),
        ("numbers", {"loss": "huber", "lossArguments": {"gamma": 1}}, "no argument gamma .*delta"),
        ("classes", {"lossArguments": {"label_smoothing": 0.1}}, "no argument label_smoothing"),
        ("numbers", {"labelSmoothing": 0.1}, "labelSmoothing: is of labels, and this is regres"),
        (
            "classes",
            {"labelSmoothing": 0.1, "loss": "categorical_hinge"},
            "labelSmoothing: means nothing to categorical_hinge; .*kl_divergence",
        ),
        (
            "numbers",
            {"loss": "huber", "lossArguments": {"delta": -1.0}},
            r"lossArguments\.delta: must not be below 0, and is -1\.0",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    kind: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidSpec, match=said):
        task(kind, **fields)
