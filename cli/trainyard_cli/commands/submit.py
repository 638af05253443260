"""`trainyard submit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from trainyard_api.documents import read_documents
from trainyard_api.locations import may_change
from trainyard_api.names import ANNOTATION_RETRAIN, CODE_KEY, SHORT_NAME
from trainyard_api.spec import TrainingJob
from trainyard_cli.cluster_job import status_of
from trainyard_cli.commands.options import Code, Context, Kubeconfig, Local, Namespace
from trainyard_cli.job_file import read_job
from trainyard_cli.kubectl import Access, Kubectl, find_kubectl
from trainyard_cli.own_code import Packed, build_config_map, pack, with_owner


def submit(
    job_file: Annotated[
        Path, typer.Argument(metavar="JOB.yaml", help="The TrainingJob.", show_default=False)
    ],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    local: Local = False,
    code: Code = None,
) -> None:
    """Give a TrainingJob to a cluster: checks it, then `kubectl apply`.

    With --code DIR the folder goes into a ConfigMap, which is deleted with the job.
    """
    job = read_job(job_file)
    packed = pack(code) if code is not None else None
    kubectl = find_kubectl(Access(namespace, context, kubeconfig, local))
    if packed is None:
        applied = kubectl.run("apply", "-f", str(job_file)).strip()
    else:
        applied = _apply_with_code(kubectl, job_file, packed)
    typer.echo(applied)
    if applied.endswith(" unchanged") and (word := _word_of_before(kubectl, job_file, job)):
        typer.echo(word)
    typer.echo(f"Follow it: trainyard status {job.metadata.name} --watch")


def _apply_with_code(kubectl: Kubectl, job_file: Path, packed: Packed) -> str:
    """Bring the code and then the job, to which the code belongs from then on."""
    document = cast(dict[str, Any], read_documents(job_file.read_text())[0])
    name, namespace = document["metadata"]["name"], document["metadata"].get("namespace")
    config_map = build_config_map(name, namespace, packed)
    _bring(kubectl, config_map)
    uri = f"configmap://{config_map['metadata']['name']}/{CODE_KEY}"
    document["spec"]["code"] = {"uri": uri, "sha256": packed.sha256}
    applied = kubectl.run("apply", "-f", "-", given=json.dumps(document)).strip()
    there = json.loads(kubectl.run("get", "-f", str(job_file), "-o", "json"))
    _bring(kubectl, with_owner(config_map, there))
    typer.echo(f"code: {packed.files} files, {len(packed.content):,} bytes, at {uri}")
    return applied


def _bring(kubectl: Kubectl, config_map: dict[str, Any]) -> None:
    # By the server: kubectl's own way keeps a copy in an annotation, which holds a quarter.
    given = json.dumps(config_map)
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", "-", given=given)


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
    return (
        f"{text}. Where the data at {uri} has changed: "
        f"kubectl annotate {SHORT_NAME} {name} {ANNOTATION_RETRAIN}=$(date +%s) --overwrite"
    )
