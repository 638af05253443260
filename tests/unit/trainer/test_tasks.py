"""What a task is: head, loss, metrics, and how labels become targets."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from trainyard_api.spec import Training
from trainyard_trainer.data.labels import Labels, Learned, read_labels
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.errors import InvalidData, InvalidSpec
from trainyard_trainer.evaluation import classification, regression
from trainyard_trainer.tasks import Task, task_of


def learned(values: Any, task: Any = None) -> Learned:
    return read_labels("spec.data.source.label", task, [Labels(np.array(values), "rows.csv")])


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        ([7, 3, 3, 9], ("3", "7", "9"), [1, 0, 0, 2]),
        ([-1, 1, -1], ("-1", "1"), [0, 1, 0]),
        (["ham", "spam", "ham"], ("ham", "spam"), [0, 1, 0]),
        ([b"caf\xc3\xa9", b"tea"], ("café", "tea"), [0, 1]),
        ([True, False, True], ("false", "true"), [1, 0, 1]),
        ([1.0, 2.0, 1.0], ("1", "2"), [0, 1, 0]),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], ("0", "1", "2"), [1, 0, 2]),
        ([[4], [5]], ("4", "5"), [0, 1]),
    ],
)
def test_classes_of_any_kind_keep_their_names(
    labels: Any, names: tuple[str, ...], numbers: list[int]
) -> None:
    found = learned(labels)

    assert found.target == Classes(names)
    assert found.parts[0].tolist() == numbers
    assert found.parts[0].dtype == np.int64


def test_parts_share_their_classes() -> None:
    parts = [Labels(np.array(each), "rows") for each in (["a", "c"], ["b"])]
    found = read_labels("field", None, parts)

    assert [part.tolist() for part in found.parts] == [[0, 2], [1]]


def test_fractions_and_many_different_numbers_are_a_regression_and_say_why() -> None:
    assert learned([0.5, 1.5, 2.0]).target == Quantities(("value",))
    many = learned(np.arange(500))
    assert many.target == Quantities(("value",))
    assert "500 different values in 500 rows" in many.why
    assert learned(np.arange(500) % 7).target == Classes(tuple("0123456"))
    assert learned([[0.1, 2.0], [0.3, 1.0]]).target == Quantities(("value_0", "value_1"))


def test_the_spec_decides_where_it_names_the_task() -> None:
    assert learned([1, 2, 3], "regression").target == Quantities(("value",))
    assert learned(["1.5", "2"], "regression").parts[0].tolist() == [[1.5], [2.0]]


@pytest.mark.parametrize(
    ("labels", "task", "said"),
    [
        ([0.5, 1.0], "classification", "row 0 has the label 0.5.*regression"),
        (["3", "many"], "regression", "row 1 has the label 'many'.*classification"),
        ([[1.0, 2.0], [2.0, 1.0]], "classification", "one class a row"),
        ([2.5, 2.5], None, "nothing to learn"),
        ([[1, 1], [1, 0]], "classification", "one-hot"),
        ([b"\xff", b"a"], None, "no UTF-8"),
        (["a", None, "b"], None, "row 1 has no label"),
        ([1.0, np.inf], None, "row 1 has no label"),
    ],
)
def test_labels_that_do_not_fit_are_named_with_the_row(labels: Any, task: Any, said: str) -> None:
    with pytest.raises(InvalidData, match=said) as caught:
        learned(labels, task)
    assert "rows.csv" in str(caught.value)


def made(target: Classes | Quantities, targets: NDArray[Any], **training: Any) -> Task:
    return task_of(target, Training.model_validate(training), targets)


NUMBERS = np.array([[10.0], [20.0], [60.0]], np.float32)


def test_a_regression_answers_in_the_datas_unit_and_learns_in_standard_deviations() -> None:
    task = made(Quantities(("value",)), NUMBERS)
    inputs = keras.Input((2,))
    model = keras.Model(inputs, task.head(inputs, None))
    model.get_layer("standardized").set_weights([np.zeros((2, 1)), np.ones(1)])
    answer = np.asarray(model(np.ones((1, 2), np.float32)))

    spread = NUMBERS.std()
    np.testing.assert_allclose(answer, 30.0 + spread, rtol=1e-6)
    loss = np.asarray(task.losses(np.array([[30.0]], np.float32), answer))
    np.testing.assert_allclose(loss, [1.0], rtol=1e-6)


def test_a_column_of_targets_that_never_changes_is_not_divided_by_zero() -> None:
    constant = np.array([[1.0, 5.0], [2.0, 5.0]], np.float32)
    task = made(Quantities(("a", "b")), constant)

    assert np.isfinite(np.asarray(task.losses(constant, constant + 1.0))).all()


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ({"loss": "sparse_categorical_crossentropy"}, "does not fit regression.*huber"),
        ({"classWeights": "balanced"}, "needs classes"),
    ],
)
def test_a_regression_refuses_what_is_of_classes(training: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        made(Quantities(("value",)), NUMBERS, **training).check(
            Training.model_validate(training), ["rmse"]
        )


def test_a_loss_may_be_spelled_out_where_it_fits() -> None:
    classes, numbers = Classes(("a", "b")), np.array([0, 1])
    named = Training(loss="sparse_categorical_crossentropy")
    made(classes, numbers).check(named, ["accuracy"])
    with pytest.raises(InvalidSpec, match=r"spec\.training\.loss: mae does not fit"):
        made(classes, numbers).check(Training(loss="mae"), ["accuracy"])
    for name in ("mse", "MeanAbsoluteError", "huber", "LogCosh"):
        made(Quantities(("value",)), NUMBERS, loss=name)


@pytest.mark.parametrize("classes", [2, 5])
def test_classification_metrics_are_those_of_scikit_learn(classes: int) -> None:
    random = np.random.default_rng(classes)
    labels, predicted = random.integers(0, classes, (2, 200))
    names = ["accuracy", "precision", "recall", "f1"]
    arguments: dict[str, Any] = {"average": "macro", "zero_division": 0}
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "precision": sklearn_metrics.precision_score(labels, predicted, **arguments),
        "recall": sklearn_metrics.recall_score(labels, predicted, **arguments),
        "f1": sklearn_metrics.f1_score(labels, predicted, **arguments),
    }

    assert classification.measure(names, labels, predicted, classes) == pytest.approx(expected)


def test_a_class_that_nobody_has_counts_in_the_mean_over_classes() -> None:
    right = np.array([0, 1, 0, 1])

    assert classification.measure(["recall"], right, right, 4) == {"recall": 0.5}
    assert classification.measure(["accuracy"], right, right, 4) == {"accuracy": 1.0}


def test_regression_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    targets = random.normal(size=(50, 2))
    predicted = targets + random.normal(size=(50, 2)) / 3
    expected = {
        "mae": sklearn_metrics.mean_absolute_error(targets, predicted),
        "rmse": sklearn_metrics.root_mean_squared_error(targets, predicted),
        "r2": sklearn_metrics.r2_score(targets, predicted),
    }

    assert regression.measure(["mae", "rmse", "r2"], targets, predicted) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 4])
def test_roc_auc_of_classes_is_that_of_scikit_learn(classes: int) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, 300)
    scores = random.normal(size=(300, classes)) + 2.0 * np.eye(classes)[labels]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    given = probabilities[:, 1] if classes == 2 else probabilities
    expected = sklearn_metrics.roc_auc_score(labels, given, multi_class="ovr")

    task = task_of(Classes(tuple("abcd"[:classes])), Training(), labels)
    found = task.evaluate(["accuracy", "roc_auc"], labels, probabilities.astype(np.float32))
    assert list(found) == ["accuracy", "roc_auc"]
    assert found["roc_auc"] == pytest.approx(expected, abs=1e-6)


def test_metrics_of_another_task_are_named() -> None:
    with pytest.raises(InvalidSpec, match="mae is no metric"):
        classification.check(["accuracy", "mae"])
    with pytest.raises(InvalidSpec, match=r"accuracy is no metric of a regression.*rmse"):
        regression.check(["accuracy"])
