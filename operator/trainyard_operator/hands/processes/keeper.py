"""Plays the cluster: keeps pods, Deployments and Services, and says what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path

import aiohttp

from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_RUN, LABEL_STAGE
from trainyard_operator.brain.observed import DeploymentView, PodView, PolicyView, ServiceView
from trainyard_operator.brain.plan import Manifest, ObjectRef
from trainyard_operator.build.drift import policy_digest, service_digest
from trainyard_operator.build.metadata import digest_of
from trainyard_operator.hands.processes.process import PodProcess
from trainyard_operator.hands.processes.relay import Relay
from trainyard_operator.hands.processes.translation import (
    LOOPBACK,
    Ports,
    fetcher,
    http_port,
    local_command,
    local_environment,
)

RESTART_SECONDS = 2.0
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class Keeper:
    """Objects of one job and the processes behind them."""

    def __init__(self, folder: Path, volumes: Path, changed: asyncio.Event) -> None:
        """Args:
        folder: takes a folder for each pod, with its log and termination message.
        volumes: has an entry for each claim.
        changed: set whenever something is to be observed anew.
        """
        self._folder = folder
        self._volumes = volumes
        self._changed = changed
        self._ports = Ports()
        self._pods: dict[str, PodProcess] = {}
        self._deployments: dict[str, Manifest] = {}
        self._services: dict[str, Manifest] = {}
        self._policies: dict[str, Manifest] = {}
        self._relays: dict[str, Relay] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(self, manifest: Manifest) -> None:
        """Create an object; one that exists stays as it is."""
        name = manifest["metadata"]["name"]
        match manifest["kind"]:
            case "Pod":
                if name not in self._pods:
                    await self._start_pod(manifest)
            case "Deployment":
                self._deployments.setdefault(name, manifest)
                self._background(self._keep_deployment(name))
            case "Service":
                if name not in self._services:
                    self._services[name] = manifest
                    await self._start_relay(name)
            case "NetworkPolicy":
                self._policies.setdefault(name, manifest)

    async def replace(self, manifest: Manifest) -> None:
        """Bring an object that exists to what is wanted."""
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "Service":
            self._services[name] = manifest
        elif manifest["kind"] == "NetworkPolicy":
            self._policies[name] = manifest
        elif manifest["kind"] == "Deployment":
            self._deployments[name] = manifest
            await self._stop_pods(self._pods_of(name))
        self._changed.set()

    async def delete(self, ref: ObjectRef) -> None:
        """Delete an object; it is gone when its process has ended."""
        match ref.kind:
            case "Pod":
                if (pod := self._pods.get(ref.name)) is not None and not pod.deleting:
                    pod.deleting = True
                    self._background(self._remove_pod(pod))
            case "Deployment":
                self._deployments.pop(ref.name, None)
                self._background(self._stop_pods(self._pods_of(ref.name)))
            case "Service":
                self._services.pop(ref.name, None)
                if (relay := self._relays.pop(ref.name, None)) is not None:
                    await relay.stop()
            case "NetworkPolicy":
                self._policies.pop(ref.name, None)
        self._changed.set()

    async def close(self) -> None:
        """End all processes: training pods save first. None of them has failed by that."""
        for pod in self._pods.values():
            pod.deleting = pod.exit_code is None
        for name in list(self._deployments):
            del self._deployments[name]
        await asyncio.gather(*(pod.stop() for pod in self._pods.values()))
        for relay in self._relays.values():
            await relay.stop()

    def pods(self) -> list[PodView]:
        """The pods as they are now."""
        return [self._view(pod) for pod in self._pods.values()]

    def services(self) -> list[ServiceView]:
        """The Services."""
        return [
            ServiceView(
                name=name,
                stage=service["metadata"]["labels"][LABEL_STAGE],
                run=service["spec"]["selector"].get(LABEL_RUN, ""),
                digest=service_digest(service),
            )
            for name, service in self._services.items()
        ]

    def policies(self) -> list[PolicyView]:
        """The NetworkPolicies; on one machine's loopback they say nothing."""
        return [PolicyView(name, policy_digest(p)) for name, p in self._policies.items()]

    def deployments(self) -> list[DeploymentView]:
        """The Deployments and how many of their pods are ready."""
        views = []
        for name, deployment in self._deployments.items():
            ready = sum(pod.ready for pod in self._pods_of(name))
            wanted = int(deployment["spec"]["replicas"])
            views.append(
                DeploymentView(
                    name=name,
                    run=deployment["metadata"]["labels"][LABEL_RUN],
                    digest=digest_of(deployment),
                    selector=deployment["spec"]["selector"]["matchLabels"],
                    replicas=wanted,
                    ready_replicas=ready,
                    current=ready == wanted,
                )
            )
        return views

    def _view(self, pod: PodProcess) -> PodView:
        labels = pod.labels
        ended = pod.exit_code is not None
        return PodView(
            name=pod.name,
            stage=labels[LABEL_STAGE],  # type: ignore[arg-type]
            run=labels[LABEL_RUN],
            attempt=int(labels.get(LABEL_ATTEMPT, "1")),
            index=int(labels.get(LABEL_INDEX, "0")),
            phase="Running" if not ended else "Succeeded" if pod.exit_code == 0 else "Failed",
            ready=pod.ready,
            deleting=pod.deleting,
            exit_code=pod.exit_code,
            message=pod.message() if ended else "",
            finish_time=pod.finish_time,
            waiting_reason="CrashLoopBackOff" if labels[LABEL_STAGE] == "serve" and ended else "",
            waiting_message=f"exit code {pod.exit_code}: {pod.message()}" if ended else "",
            address=self._address(pod),
        )

    def _address(self, pod: PodProcess) -> str:
        port = http_port(pod.manifest)
        return f"{LOOPBACK}:{self._ports.local(pod.name, port)}" if port is not None else ""

    async def _start_pod(self, manifest: Manifest) -> PodProcess:
        name = manifest["metadata"]["name"]
        pod = PodProcess(manifest, self._folder / name)
        self._pods[name] = pod
        program = self._program(pod, None)
        first = fetcher(manifest)
        # As in a cluster, the program starts when what fetches its model has ended well.
        await pod.start(*(program if first is None else self._program(pod, first)))
        self._background(self._watch(pod, None if first is None else program))
        if manifest["spec"]["containers"][0].get("readinessProbe"):
            self._background(self._probe(pod))
        return pod

    def _program(
        self, pod: PodProcess, container: Manifest | None
    ) -> tuple[list[str], dict[str, str]]:
        """Command and environment of a container of a pod."""
        log = pod.termination_log
        variables = local_environment(pod.manifest, self._ports, self._volumes, log, container)
        return local_command(pod.manifest, container), variables

    async def _watch(self, pod: PodProcess, then: tuple[list[str], dict[str, str]] | None) -> None:
        await pod.wait(then)
        self._changed.set()

    async def _probe(self, pod: PodProcess) -> None:
        path = pod.manifest["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"]
        async with aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session:
            while pod.exit_code is None:
                ready = await _answers(session, f"http://{self._address(pod)}{path}")
                if ready != pod.ready:
                    pod.ready = ready
                    self._changed.set()
                await asyncio.sleep(2.0 if ready else 0.1)

    async def _remove_pod(self, pod: PodProcess) -> None:
        await pod.stop()
        self._pods.pop(pod.name, None)
        self._ports.forget(pod.name)
        self._changed.set()

    def _pods_of(self, deployment: str) -> list[PodProcess]:
        return [p for p in self._pods.values() if p.name.rpartition("-")[0] == deployment]

    async def _stop_pods(self, pods: list[PodProcess]) -> None:
        await asyncio.gather(*(self._remove_pod(pod) for pod in pods))

    async def _keep_deployment(self, name: str) -> None:
        """Keep as many pods as the Deployment wants; one that ends is started again."""
        while (deployment := self._deployments.get(name)) is not None:
            for index in range(int(deployment["spec"]["replicas"])):
                if self._deployments.get(name) is not deployment:
                    break
                pod = self._pods.get(f"{name}-{index}")
                if pod is None or _may_restart(pod):
                    await self._start_pod(_pod_of(deployment, index))
            await asyncio.sleep(0.2)

    async def _start_relay(self, name: str) -> None:
        spec = self._services[name]["spec"]
        if spec.get("clusterIP") == "None":
            return
        relay = Relay(int(spec["ports"][0]["port"]), lambda: self._targets(name))
        await relay.start()
        self._relays[name] = relay

    def _targets(self, service: str) -> list[int]:
        selector = self._services[service]["spec"]["selector"].items()
        return [
            self._ports.local(pod.name, port)
            for pod in self._pods.values()
            if pod.ready
            and selector <= pod.labels.items()
            and (port := http_port(pod.manifest)) is not None
        ]

    def _background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _may_restart(pod: PodProcess) -> bool:
    return pod.finish_time is not None and time.time() > pod.finish_time + RESTART_SECONDS


def _pod_of(deployment: Manifest, index: int) -> Manifest:
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": f"{deployment['metadata']['name']}-{index}"}
    return {"kind": "Pod", "metadata": metadata, "spec": template["spec"]}


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
