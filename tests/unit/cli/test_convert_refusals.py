"""What cannot be converted is told with its field and the cure."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.unit.cli.tfjobs.build import POD, PROGRAM, converted, replica, tfjob
from trainyard_cli.convert import NotConvertible, convert


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "file: is not YAML"),
        ("", "kind: holds no TFJob (but nothing)"),
        ("- a", "file: holds a list"),
        (
            yaml.safe_dump({**tfjob(), "kind": "PyTorchJob"}),
            "kind: holds no TFJob (but PyTorchJob)",
        ),
        (
            yaml.safe_dump({**tfjob(), "apiVersion": "kubeflow.org/v1beta2"}),
            "apiVersion: is kubeflow.org/v1beta2; only kubeflow.org/v1 is known",
        ),
        (yaml.safe_dump_all([tfjob("a"), tfjob("b")]), "file: has 2 TFJobs (a, b)"),
    ],
)
def test_a_file_without_one_tfjob_says_what_it_holds(text: str, said: str) -> None:
    with pytest.raises(NotConvertible) as refused:
        convert(text)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("document", "field", "said"),
    [
        (tfjob(spec={"cleanPodPolicy": "All"}), "spec.cleanPodPolicy", "spec.runPolicy.cleanPod"),
        (tfjob(spec={"runPolicyy": {}}), "spec.runPolicyy", "did you mean runPolicy?"),
        (
            tfjob(spec={"runPolicy": {"backofLimit": 1}}),
            "spec.runPolicy.backofLimit",
            "did you mean backoffLimit?",
        ),
        (
            tfjob(spec={"runPolicy": {"schedulingPolicy": {"que": "a"}}}),
            "spec.runPolicy.schedulingPolicy.que",
            "did you mean queue?",
        ),
        (tfjob(Worker={**replica(), "x": 1}), "spec.tfReplicaSpecs.Worker.x", "known here"),
        (tfjob(Workers=replica()), "spec.tfReplicaSpecs.Workers", "known are Chief, Master"),
        (tfjob(Worker=replica(), worker=replica()), "spec.tfReplicaSpecs.worker", "keep one"),
        (tfjob(Worker={"replicas": 1}), "spec.tfReplicaSpecs.Worker.template", "is required"),
        (
            tfjob(Worker={**replica(), "replicas": "2"}),
            "spec.tfReplicaSpecs.Worker.replicas",
            "valid integer, not '2'",
        ),
        (tfjob(Worker=replica(0)), "spec.tfReplicaSpecs.Worker.replicas", "at least 1"),
        (
            tfjob(Chief=replica(2), Worker=replica()),
            "spec.tfReplicaSpecs.Chief.replicas",
            "one chief",
        ),
        (
            tfjob(Chief=replica(), Master=replica()),
            "spec.tfReplicaSpecs.Master",
            "keep Chief or Master",
        ),
        (tfjob(Evaluator=replica()), "spec.tfReplicaSpecs", "neither Worker nor Chief"),
        (tfjob(PS=replica(), Worker=replica()), "spec.tfReplicaSpecs.PS", "Take PS out"),
        (
            tfjob(Worker=replica(own={"name": "pytorch"})),
            f"{POD}.containers",
            "none is named tensorflow, as the program's has to be; there is pytorch",
        ),
        (tfjob(Worker=replica(nodeSelectr={})), f"{POD}.nodeSelectr", "did you mean nodeSelector?"),
        (
            tfjob(Worker=replica(own={"comand": []})),
            f"{POD}.containers[0].comand",
            "did you mean command?",
        ),
        (
            tfjob(Worker=replica(own={"args": [1]})),
            f"{POD}.containers[0].args",
            "must be a list of texts",
        ),
        (tfjob(Worker=replica(own={"image": None})), f"{PROGRAM}.image", "is required"),
        (
            tfjob(Worker=replica(own={"command": None})),
            f"{PROGRAM}.command",
            "docker image inspect",
        ),
        (
            tfjob(Chief=replica(own={"image": "other:1"}), Worker=replica()),
            "spec.tfReplicaSpecs.Chief.template.spec.containers[tensorflow].image",
            "a gang runs one program",
        ),
        (
            tfjob(Chief=replica(own={"args": ["--chief"]}), Worker=replica()),
            "spec.tfReplicaSpecs.Chief.template.spec.containers[tensorflow].args",
            "let it tell by TF_CONFIG",
        ),
        (
            tfjob(
                Worker=replica(
                    own={"volumeMounts": [{"name": "out", "mountPath": "/tmp/"}]},
                    volumes=[{"name": "out", "persistentVolumeClaim": {"claimName": "out"}}],
                )
            ),
            f"{PROGRAM}.volumeMounts[/tmp]",
            "mount out elsewhere",
        ),
        (tfjob(Worker=replica(2000)), "spec.workers.replicas", "cannot be converted"),
        ({**tfjob(), "metadata": {"generateName": "mine-"}}, "metadata.name", "generateName"),
        ({**tfjob(), "metadata": {"name": "a", "labels": "x"}}, "metadata.labels", "not 'x'"),
        (tfjob(Worker=replica(volumes=[{"name": []}])), f"{POD}.volumes[0].name", "must be a text"),
        (tfjob(Worker=replica(tolerations={})), f"{POD}.tolerations", "must be a list"),
    ],
)
def test_wrong_input_names_the_field_and_the_cure(
    document: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(NotConvertible) as refused:
        converted(document)
    assert str(refused.value).startswith(f"{field}: ")
    assert said in str(refused.value)
