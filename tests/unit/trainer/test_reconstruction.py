"""Rows that are rebuilt: what is learned from, how it is judged, and which rows are anomalies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as sklearn_metrics

from tests.unit.trainer.families_tasks import CANCER, DENSE, DIGITS, REBUILD, VAE, Family, Job
from trainyard_api.problems import find_problems, parse_job_object
from trainyard_api.spec import Data, Model, TrainingJobSpec
from trainyard_trainer.compress.agreement import Agreement
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.schema import Column, Schema
from trainyard_trainer.data.target import Rebuilding
from trainyard_trainer.errors import InvalidData, InvalidSpec
from trainyard_trainer.evaluation import ranking
from trainyard_trainer.models import building
from trainyard_trainer.tasks.reconstruction import Reconstruction
from trainyard_trainer.training.fit.graph import Measurer
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.objectives.objective import Supervised


def table(path: Path, labels: list[str]) -> Path:
    lines = ["a,b,label", *(f"{row}.5,{row % 7},{label}" for row, label in enumerate(labels))]
    path.write_text("\n".join(lines))
    return path


def loaded(path: Path, label: str | None) -> Dataset:
    source = {"uri": f"file://{path}", "label": label}
    return load(Data.model_validate({"source": source} | REBUILD), {})


@pytest.mark.parametrize("kind", ["anomaly", "1", "true"])
def test_the_rarer_of_two_labels_is_the_anomaly_and_not_learned_from(
    kind: str, tmp_path: Path
) -> None:
    normal = {"anomaly": "fine", "1": "0", "true": "false"}[kind]
    found = loaded(table(tmp_path / "t.csv", [normal, normal, normal, kind] * 20), "label")

    assert found.schema.target == Rebuilding((normal, kind))
    assert found.train.targets.max() == found.validation.targets.max() == 0
    assert found.test.targets.sum() == 2, "a share of them stays, to be told from the others"
    spread = found.schema.columns[0].spread
    assert spread is not None
    assert spread.mean == pytest.approx(found.train.features()[:, 0].mean()), "of normal rows alone"


def test_a_table_needs_no_label(tmp_path: Path) -> None:
    found = loaded(table(tmp_path / "t.csv", ["fine"] * 80), None)
    assert found.schema.target == Rebuilding()
    assert [column.name for column in found.schema.columns] == ["a", "b", "label"]
    assert (len(found.train), len(found.validation), len(found.test)) == (64, 8, 8)


def test_a_named_label_of_many_values_is_refused(tmp_path: Path) -> None:
    for labels in (["x", "y", "z"] * 20, ["1", "2", "3"] * 20):
        with pytest.raises(InvalidData, match=r"source\.label: .*3 different values.*by two"):
            loaded(table(tmp_path / "t.csv", labels), "label")


def test_labels_that_come_with_the_rows_are_left_aside_and_it_is_said(tmp_path: Path) -> None:
    digits = load(Data.model_validate({**DIGITS, **REBUILD}), {})
    assert digits.schema.target == Rebuilding()
    assert any("labels (10 values) are not used" in note for note in digits.notes)
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).normal(size=(50, 3)))
    source = {"uri": f"file://{tmp_path}/rows.npz"}
    alone = load(Data.model_validate({"source": source} | REBUILD), {})
    assert alone.schema.target == Rebuilding()
    with pytest.raises(InvalidData, match="x_train, y_train"):
        load(Data.model_validate({"source": source}), {})


def test_the_loss_of_a_vae_is_the_negative_evidence_lower_bound() -> None:
    schema = Schema((2,), Rebuilding())
    spec = Model.model_validate(VAE | {"vae": {"latentDimensions": 1, "beta": 0.5}})
    task, random = Reconstruction(spec, schema), np.random.default_rng(0)
    outputs = random.normal(size=(5, 8)).astype(np.float32)
    rows, means, variances, mean, log_variance = np.split(outputs, [2, 4, 6, 7], axis=1)
    likely = norm.logpdf(rows, means, np.exp(0.5 * variances)).sum(axis=1)
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(axis=1)

    np.testing.assert_allclose(task.losses(None, outputs), 0.5 * kl - likely, rtol=1e-4)
    error, bound, divergence = task.measure(None, outputs)
    np.testing.assert_allclose(error, np.square(rows - means).mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(bound, likely - kl, rtol=1e-4)
    np.testing.assert_allclose(divergence, kl, rtol=1e-4)


def test_scores_are_ranked_as_scikit_learn_ranks_them() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 300).astype(bool)
    scores = (truth + random.normal(size=300)).round(1)

    assert ranking.roc_auc(truth, scores) == pytest.approx(
        sklearn_metrics.roc_auc_score(truth, scores)
    )
    assert ranking.average_precision(truth, scores) == pytest.approx(
        sklearn_metrics.average_precision_score(truth, scores)
    )
    assert ranking.roc_auc(np.ones(3, bool), scores[:3]) is None
    assert ranking.average_precision(np.zeros(3, bool), scores[:3]) == 0.0


def test_rebuilt_rows_are_measured_on_normal_rows_and_anomalies_on_all() -> None:
    task = Reconstruction(Model.model_validate(DENSE), Schema((2,), Rebuilding(("ok", "bad"))))
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [9.0, 9.0]], np.float32)
    decoded = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]], np.float32)
    outputs = np.concatenate([rows, decoded, np.zeros((3, 6), np.float32)], axis=1)
    names = ["reconstruction_error", "r2", "roc_auc", "average_precision"]
    found = task.evaluate(names, np.array([0, 0, 1]), outputs)

    assert found == pytest.approx(
        {"reconstruction_error": 0.25, "r2": 0.0, "roc_auc": 1.0, "average_precision": 1.0}
    )
    assert found["r2"] == pytest.approx(
        sklearn_metrics.r2_score(rows[:2], decoded[:2], multioutput="variance_weighted")
    )


@pytest.mark.parametrize(
    ("model", "auc"),
    [
        ({**VAE, "output": "anomaly_score"}, 0.9),
        ({**DENSE, "dense": {"units": [16, 4]}, "output": "anomaly_score"}, 0.85),
    ],
    ids=["vae", "dense"],
)
def test_tumours_are_found_by_a_model_that_has_seen_benign_ones_alone(
    model: dict[str, Any], auc: float, tmp_path: Path
) -> None:
    data = {**CANCER, **REBUILD, "split": {"test": 0.3}}
    job = Job.of(Family("cancer", data, model).spec(tmp_path, epochs=60, batchSize=32))
    assert job.dataset.schema.target == Rebuilding(("1", "0")), "malignant ones are the rarer"
    fitted = job.fitted()
    objective = Supervised(job.task)
    outputs = Measurer(Gang.alone(), fitted.model, objective, job.dataset.test).predict()
    kept = Measurer(Gang.alone(), fitted.model, objective, job.dataset.validation).predict()

    found = job.task.evaluate(["roc_auc", "average_precision"], job.dataset.test.targets, outputs)
    assert found["roc_auc"] > auc
    threshold = job.task.threshold(kept)
    assert threshold is not None
    assert np.mean(job.task.answers(kept) <= threshold) >= 0.97


def test_the_evidence_lower_bound_of_digits_rises_with_every_few_epochs(tmp_path: Path) -> None:
    bounds = []
    for epochs in (1, 4, 16):
        job = Job.of(Family("digits", DIGITS, VAE).spec(tmp_path, epochs=epochs))
        part = job.dataset.test
        measured = Measurer(Gang.alone(), job.fitted().model, Supervised(job.task), part).measure()
        bounds.append(job.task.progress(measured.means)["elbo"])
    assert bounds == sorted(bounds)
    assert bounds[-1] > bounds[0] + 10.0


def spec_of(data: dict[str, Any], model: dict[str, Any], **more: Any) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate({"data": data, "model": model} | more)


ROWS_OF_DIGITS = Schema((8, 8, 1), Rebuilding())


@pytest.mark.parametrize(
    ("model", "schema", "said"),
    [
        (
            {"architecture": "dense", "dense": {"units": []}},
            ROWS_OF_DIGITS,
            "dense.units.*name one",
        ),
        (
            {"architecture": "dense", "dense": {"units": [8, 32]}},
            ROWS_OF_DIGITS,
            "units.*down to the narrowest",
        ),
        (
            {"architecture": "dense", "dense": {"units": [64]}},
            ROWS_OF_DIGITS,
            "units: 64 latent numbers.*smaller than 64",
        ),
        ({"architecture": "cnn"}, Schema((9, 8, 1), Rebuilding()), "cnn.filters.*use at most 0"),
        ({"architecture": "cnn"}, Schema((8,), Rebuilding()), "architecture: cnn needs images"),
        (
            {"architecture": "rnn"},
            ROWS_OF_DIGITS,
            "architecture: rnn cannot rebuild.*dense, cnn, vae",
        ),
        (
            {"architecture": "vae"},
            Schema((5,), Rebuilding(), (Column("words", "text", 0, width=5),)),
            r"task: reconstruction cannot rebuild texts \(words\)",
        ),
    ],
)
def test_models_that_cannot_rebuild_rows_are_refused_with_the_cure(
    model: dict[str, Any], schema: Schema, said: str
) -> None:
    with pytest.raises(InvalidSpec, match=f"spec.*{said}"):
        building.check(Model.model_validate(model), schema)


@pytest.mark.parametrize(
    ("training", "metrics", "said"),
    [
        ({"classWeights": "balanced"}, [], r"training\.classWeights: balanced needs classes"),
        ({"loss": "huber"}, [], r"training\.loss: huber does not fit reconstruction"),
        ({}, ["accuracy"], r"metrics: accuracy is no metric.*reconstruction_error, r2"),
        ({}, ["elbo"], r"metrics: elbo is measured of .*vae alone"),
        ({}, ["roc_auc"], r"metrics: roc_auc is measured where a label with two values"),
    ],
)
def test_what_a_reconstruction_does_not_have_is_named(
    training: dict[str, Any], metrics: list[str], said: str
) -> None:
    spec = spec_of({**DIGITS, **REBUILD}, DENSE, training=training)
    with pytest.raises(InvalidSpec, match=said):
        Reconstruction(spec.model, ROWS_OF_DIGITS).check(spec.training, metrics)


@pytest.mark.parametrize(
    ("data", "model", "field"),
    [
        ({"task": "classification"}, {"architecture": "vae"}, "spec.data.task"),
        (REBUILD, {"architecture": "rnn"}, "spec.model.architecture"),
        ({}, {"architecture": "dense", "output": "encoder"}, "spec.model.output"),
    ],
)
def test_tasks_that_do_not_fit_the_model_are_seen_before_anything_is_read(
    data: dict[str, Any], model: dict[str, Any], field: str
) -> None:
    job = parse_job_object(
        {
            "apiVersion": "trainyard.dev/v1alpha1",
            "kind": "TrainingJob",
            "metadata": {"name": "job"},
            "spec": {"data": {"source": {"uri": "sklearn://digits"}} | data, "model": model},
        }
    )
    assert field in [problem.field for problem in find_problems(job)]


def test_a_vae_rebuilds_rows_where_the_spec_names_no_task() -> None:
    assert spec_of(dict(DIGITS), VAE).learned_data.task == "reconstruction"
    assert spec_of(dict(DIGITS), DENSE).learned_data.task is None


def test_agreement_is_the_share_of_the_originals_variance_that_is_kept() -> None:
    original = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    judge = Agreement(original)
    assert judge.evaluate(["agreement"], original, original) == {"agreement": 1.0}
    worse = judge.evaluate(["agreement"], original, original + np.float32(0.1))["agreement"]
    assert worse == pytest.approx(
        sklearn_metrics.r2_score(
            original, original + np.float32(0.1), multioutput="variance_weighted"
        )
    )
