"""A pod's environment and command, as they are on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.operator.fake_cluster import SETTINGS, make_job
from trainyard_api.peers import Peers
from trainyard_operator.build.pods import build_workers
from trainyard_operator.hands.processes import translation
from trainyard_operator.hands.processes.process import PodProcess
from trainyard_operator.hands.processes.translation import Ports, local_command, local_environment


def test_processes_of_a_gang_find_each_other_on_loopback(tmp_path: Path) -> None:
    ports = Ports()
    job = make_job()
    environments = [
        local_environment(
            build_workers(job, "1-5f3a9c", 1, [i], SETTINGS)[0], ports, tmp_path, tmp_path / "log"
        )
        for i in range(2)
    ]
    clusters = [json.loads(e["TF_CONFIG"])["cluster"]["worker"] for e in environments]
    assert clusters[0] == clusters[1]
    assert all(address.startswith("127.0.0.1:") for address in clusters[0])
    own = {e["TRAINYARD_PORT"] for e in environments} | {a.split(":")[1] for a in clusters[0]}
    assert len(own) == 4, "each port of each process is its own"


def pod_of_large_gang(index: int, value: str) -> dict[str, Any]:
    env = [{"name": "TRAINYARD_PEERS", "value": value}]
    containers = [{"name": "trainer", "env": env}]
    return {"metadata": {"name": f"w-{index}"}, "spec": {"containers": containers}}


def test_peers_become_a_tf_config_of_local_ports(tmp_path: Path) -> None:
    ports = Ports()
    pattern = "w-{index}.gang.default.svc:2222"
    for index in range(3):
        value = Peers(pattern=pattern, count=3, index=index).encode()
        pod = pod_of_large_gang(index, value)
        variables = local_environment(pod, ports, tmp_path, tmp_path / "log")
        config = json.loads(variables["TF_CONFIG"])
        here = [f"127.0.0.1:{ports.local(f'w-{i}', 2222)}" for i in range(3)]
        assert config == {
            "cluster": {"worker": here},
            "task": {"type": "worker", "index": index},
        }
        assert "TRAINYARD_PEERS" not in variables


def test_peers_that_cannot_be_read_are_left_to_the_program(tmp_path: Path) -> None:
    variables = local_environment(pod_of_large_gang(0, "{"), Ports(), tmp_path, tmp_path / "log")
    assert variables["TRAINYARD_PEERS"] == "{"
    assert "TF_CONFIG" not in variables


def test_no_two_ports_of_pods_are_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([4001, 4001, 4002])
    monkeypatch.setattr(translation, "free_port", lambda: next(free))
    ports = Ports()
    assert ports.local("a", 2222) != ports.local("b", 2222)


def test_a_variable_from_elsewhere_is_left_to_the_environment(tmp_path: Path) -> None:
    secret = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    env = [secret, {"name": "EMPTY"}]
    template = {"spec": {"containers": [{"name": "trainer", "env": env}]}}
    pod = build_workers(make_job(workers={"template": template}), "1-5f3a9c", 1, [0], SETTINGS)[0]
    variables = local_environment(pod, Ports(), tmp_path, tmp_path / "log")
    assert "TOKEN" not in variables
    assert variables["EMPTY"] == ""


def own_program(*command: str) -> dict[str, Any]:
    workers = {"replicas": 1, "command": list(command)}
    return build_workers(make_job(workers=workers), "1-5f3a9c", 1, [0], SETTINGS)[0]


@pytest.mark.parametrize(
    "command",
    [
        ("python", "-c", "import sys; print(sys.prefix)"),
        ("python3", "-c", "import sys; print(sys.prefix)"),
        ("env", "python", "-c", "import sys; print(sys.prefix)"),
        ("/usr/bin/env", "python3", "-c", "import sys; print(sys.prefix)"),
        ("/bin/sh", "-c", "python -c 'import sys; print(sys.prefix)'"),
        ("sh", "-c", "exec python3 -c 'import sys; print(sys.prefix)'"),
        ("sh", "-c", "pip --version | grep -o 'from .*/lib/' | sed 's/from //; s,/lib/,,'"),
    ],
)
async def test_a_program_finds_the_same_python_however_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    pod = own_program(*command)
    process = PodProcess(pod, tmp_path)
    variables = local_environment(pod, Ports(), tmp_path, process.termination_log)
    await process.start(local_command(pod), variables)
    await process.wait()
    assert process.log.read_text().strip() == sys.prefix


def test_an_argument_that_is_called_python_stays() -> None:
    assert local_command(own_program("./run", "--language", "python"))[1:] == [
        "--language",
        "python",
    ]


def test_a_path_of_the_template_comes_after_the_environments(tmp_path: Path) -> None:
    env = [{"name": "PATH", "value": "/opt/mine"}]
    template = {"spec": {"containers": [{"name": "trainer", "env": env}]}}
    pod = build_workers(make_job(workers={"template": template}), "1-5f3a9c", 1, [0], SETTINGS)[0]
    path = local_environment(pod, Ports(), tmp_path, tmp_path / "log")["PATH"]
    assert path == f"{Path(sys.executable).parent}:/opt/mine"
