"""A CRD and an operator of two versions, and objects that somebody else has changed."""

from __future__ import annotations

import json

import yaml

from tests.cluster import Object, wait_for
from tests.integration.conftest import World
from tests.integration.fake_node import good_outcome
from tests.integration.test_survival import FULL
from trainyard_api.crd import build_crd, render_crd


def newer_crd() -> str:
    """The CRD of a later version: another field of the spec, with a default, and one of status."""
    crd = build_crd()
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    schema["spec"]["properties"]["training"]["properties"]["warmUpSteps"] = {
        "type": "integer",
        "default": 100,
    }
    schema["status"]["properties"]["cost"] = {"type": "integer"}
    stage = schema["status"]["properties"]["stages"]["items"]
    stage["properties"]["zone"] = {"type": "string"}
    return yaml.safe_dump(crd)


def install(world: World, crd: str) -> None:
    world.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=crd)


def living(world: World) -> dict[str, str]:
    kinds = "pods,services,deployments,networkpolicies"
    found = world.cluster.list(kinds, world.namespace)
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["uid"] for o in found}


def patch_status(world: World, name: str, status: Object) -> None:
    world.cluster.kubectl(
        *("patch", "tj", name, "-n", world.namespace, "--subresource=status", "--type=merge"),
        *("-p", json.dumps({"status": status})),
    )


def test_a_field_that_a_newer_crd_has_filled_in_harms_nothing(world: World) -> None:
    world.apply("serves", **FULL)
    world.wait_for_phase("Succeeded", "serves")
    world.node.outcome = lambda _: None
    world.apply("trains")
    wait_for("the gang", lambda: world.condition("Running", "trains").get("status") == "True")
    before = living(world)
    try:
        install(world, newer_crd())
        wait_for(
            "the new default",
            lambda: world.job("trains")["spec"]["training"].get("warmUpSteps") == 100,
        )
        patch_status(world, "trains", {"cost": 3})
        world.operator.stop()
        world.operator.start()
        world.operator.wait()
        world.apply("waits")
        wait_for(
            "the new job to be told of",
            lambda: "warmUpSteps" in world.cluster.kubectl("get", "events", "-n", world.namespace),
        )
        assert "run" not in world.status("waits")
        assert living(world) == before
        for name in ("trains", "serves"):
            assert world.condition("Accepted", name)["status"] == "True"
        assert world.status("trains")["cost"] == 3, "what another version has written stays"
    finally:
        install(world, render_crd())
    world.operator.kill()
    world.operator.start()
    world.operator.wait()
    wait_for("the new job", lambda: world.status("waits").get("phase") == "Training")
    assert before.items() <= living(world).items()


def test_a_status_that_somebody_has_erased_is_found_again(world: World) -> None:
    world.node.outcome = lambda _: None
    world.apply("erased")
    wait_for("the gang", lambda: world.condition("Running", "erased").get("status") == "True")
    before, run = living(world), world.status("erased")["run"]
    world.cluster.kubectl(
        *("patch", "tj", "erased", "-n", world.namespace, "--subresource=status", "--type=json"),
        *("-p", '[{"op": "remove", "path": "/status"}]'),
    )
    wait_for("the status", lambda: world.condition("Running", "erased").get("status") == "True")
    assert world.status("erased")["run"] == run
    assert living(world) == before


def test_a_job_whose_namespace_ends_is_no_error(world: World) -> None:
    world.node.outcome = lambda _: None
    world.apply("ends")
    wait_for("the gang", lambda: world.condition("Running", "ends").get("status") == "True")
    world.cluster.kubectl("delete", "namespace", world.namespace, "--wait=false")
    wait_for("no job", lambda: not world.job("ends"), 60)
    assert '"level": "error"' not in world.operator.log.read_text()


def test_a_quota_that_is_used_up_is_waited_for(world: World) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"pods": "1"}},
    }
    world.cluster.apply(json.dumps(quota), world.namespace)
    wait_for(
        "the quota",
        lambda: world.cluster.get("quota", "few", world.namespace).get("status", {}).get("hard"),
    )
    world.node.outcome = lambda _: None
    world.apply("waits")
    wait_for("the reason", lambda: world.condition("Running", "waits").get("reason") == "Forbidden")
    assert "exceeded quota" in world.condition("Running", "waits")["message"]
    world.cluster.kubectl("delete", "quota", "few", "-n", world.namespace)
    wait_for("the gang", lambda: world.condition("Running", "waits").get("status") == "True", 60)
    world.node.outcome = good_outcome
    world.wait_for_phase("Succeeded", "waits", 60)


def test_names_at_their_limit_and_letters_of_all_kinds(world: World) -> None:
    name = "a" * 38
    world.apply(
        name,
        **FULL,
        workers={
            "replicas": 2,
            "template": {"metadata": {"annotations": {"team": "Übung — 日本語 🚂"}}},
        },
    )
    world.wait_for_phase("Succeeded", name)
    pods = world.pods(f"trainyard.dev/job={name},trainyard.dev/stage=train")
    assert {p["metadata"]["annotations"]["team"] for p in pods} == {"Übung — 日本語 🚂"}
