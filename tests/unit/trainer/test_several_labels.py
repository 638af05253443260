"""Rows with several labels each: how labels come, what is learned of them, how it is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from tests.unit.trainer.families_tasks import Family, Job, labels_of_digits
from trainyard_api.spec import Data, Training
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.labels import Labels, read_labels
from trainyard_trainer.data.target import Classes, Quantities, SeveralLabels
from trainyard_trainer.errors import InvalidData, InvalidSpec
from trainyard_trainer.evaluation import multi_label
from trainyard_trainer.tasks import task_of
from trainyard_trainer.tasks.multi_label import label_weights

ROWS = 40


def read(values: Any, task: Any = None) -> Any:
    return read_labels("spec.data.source.label", task, [Labels(np.array(values), "rows")])


def csv(path: Path, header: str, cells: list[str]) -> Path:
    lines = [f"x,{header}", *(f"{place},{cell}" for place, cell in enumerate(cells))]
    path.write_text("\n".join(lines))
    return path


def loaded(path: Path, label: Any, **data: Any) -> Dataset:
    source = {"uri": f"file://{path}", "label": label, "columns": {"x": "number"}}
    return load(Data.model_validate({"source": source} | data), {})


def held(dataset: Dataset) -> dict[int, list[str]]:
    """The labels of each row of all parts, by what `x` holds."""
    return {
        int(rows.features[place, 0]): [
            name
            for name, has in zip(dataset.schema.target.names, rows.targets[place], strict=True)
            if has
        ]
        for part in (dataset.train, dataset.validation, dataset.test)
        for rows in part.pieces()
        for place in range(len(rows))
    }


@pytest.mark.parametrize(
    "cells",
    [
        ["a;b", "b", "a", "a; b ;c", "c"],
        ['"[""a"", ""b""]"', '"[""b""]"', '"[""a""]"', '"[""a"", ""b"", ""c""]"', '"[""c""]"'],
    ],
    ids=["separated", "json"],
)
def test_lists_in_cells_are_several_labels(cells: list[str], tmp_path: Path) -> None:
    found = loaded(csv(tmp_path / "t.csv", "tags", cells * 8), "tags")

    assert found.schema.target == SeveralLabels(("a", "b", "c"))
    expected = [["a", "b"], ["b"], ["a"], ["a", "b", "c"], ["c"]]
    assert held(found) == {row: expected[row % 5] for row in range(ROWS)}
    assert any(note.startswith("task multi_label: ") for note in found.notes)


def test_lists_of_parquet_are_several_labels_also_without_any(tmp_path: Path) -> None:
    tags = [["a", "b"], [], ["b"], ["a"]] * 10
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.arange(ROWS, dtype=float), "tags": tags}), path)
    found = loaded(path, "tags")

    assert found.schema.target == SeveralLabels(("a", "b"))
    assert held(found) == dict(enumerate(tags))


def test_columns_of_0_and_1_are_labels_by_their_names(tmp_path: Path) -> None:
    cells = ["1,0,1", "1,1,0", "0,0,0", "0,1,1"] * 10
    found = loaded(csv(tmp_path / "t.csv", "red,round,sweet", cells), ["red", "round", "sweet"])

    assert found.schema.target == SeveralLabels(("red", "round", "sweet"))
    assert [column.name for column in found.schema.columns] == ["x"]
    assert held(found)[1] == ["red", "round"]
    assert held(found)[2] == []


def test_columns_of_numbers_are_a_regression_of_several_numbers(tmp_path: Path) -> None:
    cells = [f"{row / 3},{row}" for row in range(ROWS)]
    found = loaded(csv(tmp_path / "t.csv", "a,b", cells), ["a", "b"])

    assert found.schema.target == Quantities(("a", "b"))
    np.testing.assert_allclose(found.train.targets[:, 1], found.train.features()[:, 0])


def test_columns_of_which_one_is_1_are_classes_by_their_names(tmp_path: Path) -> None:
    found = loaded(csv(tmp_path / "t.csv", "cat,dog", ["1,0", "0,1"] * 20), ["cat", "dog"])
    assert found.schema.target == Classes(("cat", "dog"))


def test_a_separator_in_names_of_classes_makes_no_lists() -> None:
    assert isinstance(read(["R;D", "sales", "R;D", "sales"]).target, Classes)
    assert read(["R;D", "sales"], "multi_label").target == SeveralLabels(("D", "R", "sales"))


def test_rows_of_0_and_1_are_several_labels_unless_each_has_a_single_1() -> None:
    assert read([[1, 1, 0], [0, 0, 0]]).target == SeveralLabels(("0", "1", "2"))
    assert read([[1, 0], [0, 1]]).target == Classes(("0", "1"))
    assert read([[1, 0], [0, 1]], "multi_label").target == SeveralLabels(("0", "1"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["[1, 2", "[1]"], r"'\[1, 2' is no list.*\"a;b\""),
        (['[["a"]]', "[]"], "is no list"),
        ([1, 2, 3], "no 0 and 1 for each"),
        ([[0.5, 1.0], [1.0, 0.0]], "no 0 and 1 for each"),
        (["a", "a"], "the label a alone.*task: classification"),
    ],
)
def test_labels_that_are_no_lists_are_refused_with_the_cure(values: Any, said: str) -> None:
    with pytest.raises(InvalidData, match=f"source.label: rows: .*{said}"):
        read(values, "multi_label")


def test_a_column_of_texts_among_several_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", "red,kind", ["1,apple", "0,plum"] * 20)
    with pytest.raises(InvalidData, match=r"source\.label: .*column kind holds texts"):
        loaded(path, ["red", "kind"])


@pytest.mark.parametrize(
    ("task", "cells", "said"),
    [
        ("regression", ["ham", "spam"], "'ham' is no number; mend it; .*task: classification"),
        ("regression", ["a;b", "a"], "'a;b' is no number"),
        ("classification", ["0.5", "1.25"], "classes are whole numbers.*task: regression"),
        ("multi_label", ['"[1, 2"', "[]"], "is no list; write a list such as"),
    ],
)
def test_a_task_that_does_not_fit_the_labels_of_a_table_is_refused_with_the_cure(
    task: str, cells: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidData, match=said):
        loaded(csv(tmp_path / "t.csv", "label", cells * 20), "label", task=task)


def test_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, (200, 4))
    probabilities = np.clip(truth * 0.3 + random.uniform(0, 0.8, truth.shape), 0, 1)
    probabilities = probabilities.round(2)
    told = probabilities >= 0.5
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(truth, told),
        "hamming_loss": sklearn_metrics.hamming_loss(truth, told),
        "roc_auc": sklearn_metrics.roc_auc_score(truth, probabilities, average="macro"),
    }
    for name in ("precision", "recall", "f1"):
        score = getattr(sklearn_metrics, f"{name}_score")
        expected[name] = score(truth, told, average="macro")
        expected[f"{name}_micro"] = score(truth, told, average="micro")

    assert multi_label.measure(list(expected), truth, probabilities) == pytest.approx(expected)


def test_a_label_that_nobody_has_or_gets_counts_as_0() -> None:
    truth = np.array([[1, 0], [1, 0]])
    found = multi_label.measure(["precision", "recall", "f1"], truth, truth.astype(float))
    assert found == {"precision": 0.5, "recall": 0.5, "f1": 0.5}


def test_balanced_labels_weigh_by_how_rare_they_are() -> None:
    targets = np.array([[1, 1], [0, 1], [0, 1], [0, 1]], np.float32)
    absent, present = label_weights(targets)

    np.testing.assert_allclose(absent, [2 / 3, 1.0])
    np.testing.assert_allclose(present, [2.0, 1.0])
    outputs = tf.constant([[0.2, 0.9]] * 4)
    plain, balanced = (
        task_of(SeveralLabels(("a", "b")), Training(classWeights=each), targets).losses(
            tf.constant(targets), outputs
        )
        for each in ("none", "balanced")
    )
    each = -np.log([[0.2, 0.9], [0.8, 0.9]])
    np.testing.assert_allclose(plain[:2], each.mean(axis=1), rtol=1e-5)
    weighed = (each * [[2.0, 1.0], [2 / 3, 1.0]]).mean(axis=1)
    np.testing.assert_allclose(balanced[:2], weighed, rtol=1e-5)


@pytest.mark.parametrize(
    ("training", "metrics", "said"),
    [
        ({"loss": "huber"}, [], r"training\.loss: huber.*binary_crossentropy"),
        ({}, ["rmse"], r"evaluation\.metrics: rmse .*hamming_loss"),
    ],
)
def test_what_several_labels_do_not_have_is_named(
    training: dict[str, Any], metrics: list[str], said: str
) -> None:
    spec = Training.model_validate(training)
    with pytest.raises(InvalidSpec, match=said):
        task_of(SeveralLabels(("a", "b")), spec, np.eye(2)).check(spec, metrics)


def test_labels_of_digits_are_learned(tmp_path: Path) -> None:
    job = Job.of(Family("labels", "labels", {"architecture": "dense"}).spec(tmp_path, epochs=6))
    fitted = job.fitted()
    answers = np.asarray(fitted.model(job.dataset.test.features().astype(np.float32)))
    found = job.task.evaluate(["f1", "accuracy"], job.dataset.test.targets, answers)

    assert labels_of_digits().sum(axis=1).max() == 2
    assert found["f1"] > 0.9
    assert found["accuracy"] > 0.85
