"""Workers in their nodes' network have ports of their own."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.operator.fake_cluster import SETTINGS, make_job
from trainyard_api.environment import PEERS, PORT
from trainyard_api.peers import Peers, parse_peers
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.pods import build_workers
from trainyard_operator.hands.cluster.views import pod_view
from trainyard_operator.settings import Settings


def workers(replicas: int = 3, attempt: int = 1, **spec: Any) -> list[Manifest]:
    job = make_job(workers={"replicas": replicas, "hostNetwork": True, **spec})
    return build_workers(job, "1-5f3a9c", attempt, range(replicas), SETTINGS)


def ports(pod: Manifest) -> dict[str, int]:
    container = pod["spec"]["containers"][0]
    assert all(port["hostPort"] == port["containerPort"] for port in container["ports"])
    return {port["name"]: port["hostPort"] for port in container["ports"]}


def variables(pod: Manifest) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for e in pod["spec"]["containers"][0]["env"]}


def test_no_two_workers_of_a_gang_take_the_same_port() -> None:
    taken = [port for pod in workers(1000) for port in ports(pod).values()]
    assert len(set(taken)) == 2000
    assert min(taken) >= 20000
    assert max(taken) <= 29999


def test_peers_know_each_others_ports_and_each_its_own() -> None:
    pods = workers()
    addresses = parse_peers(variables(pods[1])[PEERS]).addresses()
    assert [int(a.rpartition(":")[2]) for a in addresses] == [ports(p)["grpc"] for p in pods]
    for pod in pods:
        assert variables(pod)[PORT] == str(ports(pod)["http"])
        assert pod["spec"]["hostNetwork"] is True
        assert pod["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet"


def test_another_attempt_draws_other_ports() -> None:
    """So that what has taken the same once does not stand in the way for ever."""
    assert ports(workers()[0]) != ports(workers(attempt=2)[0])


def test_progress_is_asked_for_where_it_is_told() -> None:
    pod = workers()[1]
    pod["status"] = {"phase": "Running", "podIP": "10.0.0.7"}
    view = pod_view(pod)
    assert view is not None
    assert view.address == f"10.0.0.7:{ports(pod)['http']}"


def test_a_gang_in_the_network_of_pods_has_its_ports_as_ever() -> None:
    (pod,) = build_workers(make_job(), "1-5f3a9c", 1, [0], SETTINGS)
    assert "hostNetwork" not in pod["spec"]
    assert (
        variables(pod)[PEERS]
        == Peers(pattern=parse_peers(variables(pod)[PEERS]).pattern, count=2, index=0).encode()
    )


@pytest.mark.parametrize("value", ["80-9000", "20000-21000", "20000", "30000-20000", "a-b"])
def test_a_range_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        Settings(host_ports=value)
