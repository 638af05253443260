"""TFJobs as their users write them, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.unit.cli.tfjobs.build import POD, PROGRAM, converted, notes_of, replica, tfjob
from trainyard_api.documents import read_documents, write_document
from trainyard_api.problems import find_problems, parse_job
from trainyard_cli.convert import NotConvertible, convert
from trainyard_cli.errors import WrongInput
from trainyard_cli.main import app
from trainyard_operator.build.pods import build_workers
from trainyard_operator.settings import Settings

TFJOBS = Path(__file__).parent / "tfjobs"
CONVERTED = TFJOBS / "converted"
NAMES = sorted(path.stem for path in TFJOBS.glob("*.yaml"))
RUNS = [name for name in NAMES if (CONVERTED / f"{name}.yaml").exists()]
REFUSED = [name for name in NAMES if name not in RUNS]


@pytest.mark.parametrize("name", RUNS)
def test_what_comes_out_stands_beside(name: str) -> None:
    result = convert((TFJOBS / f"{name}.yaml").read_text())
    assert write_document(result.job) == (CONVERTED / f"{name}.yaml").read_text()
    notes = (CONVERTED / f"{name}.notes").read_text()
    assert "".join(f"{note}\n" for note in result.notes) == notes


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_job_stands_for_is_refused(name: str) -> None:
    with pytest.raises(NotConvertible) as refused:
        convert((TFJOBS / f"{name}.yaml").read_text())
    assert f"{refused.value}\n" == (CONVERTED / f"{name}.refused").read_text()


@pytest.mark.parametrize("name", RUNS)
def test_what_comes_out_can_be_run_and_its_pods_hold_together(name: str) -> None:
    job = parse_job((CONVERTED / f"{name}.yaml").read_text())
    assert find_problems(job) == []
    (pod,) = build_workers(job, "1-abcdef", 1, [0], Settings())
    volumes = [volume["name"] for volume in pod["spec"]["volumes"]]
    assert len(set(volumes)) == len(volumes)
    for each in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
        mounts = each.get("volumeMounts", [])
        assert {mount["name"] for mount in mounts} <= set(volumes)
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts)
    assert pod["spec"]["containers"][0]["command"] == job.spec.workers.command


def test_roles_are_known_in_any_case() -> None:
    job = converted(tfjob(chief=replica(), WORKER=replica(3))).job
    assert job["spec"]["workers"]["replicas"] == 4


def test_a_chief_alone_is_a_gang_of_one() -> None:
    job = converted(tfjob(Master=replica())).job
    assert job["spec"]["workers"] == {
        "replicas": 1,
        "image": "mine:1",
        "command": ["python", "train.py"],
    }


def test_more_workers_than_a_batch_of_ours_has_rows_are_no_problem() -> None:
    assert converted(tfjob(Worker=replica(500))).job["spec"]["workers"]["replicas"] == 500


@pytest.mark.parametrize(
    ("policy", "limit"), [("Never", 0), ("OnFailure", None), ("Always", None), ("ExitCode", None)]
)
def test_how_it_restarts_is_told(policy: str, limit: int | None) -> None:
    document = tfjob(Worker={**replica(), "restartPolicy": policy})
    assert converted(document).job["spec"].get("runPolicy", {}).get("backoffLimit") == limit
    assert "backoffLimit" in notes_of(document)["spec.tfReplicaSpecs.Worker.restartPolicy"]


def test_a_user_that_is_not_root_stays() -> None:
    document = tfjob(Worker=replica(securityContext={"runAsUser": 1000}))
    template = converted(document).job["spec"]["workers"]["template"]
    assert template["spec"]["securityContext"] == {"runAsUser": 1000}


def test_fields_of_the_pod_go_where_trainyard_has_them() -> None:
    pod: dict[str, Any] = {
        "hostNetwork": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "schedulerName": "volcano",
        "priorityClassName": "high",
        "terminationGracePeriodSeconds": 60,
        "restartPolicy": "Always",
    }
    spec = converted(tfjob(Worker=replica(**pod))).job["spec"]
    assert spec["workers"]["hostNetwork"] is True
    assert spec["workers"]["terminationGracePeriodSeconds"] == 60
    assert spec["workers"]["template"] == {"spec": {"dnsPolicy": "ClusterFirstWithHostNet"}}
    assert spec["runPolicy"] == {"schedulerName": "volcano", "priorityClassName": "high"}


def test_ports_that_are_trainyards_own_are_left_out() -> None:
    ports = [
        {"name": "tfjob-port", "containerPort": 2222},
        {"name": "http", "containerPort": 8000},
        {"name": "debug", "containerPort": 5678},
    ]
    document = tfjob(Worker=replica(own={"ports": ports}))
    (trainer,) = converted(document).job["spec"]["workers"]["template"]["spec"]["containers"]
    assert trainer["ports"] == ports[2:]
    assert [field for field in notes_of(document) if "ports" in field] == [f"{PROGRAM}.ports[http]"]


def test_a_scratch_folder_at_tmp_is_there_anyway() -> None:
    pod = replica(
        own={"volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}]},
        volumes=[{"name": "scratch", "emptyDir": {}}],
    )
    assert "template" not in converted(tfjob(Worker=pod)).job["spec"]["workers"]
    assert f"{PROGRAM}.volumeMounts[/tmp]" in notes_of(tfjob(Worker=pod))


def test_every_refused_field_of_a_pod_is_left_out_and_the_rest_stays() -> None:
    pod = replica(
        own={
            "securityContext": {"privileged": True, "runAsUser": 0},
            "terminationMessagePath": "/x",
            "env": [{"name": "A", "value": "1"}, {"name": "TF_CONFIG", "value": "{}"}],
        },
        hostPID=True,
        subdomain="mine",
        activeDeadlineSeconds=5,
        automountServiceAccountToken=True,
        securityContext={"runAsNonRoot": False, "sysctls": [{"name": "kernel.msgmax"}]},
    )
    pod["template"]["metadata"] = {"labels": {"trainyard.dev/job": "x", "team": "a"}}
    workers = converted(tfjob(Worker=pod)).job["spec"]["workers"]
    assert workers["template"] == {
        "metadata": {"labels": {"team": "a"}},
        "spec": {"containers": [{"name": "trainer", "env": [{"name": "A", "value": "1"}]}]},
    }
    left_out = [field for field, text in notes_of(tfjob(Worker=pod)).items() if "left out" in text]
    assert len(left_out) == 11
    assert "cannot be true" in notes_of(tfjob(Worker=pod))[f"{POD}.hostPID"]


@pytest.mark.parametrize("text", ["1e3", "y", "no", "0x10", "null", "2026-01-01", "1_000", "ä: b"])
def test_texts_stay_texts(text: str) -> None:
    document = {"a": text, "b": [text]}
    assert read_documents(write_document(document)) == [document]
    assert f"a: {text}\n" not in write_document(document)


def test_the_job_goes_to_standard_output_or_a_file_and_notes_to_standard_error(
    tmp_path: Path,
) -> None:
    source, target = TFJOBS / "estimator.yaml", tmp_path / "job.yaml"
    shown = CliRunner().invoke(app, ["convert", str(source)])
    assert shown.exit_code == 0
    assert shown.stdout == (CONVERTED / "estimator.yaml").read_text()
    assert shown.stderr == (CONVERTED / "estimator.notes").read_text()
    written = CliRunner().invoke(app, ["convert", str(source), "--output", str(target)])
    assert (written.exit_code, written.stdout) == (0, "")
    assert target.read_text() == shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([str(TFJOBS / "dist-mnist.yaml")], "spec.tfReplicaSpecs.PS: parameter servers"),
        (["none.yaml"], "none.yaml: No such file"),
        ([str(TFJOBS / "estimator.yaml"), "--output", "/none/job.yaml"], "--output /none/job.yaml"),
    ],
)
def test_what_cannot_be_done_is_wrong_input(arguments: list[str], said: str) -> None:
    ended = CliRunner().invoke(app, ["convert", *arguments])
    assert isinstance(ended.exception, WrongInput)
    assert said in str(ended.exception)
