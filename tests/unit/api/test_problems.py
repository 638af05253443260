"""Bad input gets an answer that names the field and the cure."""

from __future__ import annotations

import json
from textwrap import dedent, indent

import pytest

from trainyard_api.problems import InvalidJob, find_problems, parse_job


def job(spec: str = "", name: str = "fashion", source: str = "keras://mnist") -> str:
    head = dedent(f"""\
        apiVersion: trainyard.dev/v1alpha1
        kind: TrainingJob
        metadata: {{name: {name}}}
        spec:
          data: {{source: {{uri: "{source}"}}}}
          model: {{architecture: dense}}
        """)
    return head + indent(dedent(spec), "  ")


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        (job("trainig: {epochs: 3}"), "spec.trainig", "did you mean training?"),
        (job("training: {batchsize: 3}"), "spec.training.batchsize", "did you mean batchSize?"),
        (job("training: {epochs: 0}"), "spec.training.epochs", "greater than or equal to 1"),
        (job("training: {epochs: many}"), "spec.training.epochs", "valid integer"),
        (job('training: {epochs: "5"}'), "spec.training.epochs", "valid integer"),
        (job("workers: {replicas: -1}"), "spec.workers.replicas", "greater than or equal to 1"),
        (
            job("workers: {terminationGracePeriodSeconds: 0}"),
            "spec.workers.terminationGracePeriodSeconds",
            "greater than or equal to 1",
        ),
        (job("training: {stepsPerExecution: -3}"), "spec.training.stepsPerExecution", "'auto'"),
        (job("code: {uri: file:///a.zip}"), "spec.code.sha256", "is required"),
        (
            job("code: {uri: ftp://a.zip, sha256: ab}"),
            "spec.code.uri",
            "A .zip or .tar.gz archive",
        ),
        (job("code: {uri: file:///a.zip, sha256: ab}"), "spec.code.sha256", "trainyard digest"),
        (
            job("training: {callbacks: [{entrypoint: models}]}"),
            "spec.training.callbacks.0.entrypoint",
            '"package.module:Name"',
        ),
        (job("compression: {techniques: [int7]}"), "spec.compression.techniques.0", "int8"),
        (job(source="mnist"), "spec.data.source.uri", "pvc://CLAIM/PATH"),
        (job(name="a" * 39), "metadata.name", "at most 38 characters"),
        (job(name="Fashion"), "metadata.name", "Lower-case letters"),
        (job("training: 5"), "spec.training", "a block with fields"),
        (
            job("training: {optimizer: {learningRate: .inf}}"),
            "spec.training.optimizer.learningRate",
            "finite",
        ),
        (
            job("training: {epochs: 1}\ntraining: {epochs: 2}"),
            "file",
            "training stands twice, again in line 8",
        ),
        ("[" * 5000, "file", "nested too deeply"),
        ("- a", "file", "it holds a list"),
        ("a: 1", "apiVersion, kind", "write apiVersion"),
    ],
)
def test_wrong_input_names_the_field_and_the_cure(text: str, field: str, cure: str) -> None:
    with pytest.raises(InvalidJob) as error:
        parse_job(text)
    problem = next(p for p in error.value.problems if p.field == field)
    assert cure in problem.message


@pytest.mark.parametrize("method", ["smote", "vae"])
def test_rows_of_rare_classes_are_made_by_either_method(method: str) -> None:
    generated = f'"keras://mnist"}}, generation: {{method: {method}}}'
    assert not find_problems(parse_job(job().replace('"keras://mnist"}', generated)))


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        (
            job("workers: {replicas: 8}\ntraining: {batchSize: 4}"),
            "spec.training.batchSize",
            "at least 8",
        ),
        (
            job("evaluation: {metrics: [accuracy], gates: [{metric: f1, minimum: 0.9}]}"),
            "spec.evaluation.gates[0].metric",
            "add it to spec.evaluation.metrics",
        ),
        (job("evaluation: {gates: [{metric: f1}]}"), "spec.evaluation.gates[0]", "set minimum"),
        (
            job("evaluation: {gates: [{metric: f1, minimum: 0.9, maximum: 0.1}]}"),
            "spec.evaluation.gates[0]",
            "nothing could pass",
        ),
        (job(source="file://tmp/data"), "spec.data.source.uri", "file:///PATH"),
        (job("search: {parameters: [{path: a.b, choices: [1]}]}"), "spec.search", "not built"),
        (
            job(f"code: {{uri: configmap://mine, sha256: {'a' * 64}}}"),
            "spec.code.uri",
            "configmap://NAME/KEY",
        ),
        (job("compression: {techniques: [int4]}"), "spec.compression.techniques", "int8"),
        (job("serving: {backend: kserve}"), "spec.serving.backend", "deployment"),
    ],
)
def test_what_no_schema_sees_is_found(text: str, field: str, cure: str) -> None:
    problem = next(p for p in find_problems(parse_job(text)) if p.field == field)
    assert cure in problem.message


def cleaned(cleaning: str) -> str:
    return job().replace('keras://mnist"}', f'keras://mnist"}}, cleaning: {{{cleaning}}}')


@pytest.mark.parametrize(
    ("cleaning", "field", "cure"),
    [
        ("missing: {strategy: constant}", "missing.fill", "required"),
        ("outliers: {method: isolation_forest, action: clip}", "outliers.action", "set it to drop"),
        ("outliers: {method: isolation_forest, threshold: 4}", "outliers.threshold", "to 0.6"),
    ],
)
def test_cleaning_that_fits_nothing_is_found(cleaning: str, field: str, cure: str) -> None:
    (problem,) = find_problems(parse_job(cleaned(cleaning)))
    assert problem.field == f"spec.data.cleaning.{field}"
    assert cure in problem.message


def windowed(data: str) -> str:
    head = '{source: {uri: "file:///a.csv", format: csv, label: y}, window: {length: 3}'
    return job().replace('{source: {uri: "keras://mnist"}}', f"{head}, {data}}}")


@pytest.mark.parametrize(
    ("data", "field", "cure"),
    [
        ("split: {groups: shop}", "spec.data.split.groups", "name the column that tells series"),
        ("task: reconstruction", "spec.data.window", "leave one of them out"),
        ("augmentation: [{layer: MixUp}]", "spec.data.augmentation", "leave it out"),
        ("generation: {method: smote}", "spec.data.generation", "leave it out"),
        ("cleaning: {outliers: {method: iqr}}", "spec.data.cleaning.outliers", "leave it out"),
        ("cleaning: {labelErrors: {}}", "spec.data.cleaning.labelErrors", "leave it out"),
    ],
)
def test_what_windows_cannot_have_is_found(data: str, field: str, cure: str) -> None:
    problems = {p.field: p.message for p in find_problems(parse_job(windowed(data)))}
    assert cure in problems[field]


def test_windows_go_with_tables_that_are_divided_by_time() -> None:
    text = windowed("split: {time: day}")
    assert not find_problems(parse_job(text))
    assert not find_problems(parse_job(text.replace("label: y", "label: y, features: [x, y]")))
    (wrong,) = find_problems(parse_job(text.replace("format: csv", "format: npz")))
    assert (wrong.field, "csv or parquet" in wrong.message) == ("spec.data.window", True)
    (wrong,) = find_problems(parse_job(text.replace("length: 3", "length: 3, series: day")))
    assert wrong.field == "spec.data.window.series"


@pytest.mark.parametrize(("field", "value"), [("length", 0), ("horizon", 0), ("stride", -1)])
def test_windows_are_counted_from_one(field: str, value: int) -> None:
    fields = json.dumps({"length": 3} | {field: value})
    with pytest.raises(InvalidJob, match=f"spec.data.window.{field}"):
        parse_job(windowed("split: {}").replace("{length: 3}", fields))


@pytest.mark.parametrize("method", ["zscore", "iqr", "isolation_forest"])
def test_methods_of_finding_outliers_need_nothing_else(method: str) -> None:
    assert find_problems(parse_job(cleaned(f"outliers: {{method: {method}}}"))) == []


def test_the_shortest_job_has_no_problems() -> None:
    assert find_problems(parse_job(job())) == []


def test_augmentation_is_built() -> None:
    layers = "augmentation: [{layer: RandomFlip, arguments: {mode: horizontal}}]"
    described = job().replace("data: {", "data: {" + layers + ", ")
    assert parse_job(described).spec.data.augmentation[0].layer == "RandomFlip"
    assert find_problems(parse_job(described)) == []


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_buckets_hold_data_and_store(scheme: str) -> None:
    storage = f"storage: {{uri: '{scheme}://bucket/runs', secretRef: {{name: keys}}}}"
    assert find_problems(parse_job(job(storage, source=f"{scheme}://bucket/x"))) == []


@pytest.mark.parametrize("text", ["", "a: [", "[]", "kind: Pod\napiVersion: v1", "---\n---\n"])
def test_what_is_no_job_is_refused(text: str) -> None:
    with pytest.raises(InvalidJob):
        parse_job(text)


def test_merge_keys_may_override() -> None:
    text = job("workers: {<<: {replicas: 1}, replicas: 2}")
    assert parse_job(text).spec.workers.replicas == 2


def test_two_jobs_in_one_file_are_refused() -> None:
    with pytest.raises(InvalidJob, match="one TrainingJob"):
        parse_job(job() + "---\n" + job())
