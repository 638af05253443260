"""The operator can be killed at any point: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import random
import time
from typing import Any

from tests.cluster import wait_for
from tests.integration.conftest import World
from tests.integration.fake_node import Outcome, PodId, good_outcome

FULL: dict[str, Any] = {"compression": {}, "serving": {}}


def everything(world: World) -> list[str]:
    text = world.cluster.kubectl(
        "get",
        "pods,services,deployments,replicasets,networkpolicies",
        "-n",
        world.namespace,
        "-o",
        "name",
    )
    return text.split()


def test_delete_removes_everything(world: World) -> None:
    world.apply(**FULL)
    world.wait_for_phase("Succeeded")
    assert everything(world)
    world.cluster.kubectl("delete", "tj", "fashion", "-n", world.namespace, "--timeout=10s")
    wait_for("nothing to be left", lambda: not everything(world), 20)


def test_delete_removes_everything_also_while_the_operator_is_down(world: World) -> None:
    world.node.outcome = lambda _: None
    world.apply(**FULL)
    wait_for("the gang to run", lambda: world.condition("Running").get("status") == "True")
    world.operator.kill()
    started = time.monotonic()
    world.cluster.kubectl("delete", "tj", "fashion", "-n", world.namespace, "--timeout=10s")
    assert time.monotonic() - started < 5, "no finalizer may hold it"
    wait_for("nothing to be left", lambda: not everything(world), 20)
    world.operator.start()
    world.operator.wait()


def test_a_job_deleted_and_created_again_starts_anew(world: World) -> None:
    world.apply(**FULL)
    first = world.wait_for_phase("Succeeded")["run"]["id"]
    world.cluster.kubectl("delete", "tj", "fashion", "-n", world.namespace)
    world.apply(**FULL)
    assert world.wait_for_phase("Succeeded")["run"]["id"] != first


def test_an_operator_killed_again_and_again_finishes_the_job_once(world: World) -> None:
    def outcome(pod: PodId) -> Outcome:
        if pod.stage == "train" and pod.attempt == 1:
            return Outcome(1, "boom", after=1.5)
        good = good_outcome(pod)
        return Outcome(good.exit_code, good.message, after=1.5)

    world.node.outcome = outcome
    world.apply(**FULL)
    dice = random.Random(7)
    for _ in range(6):
        time.sleep(0.8 + dice.random() * 1.2)
        world.operator.kill()
        world.operator.start()
    world.operator.wait()
    status = world.wait_for_phase("Succeeded", seconds=60)
    assert status["restarts"] == {"program": 1, "infrastructure": 0}
    trained = sorted(name.partition("-train-")[2] for name in world.node.seen if "-train-" in name)
    assert trained == ["1-0", "1-1", "2-0", "2-1"]


def test_finished_pods_deleted_by_others_do_not_run_again(world: World) -> None:
    world.apply()
    world.wait_for_phase("Succeeded")
    seen = set(world.node.seen)
    world.cluster.kubectl("delete", "pods", "--all", "-n", world.namespace)
    time.sleep(3)
    assert world.node.seen == seen
    assert world.status()["phase"] == "Succeeded"
