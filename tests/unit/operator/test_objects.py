"""What the operator builds, as the cluster will see it."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.operator.fake_cluster import ARTIFACT, SETTINGS, make_job
from trainyard_api.peers import can_be_inherited, tf_config_of
from trainyard_api.spec import TrainingJob, TrainingJobSpec
from trainyard_api.spec.shared import PodTemplate
from trainyard_api.status import Artifact, Artifacts
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.deployments import build_deployment
from trainyard_operator.build.networking import build_serving_service
from trainyard_operator.build.overlay import lay_over
from trainyard_operator.build.pods import build_compressor, build_workers

RUN = "1-5f3a9c"


def worker(job: TrainingJob, run: str, attempt: int, index: int) -> Manifest:
    [pod] = build_workers(job, run, attempt, [index], SETTINGS)
    return pod


def variables(pod: Manifest) -> dict[str, str]:
    return {e["name"]: e["value"] for e in pod["spec"]["containers"][0]["env"]}


def test_workers_know_each_other_by_stable_names() -> None:
    pod = worker(make_job(), RUN, 3, 1)
    config = json.loads(tf_config_of(variables(pod)))
    assert config == {
        "cluster": {
            "worker": [
                "fashion-5f3a9c-train-3-0.fashion-5f3a9c-train.default.svc:2222",
                "fashion-5f3a9c-train-3-1.fashion-5f3a9c-train.default.svc:2222",
            ]
        },
        "task": {"type": "worker", "index": 1},
    }
    assert pod["spec"]["hostname"] == pod["metadata"]["name"] == "fashion-5f3a9c-train-3-1"
    assert pod["spec"]["subdomain"] == "fashion-5f3a9c-train"


def test_the_spec_travels_whole() -> None:
    job = make_job(training={"epochs": 7})
    spec = variables(worker(job, RUN, 1, 0))["TRAINYARD_SPEC"]
    assert TrainingJobSpec.model_validate_json(spec) == job.spec


def test_claims_of_data_and_store_are_mounted_where_their_uris_mean() -> None:
    pod = worker(make_job(), RUN, 1, 0)
    container = pod["spec"]["containers"][0]
    mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
    claims = {
        v["name"]: v["persistentVolumeClaim"]["claimName"]
        for v in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in v
    }
    assert claims[mounts["/volumes/datasets"]] == "datasets"
    assert claims[mounts["/volumes/trainyard-artifacts"]] == "trainyard-artifacts"


def test_gpus_and_shared_memory_reach_the_container() -> None:
    workers = {"resources": {"limits": {"nvidia.com/gpu": 1}}, "sharedMemory": "1Gi"}
    pod = worker(make_job(workers=workers), RUN, 1, 0)
    container = pod["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 1}
    assert {"name": "shared-memory", "mountPath": "/dev/shm"} in container["volumeMounts"]


def test_pods_satisfy_restricted_pod_security_and_have_no_token() -> None:
    job = make_job(serving={})
    assert job.spec.serving is not None
    deployment = build_deployment(job, job.spec.serving, RUN, ARTIFACT, SETTINGS)
    specs = [
        worker(job, RUN, 1, 0)["spec"],
        build_compressor(job, RUN, 1, Artifacts(model=ARTIFACT), SETTINGS)["spec"],
        deployment["spec"]["template"]["spec"],
    ]
    for spec in specs:
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        container = spec["containers"][0]["securityContext"]
        assert container["allowPrivilegeEscalation"] is False
        assert container["capabilities"] == {"drop": ["ALL"]}


def test_the_compressor_is_told_the_model_and_the_rows_that_training_held_out() -> None:
    job = make_job()
    told = [
        {
            each["name"]: each["value"]
            for each in build_compressor(job, RUN, 1, artifacts, SETTINGS)["spec"]["containers"][0][
                "env"
            ]
            if "value" in each
        }
        for artifacts in (
            Artifacts(model=ARTIFACT, prepared=ARTIFACT),
            Artifacts(model=ARTIFACT),
        )
    ]

    assert told[0]["TRAINYARD_MODEL_URI"] == told[0]["TRAINYARD_PREPARED_URI"] == ARTIFACT.uri
    assert told[0]["TRAINYARD_PREPARED_SHA256"] == ARTIFACT.sha256
    assert "TRAINYARD_PREPARED_URI" not in told[1], "a program of one's own need not have any"


def test_the_template_is_laid_over_by_name_and_keeps_our_labels() -> None:
    template = {
        "metadata": {"labels": {"team": "vision", "trainyard.dev/job": "other"}},
        "spec": {
            "nodeSelector": {"pool": "gpu"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "containers": [
                {"name": "trainer", "env": [{"name": "EXTRA", "value": "1"}]},
                {"name": "sidecar", "image": "busybox"},
            ],
        },
    }
    pod = worker(make_job(workers={"template": template}), RUN, 1, 0)
    assert pod["metadata"]["labels"]["team"] == "vision"
    assert pod["metadata"]["labels"]["trainyard.dev/job"] == "fashion"
    assert pod["spec"]["nodeSelector"] == {"pool": "gpu"}
    assert [c["name"] for c in pod["spec"]["containers"]] == ["trainer", "sidecar"]
    assert variables(pod)["EXTRA"] == "1"
    assert "TRAINYARD_PEERS" in variables(pod)


def test_a_program_of_ones_own_replaces_the_trainer() -> None:
    workers = {"image": "me/mine:1", "command": ["python", "train.py"]}
    container = worker(make_job(workers=workers), RUN, 1, 0)["spec"]["containers"][0]
    assert container["image"] == "me/mine:1"
    assert container["command"] == ["python", "train.py"]
    assert "args" not in container


def test_the_endpoint_leads_to_one_run_only() -> None:
    service = build_serving_service(
        make_job(), "fashion", RUN, 8080, {"trainyard.dev/run": "5f3a9c"}
    )
    assert service["spec"]["selector"]["trainyard.dev/run"] == "5f3a9c"


def test_everything_is_owned_by_the_job() -> None:
    for manifest in (
        worker(make_job(), RUN, 1, 0),
        build_serving_service(make_job(), "fashion", RUN, 8080, {"trainyard.dev/run": "5f3a9c"}),
    ):
        owner = manifest["metadata"]["ownerReferences"][0]
        assert (owner["kind"], owner["uid"]) == ("TrainingJob", "u-1")


def test_a_container_without_a_name_is_left_to_the_api_server() -> None:
    pod = laid_over({"containers": [{"image": "busybox"}, {"name": {}, "image": "x"}, "y"]})
    others = pod["spec"]["containers"][1:]
    assert [c["image"] if isinstance(c, dict) else c for c in others] == ["busybox", "x", "y"]


def laid_over(spec: dict[str, Any]) -> Manifest:
    """A worker with a template that no check has seen."""
    return lay_over(worker(make_job(), RUN, 1, 0), PodTemplate(spec=spec))


def test_what_the_operator_steers_pods_by_stays_whatever_let_a_template_pass() -> None:
    owned = {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": True,
        "hostNetwork": True,
        "hostPID": True,
        "hostname": "mine",
        "subdomain": "mine",
        "activeDeadlineSeconds": 1,
    }
    assert laid_over(owned) == laid_over({})


def test_null_in_a_template_takes_nothing_away() -> None:
    nothing = {
        "securityContext": None,
        "containers": [{"name": "trainer", "securityContext": {"capabilities": None}}],
        "volumes": None,
    }
    assert laid_over(nothing) == laid_over({})


def test_containers_of_a_template_are_restricted_where_they_do_not_say_it() -> None:
    containers = [
        {"name": "sidecar", "image": "busybox"},
        {"name": "web", "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}},
    ]
    init = [{"name": "before", "securityContext": None}]
    pod = laid_over({"containers": containers, "initContainers": init})["spec"]
    for container in [*pod["containers"], *pod["initContainers"]]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"]["drop"] == ["ALL"]
    assert pod["containers"][2]["securityContext"]["capabilities"]["add"] == ["NET_BIND_SERVICE"]


def test_a_port_of_a_template_stands_beside_ours() -> None:
    job = make_job(
        serving={
            "template": {
                "spec": {
                    "containers": [
                        {"name": "serving", "ports": [{"name": "debug", "containerPort": 5678}]}
                    ]
                }
            }
        }
    )
    assert job.spec.serving is not None
    deployment = build_deployment(job, job.spec.serving, RUN, ARTIFACT, SETTINGS)
    ports = deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert [port["name"] for port in ports] == ["http", "debug"], "probes ask the port http"


def test_a_thousand_workers_carry_no_thousand_lists_of_themselves() -> None:
    job = make_job(workers={"replicas": 1000}, training={"batchSize": 1000})
    pods = build_workers(job, RUN, 1, range(1000), SETTINGS)
    assert max(len(json.dumps(pod)) for pod in pods) < 8000
    own = make_job(
        workers={"replicas": 1000, "command": ["python", "x.py"]}, training={"batchSize": 1000}
    )
    [pod] = build_workers(own, RUN, 1, [999], SETTINGS)
    for name, value in variables(pod).items():
        assert can_be_inherited(name, value)
    config = json.loads(tf_config_of(variables(pod)))
    assert len(config["cluster"]["worker"]) == 1000
    assert config["task"] == {"type": "worker", "index": 999}


def test_workers_get_the_time_to_save_that_the_spec_gives() -> None:
    pods = [
        worker(make_job(workers=workers), RUN, 1, 0)
        for workers in ({}, {"terminationGracePeriodSeconds": 600})
    ]
    assert [pod["spec"]["terminationGracePeriodSeconds"] for pod in pods] == [120, 600]


BUCKET = {"uri": "s3://artifacts/runs", "secretRef": {"name": "of-the-store"}}
STORED = Artifact(uri="s3://artifacts/runs/default/fashion/1-5f3a9c/x.tflite", sha256="a" * 64)


def data_of(secret: str | None) -> dict[str, Any]:
    reference = {} if secret is None else {"secretRef": {"name": secret}}
    return {"source": {"uri": "s3://sets/x", **reference}}


def secrets_of(container: Manifest) -> list[Manifest]:
    found: list[Manifest] = container.get("envFrom", [])
    return found


def test_secrets_reach_the_pods_that_read_and_no_volume_is_made() -> None:
    job = make_job(data=data_of("of-the-data"), storage=BUCKET)
    for pod in (
        worker(job, RUN, 1, 0),
        build_compressor(job, RUN, 1, Artifacts(model=STORED), SETTINGS),
    ):
        assert secrets_of(pod["spec"]["containers"][0]) == [
            {"secretRef": {"name": "of-the-store"}},
            {"secretRef": {"name": "of-the-data"}, "prefix": "TRAINYARD_DATA_"},
        ]
        assert not [v for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v]


def test_one_secret_for_both_is_taken_once_and_without_a_prefix() -> None:
    job = make_job(data=data_of("of-the-store"), storage=BUCKET)
    container = worker(job, RUN, 1, 0)["spec"]["containers"][0]
    assert secrets_of(container) == [{"secretRef": {"name": "of-the-store"}}]


def test_the_datas_secret_has_no_prefix_beside_a_store_on_a_volume() -> None:
    container = worker(make_job(data=data_of("keys")), RUN, 1, 0)["spec"]["containers"][0]
    assert secrets_of(container) == [{"secretRef": {"name": "keys"}}]


def test_variables_of_a_template_stand_beside_the_secrets() -> None:
    of_template = {"configMapRef": {"name": "mine"}}
    template = {"spec": {"containers": [{"name": "trainer", "envFrom": [of_template]}]}}
    job = make_job(data=data_of("keys"), workers={"template": template})
    container = worker(job, RUN, 1, 0)["spec"]["containers"][0]
    assert secrets_of(container) == [{"secretRef": {"name": "keys"}}, of_template]


def test_a_model_in_a_bucket_is_fetched_before_the_server_starts() -> None:
    job = make_job(serving={}, data=data_of("of-the-data"), storage=BUCKET)
    assert job.spec.serving is not None
    deployment = build_deployment(job, job.spec.serving, RUN, STORED, SETTINGS)
    spec = deployment["spec"]["template"]["spec"]
    [fetcher], [server] = spec["initContainers"], spec["containers"]

    assert fetcher["command"] == ["python", "-m", "trainyard_serving", "fetch"]
    assert fetcher["image"] == server["image"]
    assert secrets_of(fetcher) == [{"secretRef": {"name": "of-the-store"}}]
    assert fetcher["securityContext"] == server["securityContext"]
    told = {entry["name"]: entry["value"] for entry in fetcher["env"]}
    assert told["TRAINYARD_MODEL_URI"] == STORED.uri
    assert variables({"spec": spec})["TRAINYARD_MODEL_URI"] == (
        f"file://{told['TRAINYARD_MODEL_FILE']}"
    )
    assert not secrets_of(server), "the server has no credentials"
    assert {"name": "model", "emptyDir": {}} in spec["volumes"]
    assert {"name": "model", "mountPath": "/model", "readOnly": True} in server["volumeMounts"]


CODE = {"uri": "configmap://fashion-code-1/code.zip", "sha256": "1" * 64}


def test_a_config_map_with_own_code_is_mounted_in_all_pods_that_compute() -> None:
    job = make_job(code=CODE)
    artifacts = Artifacts(model=ARTIFACT)
    for pod in (worker(job, RUN, 1, 0), build_compressor(job, RUN, 1, artifacts, SETTINGS)):
        (volume,) = (each for each in pod["spec"]["volumes"] if "configMap" in each)
        assert volume["configMap"]["name"] == "fashion-code-1"
        mounts = pod["spec"]["containers"][0]["volumeMounts"]
        assert {"name": volume["name"], "mountPath": "/code", "readOnly": True} in mounts


def test_a_claim_with_own_code_is_mounted() -> None:
    job = make_job(code={**CODE, "uri": "pvc://projects/mine.zip"})
    mounts = worker(job, RUN, 1, 0)["spec"]["containers"][0]["volumeMounts"]
    assert "/volumes/projects" in [mount["mountPath"] for mount in mounts]
