"""The pure parts of the two pairs of hands."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.unit.operator.fake_cluster import ARTIFACT, SETTINGS, make_job
from trainyard_api.names import LABEL_RUN, LABEL_STAGE, PORT_HTTP
from trainyard_operator.brain.plan import ObjectRef
from trainyard_operator.build.deployments import build_deployment
from trainyard_operator.build.pods import build_workers
from trainyard_operator.hands.cluster.views import deployment_view, pod_view
from trainyard_operator.hands.cluster.workqueue import WorkQueue
from trainyard_operator.hands.processes.errors import WrongInput
from trainyard_operator.hands.processes.keeper import Keeper
from trainyard_operator.hands.processes.process import PodProcess
from trainyard_operator.hands.processes.run import Request, mount_volumes

JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)


def view_of(status: dict[str, Any], **metadata: Any) -> Any:
    pod = build_workers(make_job(), "1-5f3a9c", 1, [0], SETTINGS)[0]
    pod["metadata"] |= metadata
    return pod_view({**pod, "status": status})


def container(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "trainer", "state": state}]}


def test_a_killed_pod_shows_its_exit_code_and_its_words() -> None:
    ended = {
        "exitCode": 137,
        "reason": "OOMKilled",
        "message": "m",
        "finishedAt": "2026-11-24T00:00:00Z",
    }
    view = view_of({"phase": "Failed", **container(terminated=ended)})
    assert (view.exit_code, view.oom_killed, view.message) == (137, True, "m")


@pytest.mark.parametrize(("ip", "host"), [("10.1.2.3", "10.1.2.3"), ("fd00::7", "[fd00::7]")])
def test_a_pod_is_asked_at_its_address_of_either_family(ip: str, host: str) -> None:
    assert view_of({"phase": "Running", "podIP": ip}).address == f"{host}:{PORT_HTTP}"


def test_a_container_whose_end_nobody_saw_has_no_exit_code() -> None:
    ended = {"exitCode": 255, "reason": "Unknown"}
    assert view_of({"phase": "Failed", **container(terminated=ended)}).exit_code is None


def test_a_sidecar_is_not_taken_for_the_trainer() -> None:
    statuses = [
        {"name": "sidecar", "state": {"terminated": {"exitCode": 9}}},
        {"name": "trainer", "state": {"running": {}}},
    ]
    assert view_of({"phase": "Running", "containerStatuses": statuses}).exit_code is None


def test_a_sidecar_that_a_mesh_puts_first_hides_no_exit_code() -> None:
    [pod] = build_workers(make_job(), "1-5f3a9c", 1, [0], SETTINGS)
    pod["spec"]["containers"].insert(0, {"name": "istio-proxy", "image": "proxy"})
    pod["status"] = {"phase": "Running", **container(terminated={"exitCode": 3})}
    view = pod_view(pod)
    assert view is not None
    assert view.exit_code == 3


def test_a_label_that_is_no_number_makes_no_pod_of_ours() -> None:
    for label in ("trainyard.dev/attempt", "trainyard.dev/index"):
        [pod] = build_workers(make_job(), "1-5f3a9c", 1, [0], SETTINGS)
        pod["metadata"]["labels"][label] = "first"
        assert pod_view(pod) is None


def test_an_evicted_pod_is_disrupted() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    assert view_of({"conditions": [condition]}).disruption == "EvictionByEvictionAPI"
    assert view_of({"reason": "NodeLost"}).disruption == "NodeLost"


def test_a_missing_claim_is_named_with_the_field() -> None:
    message = '0/1 nodes are available: persistentvolumeclaim "datasets" not found. preemption: ...'
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
    }
    view = view_of({"phase": "Pending", "conditions": [condition]})
    assert view.waiting_reason == "ClaimNotFound"
    assert "claim datasets does not exist" in view.waiting_message
    assert "spec.data.source.uri" in view.waiting_message


def test_an_image_that_cannot_be_pulled_is_named_with_the_field() -> None:
    waiting = {"reason": "ErrImagePull", "message": "not found"}
    view = view_of({"phase": "Pending", **container(waiting=waiting)})
    assert "spec.workers.image" in view.waiting_message


def test_a_model_that_cannot_be_fetched_is_told_in_the_fetchers_words() -> None:
    said = '{"failure": {"reason": "InvalidSpec", "message": "spec.storage.secretRef: refused"}}'
    fetcher = {
        "name": "fetch-model",
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
        "lastState": {"terminated": {"exitCode": 2, "message": said}},
    }
    server = {"name": "serving", "state": {"waiting": {"reason": "PodInitializing"}}}
    status = {
        "phase": "Pending",
        "initContainerStatuses": [fetcher],
        "containerStatuses": [server],
    }
    labels = {LABEL_STAGE: "serve", LABEL_RUN: "5f3a9c"}
    metadata = {"name": "x", "namespace": "default", "labels": labels}
    view = pod_view({"metadata": metadata, "spec": {"containers": []}, "status": status})
    assert view is not None
    assert (view.waiting_reason, view.waiting_message) == (
        "InvalidSpec",
        "spec.storage.secretRef: refused",
    )


def test_a_pod_that_is_being_set_up_does_not_complain() -> None:
    waiting = {"reason": "ContainerCreating"}
    assert view_of({"phase": "Pending", **container(waiting=waiting)}).waiting_reason == ""


def test_a_deployment_is_current_only_when_all_replicas_are_of_its_newest_spec() -> None:
    manifest = {
        "metadata": {"name": "d", "generation": 2, "labels": {}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {}}},
        "status": {"observedGeneration": 1, "readyReplicas": 2, "updatedReplicas": 2},
    }
    assert not deployment_view(manifest).current
    manifest["status"] = {"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1}
    assert not deployment_view(manifest).current
    manifest["status"] = {"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 2}
    assert deployment_view(manifest).current


async def test_many_changes_of_one_job_are_one_piece_of_work() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for _ in range(5):
        queue.add("a")
    assert await queue.take() == "a"
    assert len(queue) == 0


async def test_a_change_during_the_work_is_worked_on_afterwards_and_never_beside_it() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await queue.take()
    queue.add("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.05)
    queue.done("a")
    assert await asyncio.wait_for(queue.take(), 1) == "a"


async def test_work_that_is_due_later_waits_unless_something_happens() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("later", time.time() + 60)
    queue.add("now")
    assert await asyncio.wait_for(queue.take(), 1) == "now"
    queue.add("later")
    assert await asyncio.wait_for(queue.take(), 1) == "later"


def test_a_termination_message_may_be_any_bytes(tmp_path: Path) -> None:
    process = PodProcess({"metadata": {"name": "p"}}, tmp_path)
    process.termination_log.write_bytes(b"caf\xe9")
    assert process.message().startswith("caf")


async def test_a_process_that_is_stopped_while_it_starts_ends(tmp_path: Path) -> None:
    process = PodProcess({"metadata": {"name": "p"}}, tmp_path)
    start = asyncio.create_task(process.start(["sleep", "60"], {}))
    await asyncio.sleep(0)
    assert process.process is None
    await process.stop()
    await start
    await asyncio.wait_for(process.wait(), 5)
    assert process.exit_code == 143


async def test_a_process_gets_the_grace_of_its_pod_and_no_more(tmp_path: Path) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"terminationGracePeriodSeconds": 1}}
    process = PodProcess(pod, tmp_path)
    await process.start(["sh", "-c", "trap '' TERM; echo deaf; sleep 60"], {})
    while b"deaf" not in process.log.read_bytes():
        await asyncio.sleep(0.01)
    waiting = asyncio.create_task(process.wait())
    await asyncio.wait_for(process.stop(), 10)
    await waiting
    assert process.exit_code == 137
    assert PodProcess({"metadata": {"name": "q"}}, tmp_path).grace_seconds == 30


def test_a_mount_that_comes_too_late_is_refused_and_not_a_crash(tmp_path: Path) -> None:
    job = make_job(data={"source": {"uri": "keras://mnist"}}, storage={"uri": "pvc://artifacts/x"})
    mount_volumes(job, Request(job, tmp_path, {}), SETTINGS)
    with pytest.raises(WrongInput, match="--mount artifacts="):
        mount_volumes(job, Request(job, tmp_path, {"artifacts": tmp_path}), SETTINGS)


async def test_a_deployment_that_is_deleted_starts_no_further_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path, tmp_path, asyncio.Event())
    started = []

    async def start(_: Keeper, manifest: Any) -> None:
        started.append(manifest["metadata"]["name"])
        await keeper.delete(ObjectRef("Deployment", "fashion-5f3a9c"))

    monkeypatch.setattr(Keeper, "_start_pod", start)
    job = make_job(serving={"replicas": 3})
    assert job.spec.serving is not None
    await keeper.create(build_deployment(job, job.spec.serving, "1-5f3a9c", ARTIFACT, SETTINGS))
    await asyncio.sleep(0.05)
    assert started == ["fashion-5f3a9c-0"]
