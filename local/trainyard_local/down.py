"""Takes a cluster down, leaving nothing of it on the machine but its state."""

from __future__ import annotations

import contextlib
import shutil

from trainyard_local import leftovers, processes
from trainyard_local.console import Console
from trainyard_local.lock import held
from trainyard_local.ownership import check_owner
from trainyard_local.places import Places, Roots

# In this order: what starts pods, the pods (by the control group), what they and the API rest on.
FIRST = ("kubelet", "kube-scheduler", "kube-controller-manager", "kube-proxy", "coredns")
THEN = ("containerd", "registry", "kube-apiserver")
LAST = ("etcd",)


def down(roots: Roots, name: str, console: Console, *, purge: bool, locked: bool = False) -> None:
    """Stops everything of the cluster.

    Args:
        roots: say where the state lies.
        name: of the cluster.
        console: shows the steps.
        purge: removes the state as well.
        locked: whether the caller holds the cluster's lock.
    """
    places = roots.cluster(name)
    check_owner(places)
    lock = contextlib.nullcontext() if locked else held(places.lock, console, f"changes '{name}'")
    with lock:
        if leftovers.any_left(places):
            with console.step(f"stopping cluster '{name}'"):
                _stop(places)
                leftovers.clear(places)
        else:
            console.say(f"cluster '{name}' is not running")
        if purge and places.state.exists():
            with console.step(f"removing {places.state}"):
                shutil.rmtree(places.state)
    if purge:
        places.lock.unlink(missing_ok=True)


def _stop(places: Places) -> None:
    _end(places, FIRST)
    # Trainers save a checkpoint when they are asked to go.
    processes.end(leftovers.pod_processes(places), patience=2.0)
    _end(places, THEN)
    _end(places, LAST)


def _end(places: Places, names: tuple[str, ...]) -> None:
    marks = [processes.read_mark(places.pids / f"{name}.pid") for name in names]
    processes.end([mark for mark in marks if mark is not None])
