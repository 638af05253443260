"""The whole conversion."""

from __future__ import annotations

import copy
from typing import Any, Final

from trainyard_api.names import API_VERSION, KIND, MAX_JOB_NAME
from trainyard_api.problem import Problem
from trainyard_api.problems import InvalidJob, find_problems, parse_job_object
from trainyard_cli.convert.file import find_tfjob
from trainyard_cli.convert.outcome import Block, Converted, NotConvertible, Note
from trainyard_cli.convert.pod import policy_fields, workers_of
from trainyard_cli.convert.policy import run_policy_of
from trainyard_cli.convert.replicas import gang_of
from trainyard_cli.convert.template import FIELD, leave_out
from trainyard_cli.convert.tfjob import read_spec

_SERVERS: Final = (
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Fields of metadata that the API server writes."""
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_QUEUE: Final = "kueue.x-k8s.io/"
_RESTRICTED: Final = (
    "pods never run as root, and their file system is read-only but for /tmp and mounted volumes; "
    "a program that needs more has to be changed"
)


def convert(text: str) -> Converted:
    """The TrainingJob that a TFJob stands for.

    Args:
        text: YAML with the TFJob.

    Raises:
        NotConvertible: there is none, with the field and the cure.
    """
    document, notes = find_tfjob(text)
    spec = read_spec(document)
    metadata = _metadata(document.get("metadata"), notes)
    gang = gang_of(spec, notes)
    workers = workers_of(gang, notes)
    policy = run_policy_of(spec, f"{gang.field}.restartPolicy", gang.restart_policy, notes)
    policy |= policy_fields(gang)
    job: Block = copy.deepcopy(
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": metadata,
            "spec": {"workers": workers, **({"runPolicy": policy} if policy else {})},
        }
    )
    notes += _fit(job, gang.field)
    notes.append(Note(gang.field, _RESTRICTED))
    return Converted(job, tuple(dict.fromkeys(notes)))


def _metadata(metadata: Any, notes: list[Note]) -> Block:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        made = isinstance(metadata, dict) and "generateName" in metadata
        why = "generateName makes a new job each time; a TrainingJob has one name" if made else ""
        raise NotConvertible("metadata.name", f"is required{f': {why}' if why else ''}")
    kept = {name: value for name, value in metadata.items() if name not in _SERVERS}
    for name in ("ownerReferences", "finalizers", "generateName"):
        if kept.pop(name, None) and name != "generateName":
            notes.append(Note(f"metadata.{name}", "left out: it is another operator's"))
    for kind in ("labels", "annotations"):
        entries = kept.pop(kind, None) or {}
        if not isinstance(entries, dict):
            raise NotConvertible(f"metadata.{kind}", f"must be a block of texts, not {entries!r}")
        entries = dict(entries)
        entries.pop(_APPLIED, None)
        for entry in [name for name in entries if name.startswith(_QUEUE)]:
            del entries[entry]
            text = "left out: queues are not built yet"
            notes.append(Note(f"metadata.{kind}[{entry}]", text))
        kept |= {kind: entries} if entries else {}
    if len(kept["name"]) > MAX_JOB_NAME:
        kept["name"] = kept["name"][:MAX_JOB_NAME].rstrip("-")
        text = (
            f"is {kept['name']} now: pods are named after it, by at most {MAX_JOB_NAME} characters"
        )
        notes.append(Note("metadata.name", text))
    return kept


def _fit(job: Block, role: str) -> list[Note]:
    """Leave out of the template what Trainyard does not take.

    Raises:
        NotConvertible: something else is wrong with the job.
    """
    notes: list[Note] = []
    while problems := _problems(job):
        problem = problems[0]
        if not problem.field.startswith(f"{FIELD}."):
            raise NotConvertible(problem.field, f"cannot be converted: {problem.message}")
        notes.append(leave_out(job["spec"]["workers"]["template"], problem, role))
    _drop_empty(job["spec"]["workers"])
    return notes


def _problems(job: Block) -> list[Problem]:
    try:
        return find_problems(parse_job_object(job))
    except InvalidJob as error:
        # Of the models, which no template check comes before: nothing to leave out.
        first = error.problems[0]
        raise NotConvertible(first.field, f"cannot be converted: {first.message}") from error


def _drop_empty(workers: Block) -> None:
    """What nothing is left of need not be written."""
    template = workers.get("template", {})
    spec = template.get("spec", {})
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        for name in [name for name, value in container.items() if value in ([], {})]:
            del container[name]
    if spec.get("containers") == [{"name": "trainer"}]:
        del spec["containers"]
    for block in (spec, template.get("metadata", {}), template, workers):
        for name in [name for name, value in block.items() if value in ([], {})]:
            # An empty object may mean something deeper down, as in emptyDir: {}.
            del block[name]
