"""A job of a cluster: followed while it runs, and shown when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from trainyard_api.names import LABEL_JOB
from trainyard_api.status import TrainingJobStatus
from trainyard_cli.errors import CliError
from trainyard_cli.kubectl import Kubectl
from trainyard_cli.show.display import choose_display
from trainyard_cli.show.ending import (
    prediction_url,
    render_failure,
    render_results,
    show_endpoint,
)

ENDED = ("Succeeded", "Failed")
"""Phases in which a job stays until its spec changes."""


def status_of(document: dict[str, Any]) -> TrainingJobStatus:
    """The status in a TrainingJob as the cluster keeps it.

    Raises:
        CliError: another version of Trainyard wrote it.
    """
    try:
        return TrainingJobStatus.model_validate(document.get("status", {}))
    except ValueError as error:
        raise CliError(f"the job's status was written by another version: {error}") from error


def follow(kubectl: Kubectl, name: str, console: Console) -> dict[str, Any]:
    """Show a job until it has ended; the job as it was then.

    Raises:
        CliError: the job or the cluster is gone.
    """
    with choose_display(name, console) as display:
        for document in _changes(kubectl, name):
            found = status_of(document)
            display.update(found)
            if found.phase in ENDED:
                return document
    raise CliError(f"{name} cannot be watched any more")


def show_end(document: dict[str, Any], console: Console) -> None:
    """Tables, failure and endpoint of a job, as far as it has them."""
    found = status_of(document)
    metadata = document["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    console.print(render_results(found))
    if found.phase == "Failed":
        logs = f"kubectl logs -n {namespace} -l {LABEL_JOB}={name} --prefix"
        console.print(render_failure(found, logs))
    if found.serving is not None and found.serving.url:
        model = (document["spec"].get("serving") or {}).get("name") or name
        url = prediction_url(found.serving.url, model)
        show_endpoint(console, url, [f"trainyard predict {name} -n {namespace} --data DIR"])


def _changes(kubectl: Kubectl, name: str) -> Iterator[dict[str, Any]]:
    """The job at every change."""
    while True:
        # A watch begins with the job as it is, so nothing is missed when the server ends one.
        yield from kubectl.watch_job(name)
        # Says so if the job is gone: a new watch would wait for it without a word.
        kubectl.job(name)
