"""Reports on a cluster: which programs live, and where to find what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from trainyard_local import addresses, nodebuild, processes
from trainyard_local.api import Api
from trainyard_local.components import components
from trainyard_local.errors import ClusterError
from trainyard_local.extent import CONTROL_PLANE, WHOLE, Extent
from trainyard_local.places import Places, Roots


@dataclass(frozen=True)
class ComponentStatus:
    """One program of the cluster."""

    name: str
    alive: bool
    pid: int | None
    log: str


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster, as `status -o json` prints it.

    Attributes:
        state: `up`, `partial` (some programs are missing) or `down`.
        mode: `whole` or `control-plane`; None when it never ran since the machine's start.
        ready: whether the API server serves.
        audit_log: where the API server notes down requests; None where it does not.
    """

    name: str
    state: str
    mode: str | None
    ready: bool
    server: str | None
    node_ip: str | None
    registry: str | None
    pod_network: str | None
    service_network: str | None
    kubeconfig: str | None
    state_dir: str
    logs_dir: str
    audit_log: str | None
    bin_dir: str | None
    containerd_socket: str
    components: list[ComponentStatus]

    def to_json(self) -> dict[str, object]:
        """Returns the plain data."""
        return asdict(self)


def extent_of(places: Places) -> Extent | None:
    """Returns what the cluster was started as, None when it was not."""
    try:
        return Extent.from_text(places.extent.read_text())
    except FileNotFoundError:
        return None


def verdict(alive: int, expected: int) -> str:
    """Names the state of a cluster by the number of its programs that live."""
    if alive == 0:
        return "down"
    return "up" if alive >= expected else "partial"


def look(roots: Roots, name: str) -> ClusterStatus:
    """Looks at a cluster; changes nothing."""
    places = roots.cluster(name)
    chosen = addresses.read(places.addresses)
    extent = extent_of(places)
    mode = extent.mode if extent else None
    programs = nodebuild.built(roots)
    parts: list[ComponentStatus] = []
    if chosen is not None and extent is not None:
        for component in components(places, chosen, Path("/"), extent):
            parts.append(_component(places, component.name))
    return ClusterStatus(
        name=name,
        state=verdict(sum(part.alive for part in parts), len(parts)),
        mode=mode,
        ready=chosen is not None and any(p.alive for p in parts) and _is_ready(places, chosen),
        server=chosen.server if chosen else None,
        node_ip=chosen.node_ip if chosen else None,
        registry=chosen.registry if chosen and mode != CONTROL_PLANE else None,
        pod_network=chosen.pod_network if chosen else None,
        service_network=chosen.service_network if chosen else None,
        kubeconfig=str(places.kubeconfig) if places.kubeconfig.exists() else None,
        state_dir=str(places.state),
        logs_dir=str(places.logs),
        audit_log=str(places.audit_log) if extent and extent.audit_user else None,
        bin_dir=str(programs) if programs else None,
        containerd_socket=str(places.containerd_socket),
        components=parts,
    )


def running(roots: Roots, name: str, *, whole: bool = False) -> ClusterStatus:
    """Returns the status of a cluster that must be running.

    Args:
        roots: say where the state lies.
        name: of the cluster.
        whole: whether it must be able to run pods.

    Raises:
        ClusterError: it does not run.
    """
    status = look(roots, name)
    start = f"start it by 'trainyard cluster up --name {name}'"
    if not status.ready:
        raise ClusterError(f"the cluster '{name}' is not running; {start}")
    if whole and status.mode != WHOLE:
        raise ClusterError(f"of the cluster '{name}' only the control plane is running; {start}")
    return status


def _component(places: Places, name: str) -> ComponentStatus:
    mark = processes.read_mark(places.pids / f"{name}.pid")
    alive = processes.is_alive(mark)
    pid = mark.pid if mark is not None and alive else None
    return ComponentStatus(name, alive, pid, str(places.log_of(name)))


def _is_ready(places: Places, chosen: addresses.Addresses) -> bool:
    try:
        return Api.of(places, chosen, timeout=2.0).is_ready()
    except ClusterError:
        return False
