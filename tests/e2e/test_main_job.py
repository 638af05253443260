"""The main job on a real node: from `kubectl apply` to an endpoint that answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.cluster import Cluster, wait_for
from tests.e2e.conftest import SYSTEM, Namespace, digits


def ask(url: str, body: object) -> dict[str, list[list[float]]]:
    """POST JSON to the endpoint."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, list[list[float]]] = json.load(response)
        return answer


def test_two_workers_train_and_a_compressed_model_answers(namespace: Namespace) -> None:
    namespace.apply(
        "digits",
        training={"epochs": 20, "batchSize": 64},
        evaluation={"gates": [{"metric": "accuracy", "minimum": 0.9}]},
        compression={},
        serving={},
    )
    status = namespace.wait_for_phase("digits", "Succeeded")
    assert status["evaluation"]["metrics"]["accuracy"] >= 0.9
    assert status["evaluation"]["gates"] == "Passed"
    assert status["restarts"] == {"program": 0, "infrastructure": 0}
    compression = status["compression"]
    assert compression["compressed"]["bytes"] < compression["original"]["bytes"]
    assert {c["name"] for c in compression["candidates"]} >= {"float16", "dynamic_range", "int8"}

    service = namespace.cluster.get("service", "digits", namespace.name)
    url = f"http://{service['spec']['clusterIP']}:8080/v1/models/digits:predict"
    data = load_digits()
    predictions = ask(url, {"instances": data.images[:200].tolist()})["predictions"]
    right = np.mean(np.argmax(predictions, axis=1) == data.target[:200])
    assert right >= 0.9

    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(url, {"instances": [[1.0, 2.0]]})
    assert refused.value.code == 400
    assert "8" in refused.value.read().decode()

    namespace.cluster.kubectl("delete", "tj", "digits", "-n", namespace.name)
    wait_for(
        "everything to be gone",
        lambda: not namespace.cluster.list("pods,services,deployments", namespace.name),
        60,
    )


def test_a_failing_gate_rolls_nothing_out(namespace: Namespace) -> None:
    gates = {"gates": [{"metric": "accuracy", "minimum": 0.999}]}
    namespace.apply("gated", training={"epochs": 1}, evaluation=gates, serving={})
    namespace.wait_for_phase("gated", "Failed")
    assert namespace.condition("gated", "Failed")["reason"] == "GateFailed"
    assert "below the minimum 0.999" in namespace.condition("gated", "Failed")["message"]
    assert namespace.cluster.list("deployments", namespace.name) == []


def test_a_wrong_spec_is_refused_by_the_api_server(namespace: Namespace) -> None:
    said = namespace.cluster.refusal(digits("wrong", training={"epochs": 0}), namespace.name)
    assert "spec.training.epochs" in said


def test_data_that_is_not_there_or_broken_is_told_and_not_retried(namespace: Namespace) -> None:
    (namespace.data / "broken").mkdir()
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        name = namespace.data / "broken" / f"{part}-ubyte"
        dimensions = 3 if "idx3" in part else 1
        header = bytes([0, 0, 8, dimensions]) + (1000).to_bytes(4, "big") * dimensions
        Path(name).write_bytes(header + b"\0" * 10)
    source = {"uri": "pvc://datasets/broken"}
    namespace.apply("broken", data={"source": source}, workers={"replicas": 1})
    namespace.wait_for_phase("broken", "Failed")
    failed = namespace.condition("broken", "Failed")
    assert failed["reason"] == "InvalidData"
    assert "spec.data.source.uri" in failed["message"]
    assert "idx1-ubyte is cut off" in failed["message"]
    absent = {"uri": "pvc://datasets/nowhere"}
    namespace.apply("absent", data={"source": absent}, workers={"replicas": 1})
    namespace.wait_for_phase("absent", "Failed")
    assert namespace.condition("absent", "Failed")["reason"] == "InvalidData"
    assert "nowhere" in namespace.condition("absent", "Failed")["message"]
    assert namespace.status("absent").get("restarts", {}).get("program", 0) == 0


def test_a_claim_that_does_not_exist_is_named_within_seconds(namespace: Namespace) -> None:
    namespace.apply("unclaimed", storage={"uri": "pvc://nobody"})
    wait_for(
        "the reason",
        lambda: namespace.condition("unclaimed", "Running").get("reason") == "ClaimNotFound",
    )
    message = namespace.condition("unclaimed", "Running")["message"]
    assert "claim nobody does not exist" in message
    assert "spec.storage.uri" in message


def test_an_image_that_cannot_be_pulled_is_named_within_seconds(namespace: Namespace) -> None:
    workers = {"replicas": 1, "image": f"{namespace.cluster.registry}/nobody/nothing:1"}
    namespace.apply("unpulled", workers=workers)

    def told() -> bool:
        reason = namespace.condition("unpulled", "Running").get("reason")
        return reason in ("ErrImagePull", "ImagePullBackOff")

    wait_for("the reason", told)
    assert "spec.workers.image" in namespace.condition("unpulled", "Running")["message"]


def test_the_operator_stays_small_and_is_never_forbidden_anything(cluster: Cluster) -> None:
    pod = cluster.list("pods", SYSTEM)[0]["metadata"]["name"]
    log = cluster.kubectl("logs", pod, "-n", SYSTEM)
    refused = [line for line in log.splitlines() if "orbidden" in line]
    assert [line for line in refused if "is being terminated" not in line] == []
    proc = cluster.kubectl("exec", pod, "-n", SYSTEM, "--", "cat", "/proc/1/status")
    resident = next(line for line in proc.splitlines() if line.startswith("VmRSS"))
    assert int(resident.split()[1]) < 120 * 1024
