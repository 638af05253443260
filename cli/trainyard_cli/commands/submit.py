"""`trainyard submit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from trainyard_api.locations import may_change
from trainyard_api.names import ANNOTATION_RETRAIN, SHORT_NAME
from trainyard_api.own_program import brings_its_data
from trainyard_api.spec import TrainingJob
from trainyard_cli.cluster_job import status_of
from trainyard_cli.commands.options import Context, Kubeconfig, Local, Namespace
from trainyard_cli.job_file import read_job
from trainyard_cli.kubectl import Access, Kubectl, find_kubectl


def submit(
    job_file: Annotated[
        Path, typer.Argument(metavar="JOB.yaml", help="The TrainingJob.", show_default=False)
    ],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    local: Local = False,
) -> None:
    """Give a TrainingJob to a cluster: checks it, then `kubectl apply`."""
    job = read_job(job_file)
    kubectl = find_kubectl(Access(namespace, context, kubeconfig, local))
    applied = kubectl.run("apply", "-f", str(job_file)).strip()
    typer.echo(applied)
    if applied.endswith(" unchanged") and (word := _word_of_before(kubectl, job_file, job)):
        typer.echo(word)
    typer.echo(f"Follow it: trainyard status {job.metadata.name} --watch")


def _word_of_before(kubectl: Kubectl, job_file: Path, job: TrainingJob) -> str:
    """What is to be told of a job that is there as it is; empty where it has not trained yet."""
    name, uri = job.metadata.name, job.spec.data.source.uri
    # By the file, which may name a namespace of its own.
    there = json.loads(kubectl.run("get", "-f", str(job_file), "-o", "json"))
    train = status_of(there).stage("Train")
    if train is None or train.state != "Succeeded":
        return ""
    text = f"{name} was trained before, until {train.completionTime}, and is not trained again"
    if not may_change(uri):
        return f"{text}."
    again = f"kubectl annotate {SHORT_NAME} {name} {ANNOTATION_RETRAIN}=$(date +%s) --overwrite"
    if brings_its_data(job.spec):
        text = f"{name} ran before, until {train.completionTime}, and is not run again"
        return f"{text}. Where it is to: {again}"
    return f"{text}. Where the data at {uri} has changed: {again}"
