"""The chart goes up and back while jobs train and serve, and nobody notices."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sklearn.datasets import load_digits

from tests.cluster import Cluster, wait_for
from tests.e2e.conftest import ROOT, SYSTEM, Namespace
from tests.e2e.test_interruptions import start_long_job
from tests.e2e.test_main_job import ask


def newer_chart(folder: Path) -> Path:
    """The chart as a later version may be: its CRD has a field with a default that the operator of
    this version does not know."""
    chart = folder / "trainyard"
    shutil.copytree(ROOT / "charts" / "trainyard", chart)
    file = chart / "templates" / "crd.yaml"
    text = file.read_text()
    field = "                  batchSize:\n"
    assert text.count(field) == 1
    new = (
        "                  warmUpSteps:\n"
        "                    description: Of a later version.\n"
        "                    type: integer\n"
        "                    default: 100\n"
    )
    file.write_text(text.replace(field, new + field))
    description = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**description, "version": "99.0.0"}))
    return chart


def helm(cluster: Cluster, *arguments: str) -> None:
    command = [str(cluster.programs / "helm"), "--kubeconfig", str(cluster.kubeconfig)]
    place = ("--namespace", SYSTEM, "--wait", "--timeout", "3m")
    subprocess.run([*command, *arguments, *place], check=True)


@dataclass
class Caller:
    """Asks an endpoint again and again."""

    url: str
    answers: int = 0
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def calling(self) -> Iterator[None]:
        stop = threading.Event()
        rows = load_digits().images[:4].tolist()

        def call() -> None:
            while not stop.is_set():
                try:
                    ask(self.url, {"instances": rows})
                    self.answers += 1
                except OSError as error:
                    self.failures.append(repr(error))
                time.sleep(0.1)

        thread = threading.Thread(target=call)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def living(namespace: Namespace) -> dict[str, str]:
    """Uids of the pods, Deployments and Services, by kind and name."""
    found = namespace.cluster.list("pods,deployments,services,networkpolicies", namespace.name)
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["uid"] for o in found}


def holder(cluster: Cluster) -> str:
    """Who acts."""
    return str(cluster.get("lease", "trainyard", SYSTEM)["spec"].get("holderIdentity", ""))


def test_an_upgrade_and_a_rollback_leave_alone_what_trains_and_serves(
    namespace: Namespace, tmp_path: Path
) -> None:
    cluster = namespace.cluster
    namespace.apply("serves", training={"epochs": 2}, serving={})
    namespace.wait_for_phase("serves", "Succeeded")
    start_long_job(namespace, "trains")
    service = cluster.get("service", "serves", namespace.name)
    caller = Caller(f"http://{service['spec']['clusterIP']}:8080/v1/models/serves:predict")
    before, first = living(namespace), holder(cluster)

    def same_as_before() -> None:
        assert living(namespace) == before
        stage: dict[str, Any] = namespace.status("trains")["stages"][0]
        assert (stage["state"], stage["attempts"]) == ("Running", 1)
        assert namespace.status("serves")["phase"] == "Succeeded"
        assert namespace.condition("serves", "Serving")["status"] == "True"

    with caller.calling():
        chart = newer_chart(tmp_path)
        helm(
            cluster, "upgrade", "trainyard", str(chart), "--reuse-values", "--set", "logFormat=text"
        )
        wait_for("another operator to act", lambda: holder(cluster) not in ("", first), 30)
        stored = json.loads(
            cluster.kubectl("get", "tj", "trains", "-n", namespace.name, "-o", "json")
        )
        assert stored["spec"]["training"]["warmUpSteps"] == 100
        # Whoever touches a job now shows it to the operator with the new field.
        cluster.kubectl("label", "tj", "--all", "team=a", "-n", namespace.name)
        time.sleep(5)
        same_as_before()

        namespace.apply("waits", training={"epochs": 1})
        wait_for(
            "the new job to be told of",
            lambda: "warmUpSteps" in cluster.kubectl("get", "events", "-n", namespace.name),
        )
        assert namespace.status("waits").get("run") is None
        same_as_before()

        helm(cluster, "rollback", "trainyard", "1")
        namespace.wait_for_phase("waits", "Succeeded")
        now = living(namespace)
        assert before.items() <= now.items()
    assert caller.answers > 50
    assert caller.failures == []
    step = namespace.status("trains")["progress"]["step"]
    wait_for("further steps", lambda: namespace.status("trains")["progress"]["step"] > step, 60)
