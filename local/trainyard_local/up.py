"""Brings a cluster up, from nothing, from a half-dead one, or from one that runs already."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from trainyard_local import (
    addresses,
    cgroups,
    configs,
    dnsrole,
    kernel,
    leftovers,
    machine,
    network,
    nodebuild,
    packages,
    pki,
    processes,
    sandbox,
    status,
)
from trainyard_local.addresses import Addresses
from trainyard_local.components import Component, components
from trainyard_local.console import Console
from trainyard_local.down import down
from trainyard_local.errors import ClusterError, Refused
from trainyard_local.extent import Extent
from trainyard_local.lock import held
from trainyard_local.ownership import check_owner
from trainyard_local.places import RUN_ROOT, Places, Roots
from trainyard_local.readiness import Waiter


def up(roots: Roots, name: str, console: Console, extent: Extent, *, fresh: bool) -> None:
    """Brings the cluster up; says so and does nothing when it is.

    Args:
        roots: say where things lie.
        name: of the cluster.
        console: shows the steps.
        extent: what to start.
        fresh: forgets the cluster's objects first; images stay.

    Raises:
        Refused: the machine cannot run a cluster.
        ClusterError: something failed; the message says what.
    """
    places = roots.cluster(name)
    if not fresh and is_up(roots, name, extent):
        console.say(f"cluster '{name}' is already up; kubeconfig: {places.kubeconfig}")
        return
    runs_pods = not extent.control_plane_only
    check_machine(roots, runs_pods=runs_pods)
    prepare_machine(roots, console, runs_pods=runs_pods)
    programs = nodebuild.build(roots, console)
    with held(places.lock, console, f"changes '{name}'"):
        check_owner(places)
        if fresh:
            down(roots, name, console, purge=False, locked=True)
            forget_objects(places)
        Start(places, programs, console, extent).run()
    console.say(f"cluster '{name}' is up; kubeconfig: {places.kubeconfig}")


def is_up(roots: Roots, name: str, extent: Extent) -> bool:
    """Returns whether there is nothing left to do for `up`."""
    places = roots.cluster(name)
    found = status.look(roots, name)
    there = status.extent_of(places)
    chosen = addresses.read(places.addresses)
    if not (chosen and there and there.covers(extent)):
        return False
    if not (found.state == "up" and network.exists(places)):
        return False
    return Waiter(places, chosen).is_settled(runs_pods=not there.control_plane_only)


def check_machine(roots: Roots, *, runs_pods: bool = True) -> None:
    """Refuses a machine that cannot run a cluster, or the control plane alone.

    Raises:
        Refused: it cannot.
    """
    missing = [need.program for need in packages.missing(packages.needs(runs_pods=runs_pods))]
    reason = machine.reason_against(machine.look(roots, missing), runs_pods=runs_pods)
    if reason is not None:
        raise Refused(reason)


def prepare_machine(roots: Roots, console: Console, *, runs_pods: bool = True) -> None:
    """Installs the system's programs that are missing."""
    missing = packages.missing(packages.needs(runs_pods=runs_pods))
    packages.install(missing, roots.state / packages.INSTALL_LOG, console)


def forget_objects(places: Places) -> None:
    """Removes all that the API server and the kubelet know. Images and certificates stay."""
    for folder in (places.etcd, places.kubelet, places.pod_logs):
        shutil.rmtree(folder, ignore_errors=True)


class Start:
    """One start of a cluster, step by step; each leaves alone what is there already.

    Args:
        places: of the cluster.
        programs: the folder of the programs that were built.
        console: shows the steps.
        extent: what to start.
    """

    def __init__(self, places: Places, programs: Path, console: Console, extent: Extent) -> None:
        self._places = places
        self._programs = programs
        self._console = console
        there = status.extent_of(places) if network.exists(places) else None
        if there is not None and extent.audit_user not in (None, there.audit_user):
            raise ClusterError(
                f"the API server of '{places.name}' was started without --audit for this user; "
                f"'trainyard cluster down --name {places.name}' first, or 'up --fresh'"
            )
        # A whole cluster stays whole when only its control plane is asked for.
        self._extent = extent if there is None else extent.joined(there)
        self._since = dt.datetime.now(dt.UTC)

    def run(self) -> None:
        """Does all steps."""
        self._clear_leftovers()
        chosen = self._choose_addresses()
        self._prepare(chosen)
        parts = {
            part.name: part
            for part in components(self._places, chosen, self._programs, self._extent)
        }
        waiter = Waiter(self._places, chosen)
        with self._console.step("control plane"):
            self._launch(parts, "etcd", "kube-apiserver", "containerd", "registry")
            waiter.for_api_server()
            self._launch(parts, "kube-controller-manager", "kube-scheduler")
        if self._extent.control_plane_only:
            with self._console.step("controllers"):
                waiter.for_default_namespace()
            return
        with self._console.step("node"):
            waiter.for_containerd()
            sandbox.ensure(self._places, self._programs / nodebuild.PAUSE)
            self._launch(parts, "kubelet", "kube-proxy")
            dnsrole.grant(waiter.api)
            self._launch(parts, "coredns")
            waiter.for_node(self._since)
        with self._console.step("services and names"):
            waiter.for_service_network()
            waiter.for_dns()
            waiter.for_registry()
            waiter.for_default_namespace()

    def _clear_leftovers(self) -> None:
        """Keeps what lives; clears what a crash or a restart of the machine left behind."""
        processes.kill(leftovers.strays(self._places))
        lives = network.exists(self._places) and leftovers.programs(self._places)
        if lives or not leftovers.any_left(self._places):
            return
        with self._console.step("clearing what an earlier run left behind"):
            leftovers.clear(self._places)

    def _choose_addresses(self) -> Addresses:
        places = self._places
        taken = network.taken(places.name)
        known = addresses.read(places.addresses)
        if known is not None:
            other = addresses.conflict(known, taken)
            if other is not None:
                raise ClusterError(
                    f"the machine now uses {other}, which the cluster '{places.name}' was made "
                    "with; leave that network, or remove the cluster by "
                    f"'trainyard cluster down --purge --name {places.name}'"
                )
            return known
        with held(places.state.parent / ".addresses.lock", self._console, "chooses addresses"):
            siblings = places.state.parent.glob("*/addresses.json")
            others = [found for path in siblings if (found := addresses.read(path))]
            reserved = [item for other in others for item in other.networks()]
            chosen = addresses.choose(places.name, [*taken, *reserved])
            addresses.write(places.addresses, chosen)
        return chosen

    def _prepare(self, chosen: Addresses) -> None:
        places = self._places
        with self._console.step("certificates, network and control group"):
            places.run.mkdir(parents=True, exist_ok=True)
            places.owner.write_text(f"{places.state}\n")
            places.extent.write_text(f"{self._extent.to_text()}\n")
            pki.ensure(places.pki, pki.identities(places.name, chosen), self._since)
            configs.write_all(places, chosen, packages.cni_folder(), self._extent.audit_user)
            places.etcd.mkdir(mode=0o700, exist_ok=True)
            if not network.exists(places):
                network.remove(places)
                network.create(places, chosen)
            if not self._extent.control_plane_only:
                cgroups.create(places.cgroup)
                others = list(RUN_ROOT.glob(f"*/{places.kernel_settings.name}"))
                kernel.remember(places.kernel_settings, others)

    def _launch(self, parts: dict[str, Component], *names: str) -> None:
        """Starts the programs that are wanted and do not live."""
        for name in names:
            pid_file = self._places.pids / f"{name}.pid"
            if name not in parts or processes.is_alive(processes.read_mark(pid_file)):
                continue
            command = [*network.entering(self._places), *parts[name].command]
            processes.start(command, pid_file, self._places.log_of(name))
