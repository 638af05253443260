"""`trainyard cluster`: the local cluster is a program of its own."""

from __future__ import annotations

import os
import sys

import typer

MODULE = "trainyard_local"


def cluster(context: typer.Context) -> None:
    """Run a real one-node Kubernetes on this machine: up, down, status, load, kubeconfig, ...

    `trainyard cluster --help` lists everything.
    """
    arguments = context.args or ["--help"]
    sys.stdout.flush()
    # It takes this process's place, so that signals and the exit code are its own.
    os.execv(sys.executable, [sys.executable, "-m", MODULE, *arguments])
