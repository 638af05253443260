"""Two operators: one acts, the other takes over, and nothing is done twice or by nobody."""

from __future__ import annotations

import functools
import itertools
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import Cluster, Object, Operator, wait_for
from tests.integration.conftest import World, manifest
from tests.integration.fake_node import FakeNode, good_outcome
from tests.integration.partition import Link

TAKEOVER_SECONDS = 15.0
_numbers = itertools.count(1)


def acts(operator: Operator) -> bool:
    """Whether that operator decides at the moment, by its own word."""
    try:
        url = f"http://127.0.0.1:{operator.port}/metrics"
        text = urllib.request.urlopen(url, timeout=1).read().decode()
    except OSError:
        return False
    found = re.search(r"^trainyard_acts (\S+)$", text, re.MULTILINE)
    return found is not None and float(found[1]) == 1.0


@dataclass
class Pair:
    """Two operators of one installation; the first of them acts."""

    world: World
    first: Operator
    second: Operator
    link: Link
    """Between the first and the API server."""

    def pods(self) -> dict[str, str]:
        """Uids of the pods, by name."""
        return {p["metadata"]["name"]: p["metadata"]["uid"] for p in self.world.pods()}

    def started(self, name: str) -> Object | None:
        """A job, once it has begun."""
        status = self.world.status(name)
        return status if status.get("phase") == "Training" else None


@pytest.fixture
def pair(cluster: Cluster, tmp_path: Path) -> Iterator[Pair]:
    namespace = f"pair-{next(_numbers)}"
    cluster.kubectl("create", "namespace", namespace)
    settings = {
        "TRAINYARD_WATCH_NAMESPACE": namespace,
        "TRAINYARD_LEASE_NAMESPACE": namespace,
    }
    with ExitStack() as stack:
        link = stack.enter_context(Link(cluster.kubeconfig, tmp_path))
        through = {**settings, "KUBECONFIG": str(link.kubeconfig)}
        first = Operator(cluster, tmp_path / "first.log", through)
        second = Operator(cluster, tmp_path / "second.log", settings)
        node = FakeNode(cluster.kubeconfig, namespace)
        for operator in (first, second):
            stack.callback(operator.kill)
            operator.start()
            operator.wait()
            if operator is first:
                wait_for("the first to act", lambda: acts(first))
        node.start()
        stack.callback(node.stop)
        world = World(cluster, namespace, node, second)
        yield Pair(world, first, second, link)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_another_takes_over_when_the_one_that_acts_is_killed(pair: Pair) -> None:
    pair.world.node.outcome = lambda _: None
    pair.world.apply("before")
    wait_for("the gang", lambda: pair.started("before"))
    wait_for("its pods", lambda: len(pair.pods()) == 2)
    gang = pair.pods()
    assert not acts(pair.second)
    pair.first.kill()
    began = time.monotonic()
    pair.world.apply("after")
    wait_for("the other job", lambda: pair.started("after"), TAKEOVER_SECONDS + 5)
    assert time.monotonic() - began < TAKEOVER_SECONDS
    assert gang.items() <= pair.pods().items(), "what ran was left alone"
    pair.world.node.outcome = good_outcome
    for name in ("before", "after"):
        status = pair.world.wait_for_phase("Succeeded", name)
        assert status["stages"][0]["attempts"] == 1


def test_another_takes_over_at_once_when_the_one_that_acts_is_told_to_stop(pair: Pair) -> None:
    assert pair.first.stop() == 0
    began = time.monotonic()
    pair.world.apply("after")
    wait_for("the job", lambda: pair.started("after"), TAKEOVER_SECONDS)
    assert time.monotonic() - began < 6, "the Lease was given back"


def test_one_that_is_cut_off_stops_by_itself_before_another_takes_over(pair: Pair) -> None:
    pair.world.node.outcome = lambda _: None
    pair.world.apply("before")
    wait_for("the gang", lambda: pair.started("before"))
    pair.link.cut()
    began = time.monotonic()
    pair.world.apply("after")
    wait_for("the other job", lambda: pair.started("after"), TAKEOVER_SECONDS + 5)
    assert time.monotonic() - began < TAKEOVER_SECONDS
    assert not acts(pair.first)
    assert pair.first.process is not None
    assert pair.first.process.wait(timeout=10) == 1, "its container is started anew by that"
    log = pair.first.log.read_text()
    assert "another operator acts from now on" in log
    pair.link.mend()
    assert pair.world.status("before")["stages"][0]["attempts"] == 1


def test_one_that_was_stopped_for_long_does_nothing_when_it_wakes_up(pair: Pair) -> None:
    """As when a machine is suspended, with plans in its hands."""
    pair.world.node.outcome = lambda _: None
    for number in range(5):
        pair.world.apply(f"job-{number}")
    assert pair.first.process is not None
    pair.first.process.send_signal(signal.SIGSTOP)
    wait_for("the second to act", lambda: acts(pair.second), TAKEOVER_SECONDS)
    for number in range(5):
        wait_for(f"job {number}", functools.partial(pair.started, f"job-{number}"))
    wait_for("all pods", lambda: len(pair.pods()) == 10)
    pods = pair.pods()
    pair.first.process.send_signal(signal.SIGCONT)
    assert pair.first.process.wait(timeout=15) == 1
    assert pair.pods() == pods


def test_an_operator_that_begins_stands_by(pair: Pair) -> None:
    assert acts(pair.first)
    assert not acts(pair.second)
    pair.world.cluster.apply(manifest("one"), pair.world.namespace)
    pair.world.wait_for_phase("Succeeded", "one")
    holder = pair.world.cluster.get("lease", "trainyard-operator", pair.world.namespace)
    assert holder["spec"]["leaseTransitions"] == 1
