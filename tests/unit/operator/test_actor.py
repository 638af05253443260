"""Plans as requests: what the API server is asked, and what follows from its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.operator.fake_cluster import SETTINGS, make_job
from tests.unit.operator.stand import JOB_PATH, KEY, NOW, FakeApi, Hands
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.plan import Event, Manifest, ObjectRef, Plan
from trainyard_operator.build.networking import build_serving_service
from trainyard_operator.build.pods import build_workers
from trainyard_operator.hands.cluster.actor import NotYet, Outdated
from trainyard_operator.hands.cluster.api import ApiError

UNAVAILABLE = ApiError(500, "InternalError", "etcdserver: leader changed")


async def test_the_status_of_a_job_that_others_manage_is_not_written() -> None:
    api = FakeApi(runPolicy={"managedBy": "kueue.x-k8s.io/multikueue"})
    await Hands(api).step()
    assert api.requests == []


async def test_a_job_is_started_by_writes_alone_and_what_was_written_is_known() -> None:
    api = FakeApi()
    hands = Hands(api)
    await hands.step()
    assert [method for method, _, _ in api.requests] == ["PUT", "POST", "POST", "POST", "POST"]
    assert [path for path, _ in api.sent("PUT")] == [f"{JOB_PATH}/status"]
    observed = hands.look()
    assert len(observed.pods) == 2
    assert observed.job.status.phase == "Training"
    before = len(api.requests)
    await hands.step()
    assert len(api.requests) == before, "nothing is left to be done"


@pytest.mark.parametrize(("status", "invalid"), [(422, True), (400, True), (403, False)])
async def test_what_the_api_server_refuses_is_known_to_the_next_decision(
    status: int, invalid: bool
) -> None:
    api = FakeApi()
    api.errors["Pod"] = ApiError(status, "Invalid", "limits.memory: 4GB")
    hands = Hands(api)
    observed = hands.look()
    plan = decide(observed, SETTINGS, NOW)
    told = replace(plan, events=(Event("Normal", "RunStarted", "run 2"),))
    with pytest.raises(NotYet):
        await hands.actor.carry_out(KEY, observed, told)
    await hands.record_events()
    assert [body["reason"] for _, body in api.sent("POST") if body["kind"] == "Event"] == [
        "RunStarted"
    ], "what status says is told, whatever became of the rest"
    refusal = hands.look().refusal("Pod")
    assert refusal is not None
    assert refusal.invalid is invalid
    assert "limits.memory: 4GB" in refusal.message
    hands.jobs.happened(api.change_job(generation=2))
    assert hands.look().refusal("Pod") is None, "a changed spec is tried again"


async def test_a_refusal_of_a_job_is_none_of_its_namesake() -> None:
    api = FakeApi()
    api.errors["Pod"] = ApiError(422, "Invalid", "limits.memory: 4GB")
    hands = Hands(api)
    with pytest.raises(NotYet):
        await hands.step()
    assert hands.look().refusals
    hands.jobs.happened(api.change_job(uid="u-2"))
    assert hands.look().refusals == []


async def test_an_endpoint_that_is_refused_holds_up_no_gang() -> None:
    """Neither one that is to end nor one that is to begin."""
    api = FakeApi(serving={})
    hands = Hands(api)
    await hands.step()
    [service] = [b for _, b in api.sent("POST") if b["metadata"]["name"] == "fashion"]
    await hands.step()
    ending, *_ = hands.look().pods
    api.errors["Service"] = ApiError(403, "Forbidden", "denied: no changes today")
    beginning = build_workers(make_job(), "2-5f3a9d", 1, [0], SETTINGS)
    plan = Plan(
        status=hands.look().job.status,
        replace=(service,),
        delete=(ObjectRef("Pod", ending.name), ObjectRef("Deployment", "fashion-5f3a9c")),
        create=tuple(beginning),
    )
    with pytest.raises(NotYet, match="no changes today"):
        await hands.actor.carry_out(KEY, hands.look(), plan)
    pods = [pod.name for pod in hands.look().pods]
    assert ending.name not in pods
    assert beginning[0]["metadata"]["name"] in pods
    assert [path for path, _ in api.sent("DELETE") if "deployments" in path] == []


async def test_a_gang_without_its_fence_has_no_pods() -> None:
    api = FakeApi()
    api.errors["NetworkPolicy"] = ApiError(403, "Forbidden", "denied")
    hands = Hands(api)
    with pytest.raises(NotYet):
        await hands.step()
    assert hands.look().pods == []


async def test_what_is_refused_of_many_pods_is_asked_of_few() -> None:
    api = FakeApi(workers={"replicas": 1000}, training={"batchSize": 1000})
    api.errors["Pod"] = ApiError(403, "Forbidden", "exceeded quota: pods")
    with pytest.raises(NotYet):
        await Hands(api).step()
    pods = [body for _, body in api.sent("POST") if body["kind"] == "Pod"]
    assert len(pods) == 8


async def test_all_of_a_gang_is_tried_though_one_pod_fails() -> None:
    api = FakeApi()
    api.errors["NetworkPolicy"] = UNAVAILABLE
    hands = Hands(api)
    with pytest.raises(ApiError):
        await hands.step()
    assert hands.children.services.of(KEY), "its neighbour was created"
    api.errors.clear()
    await hands.step()
    assert len(hands.look().pods) == 2


async def test_a_job_is_deleted_only_as_it_was_decided_upon() -> None:
    api = FakeApi()
    hands = Hands(api)
    observed = hands.look()
    done = observed.job.status.model_copy(update={"phase": "Succeeded"})
    plan = Plan(status=done, delete=(ObjectRef("TrainingJob", "fashion"),))
    await hands.actor.carry_out(KEY, observed, plan)
    [(path, body)] = api.sent("DELETE")
    assert path == JOB_PATH
    assert body["preconditions"] == {"resourceVersion": "8"}


async def test_an_object_is_deleted_only_as_the_one_that_is_known() -> None:
    api = FakeApi()
    hands = Hands(api)
    await hands.step()
    pod = hands.look().pods[0].name
    plan = Plan(status=hands.look().job.status, delete=(ObjectRef("Pod", pod),))
    await hands.actor.carry_out(KEY, hands.look(), plan)
    [(_, body)] = api.sent("DELETE")
    assert body["preconditions"] == {"uid": f"uid-{pod}"}
    assert pod not in [view.name for view in hands.look().pods], "it is known to be gone at once"


async def test_an_object_is_not_taken_for_gone_while_it_is_there() -> None:
    """A webhook may refuse a deletion by the same word as the API server that knows another."""
    api = FakeApi()
    hands = Hands(api)
    await hands.step()
    pod = hands.look().pods[0].name
    api.deletion_error = ApiError(409, "Conflict", "admission webhook denied the request")
    plan = Plan(status=hands.look().job.status, delete=(ObjectRef("Pod", pod),))
    with pytest.raises(ApiError):
        await hands.actor.carry_out(KEY, hands.look(), plan)
    assert pod in [view.name for view in hands.look().pods]
    place = next(path for path in api.objects if path.endswith(f"/{pod}"))
    api.objects[place]["metadata"]["uid"] = "of-another"
    await hands.actor.carry_out(KEY, hands.look(), plan)
    assert pod not in [view.name for view in hands.look().pods], "another has its name"


async def test_nothing_is_done_for_a_job_that_is_gone_without_a_word() -> None:
    """A watch that was away does not tell what was deleted meanwhile."""
    api = FakeApi()
    hands = Hands(api)
    await hands.step()
    for pod in hands.look().pods:
        hands.children.deleted("default", ObjectRef("Pod", pod.name), f"uid-{pod.name}", None)
    api.job = None
    before = len(api.sent("POST"))
    with pytest.raises(Outdated):
        await hands.step()
    assert hands.reader.look(KEY) is None
    assert len(api.sent("POST")) == before


async def test_a_job_that_has_changed_meanwhile_is_read_and_decided_upon_anew() -> None:
    api = FakeApi()
    hands = Hands(api)
    api.change_job(generation=2)
    with pytest.raises(Outdated):
        await hands.step()
    assert hands.look().job.metadata.generation == 2
    await hands.step()
    assert hands.look().job.status.observedGeneration == 2


async def test_what_a_later_version_has_written_into_status_stays() -> None:
    api = FakeApi()
    assert api.job is not None
    hands = Hands(api)
    await hands.step()
    status = api.job["status"]
    stages = [{**stage, "zone": "a"} for stage in status["stages"]]
    api.job = {**api.job, "status": {**status, "cost": 3, "stages": stages}}
    hands.jobs.happened(api.change_job())
    observed = hands.look()
    changed = [stage.model_copy(update={"message": "new"}) for stage in observed.job.status.stages]
    plan = Plan(status=observed.job.status.model_copy(update={"stages": changed}))
    await hands.actor.carry_out(KEY, observed, plan)
    written = api.job["status"]
    assert written["cost"] == 3
    assert [(stage["zone"], stage["message"]) for stage in written["stages"]] == [
        ("a", "new") for _ in stages
    ]


async def test_what_was_created_is_taken_for_applied_before_it_is_replaced() -> None:
    """Else a port that has changed stays beside the new one, and the Service is invalid."""
    api = FakeApi()
    path = "/api/v1/namespaces/default/services/fashion"
    controller = {"manager": "trainyard", "operation": "Update", "subresource": "status"}
    fields: Manifest = {"f:spec": {}}
    created = {"manager": "trainyard", "operation": "Update", "fieldsV1": fields}
    metadata = {"resourceVersion": "3", "managedFields": [controller, created]}
    api.objects[path] = {"metadata": metadata}
    manifest = build_serving_service(make_job(), "fashion", "1-5f3a9c", 9090, {})
    await api.apply(manifest)
    (_, own), (_, applied) = api.sent("PATCH")
    applied_before = {"manager": "trainyard", "operation": "Apply", "fieldsV1": fields}
    assert own["metadata"] == {
        "resourceVersion": "3",
        "managedFields": [controller, applied_before],
    }
    assert applied == manifest


async def replacing_the_service(hands: Hands) -> tuple[Plan, str]:
    """A plan that replaces the gang's Service, which it creates, and the path of that."""
    await hands.step()
    [service] = [body for path, body in hands.api.sent("POST") if path.endswith("/services")]
    path = f"/api/v1/namespaces/default/services/{service['metadata']['name']}"
    return Plan(status=hands.look().job.status, replace=(service,)), path


async def test_a_webhook_that_changes_what_is_written_is_not_fought() -> None:
    api = FakeApi()
    hands = Hands(api)
    plan, path = await replacing_the_service(hands)
    assert await hands.actor.carry_out(KEY, hands.look(), plan)
    applied = len([p for p, _ in api.sent("PATCH") if p == path])
    assert applied == 1
    assert not await hands.actor.carry_out(KEY, hands.look(), plan)
    assert len([p for p, _ in api.sent("PATCH") if p == path]) == applied


async def test_what_could_not_be_replaced_is_replaced_as_soon_as_it_can_be() -> None:
    """Traffic may wait for it, and nothing else would tell of it again."""
    api = FakeApi()
    hands = Hands(api)
    plan, path = await replacing_the_service(hands)
    api.errors["Service"] = UNAVAILABLE
    with pytest.raises(ApiError):
        await hands.actor.carry_out(KEY, hands.look(), plan)
    del api.errors["Service"]
    before = len([p for p, _ in api.sent("PATCH") if p == path])
    assert await hands.actor.carry_out(KEY, hands.look(), plan)
    assert len([p for p, _ in api.sent("PATCH") if p == path]) == before + 1


async def test_a_warning_is_told_once_though_it_is_decided_upon_again_and_again() -> None:
    api = FakeApi()
    hands = Hands(api)
    observed = hands.look()
    plan = Plan(status=observed.job.status, events=(Event("Warning", "UnknownField", "spec.x"),))
    for _ in range(3):
        await hands.actor.carry_out(KEY, observed, plan)
    await hands.record_events()
    assert len(api.sent("POST")) == 1


async def test_no_job_waits_for_its_events_and_one_that_is_refused_costs_itself_alone() -> None:
    api = FakeApi()
    hands = Hands(api)
    observed = hands.look()

    async def tell(words: str) -> None:
        event = Event("Normal", "RunStarted", words)
        await hands.actor.carry_out(KEY, observed, Plan(observed.job.status, events=(event,)))

    await tell("run 1")
    await tell("run 2")
    assert api.requests == []
    await hands.record_events()
    api.errors["Event"] = ApiError(503, "ServiceUnavailable", "not now")
    await tell("run 3")
    await hands.record_events()
    api.errors.clear()
    await tell("run 4")
    await hands.record_events()
    said = [body["message"] for _, body in api.sent("POST")]
    assert said == ["run 1", "run 2", "run 3", "run 4"]
