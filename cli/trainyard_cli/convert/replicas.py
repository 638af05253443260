"""From a TFJob's roles to one gang: how many workers, and whose pod they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trainyard_cli.convert.outcome import Block, NotConvertible, Note
from trainyard_cli.convert.pod_fields import check_template
from trainyard_cli.convert.tfjob import Replica, Role, TfJobSpec

CONTAINER: Final = "tensorflow"
_REPLICAS: Final = "spec.tfReplicaSpecs"


@dataclass(frozen=True)
class Gang:
    """The workers.

    Attributes:
        field: of the role whose pod they have.
        count: how many they are.
        pod: the spec of their pod.
        metadata: of their pod.
        restart_policy: as the TFJob names it.
    """

    field: str
    count: int
    pod: Block
    metadata: Block
    restart_policy: str

    @property
    def container(self) -> Block:
        """The program's container."""
        return program_of(self.pod)


def gang_of(spec: TfJobSpec, notes: list[Note]) -> Gang:
    """The gang of a TFJob.

    Raises:
        NotConvertible: it has parameter servers, no worker, or workers of different programs.
    """
    if spec.replica("PS") is not None:
        raise NotConvertible(
            f"{_REPLICAS}.PS",
            "parameter servers take gradients one by one, as they come; Trainyard runs workers "
            "that reduce each step together (tf.distribute.MultiWorkerMirroredStrategy). Take PS "
            "out, and use that strategy in the program: it finds the workers in TF_CONFIG",
        )
    chief_role = _chief_role(spec)
    chief = _checked(chief_role, spec.replica(chief_role)) if chief_role else None
    worker = _checked("Worker", spec.replica("Worker"))
    if chief is not None and chief.replicas != 1:
        raise NotConvertible(
            f"{_REPLICAS}.{chief_role}.replicas", f"is {chief.replicas}; a gang has one chief"
        )
    if spec.replica("Evaluator") is not None:
        notes.append(
            Note(
                f"{_REPLICAS}.Evaluator",
                "left out: no pod evaluates beside the gang; let the program evaluate at its end, "
                "or run the evaluator as a job of its own",
            )
        )
    if chief is not None and chief_role is not None:
        return _with_chief(chief_role, chief, worker, notes)
    if worker is None:
        raise NotConvertible(_REPLICAS, "has neither Worker nor Chief; nothing would train")
    return _gang("Worker", worker, worker.replicas)


def _with_chief(role: Role, chief: Replica, worker: Replica | None, notes: list[Note]) -> Gang:
    text = (
        "is worker 0 now: TF_CONFIG names workers alone, so a program that looks for the task "
        f"{role.lower()} has to look for the worker with index 0"
    )
    notes.append(Note(f"{_REPLICAS}.{role}", text))
    if worker is None:
        return _gang(role, chief, 1)
    _same_program(role, chief, worker)
    _tell_differences(role, chief, worker, notes)
    gang = _gang(role, chief, 1 + worker.replicas)
    gang.container["resources"] = program_of(_pod(worker)).get("resources", {})
    return gang


def program_of(pod: Block) -> Block:
    """The container of a pod that has the program's name."""
    return next(item for item in pod["containers"] if item.get("name") == CONTAINER)


def _chief_role(spec: TfJobSpec) -> Role | None:
    chiefs: tuple[Role, Role] = ("Chief", "Master")
    there = [role for role in chiefs if spec.replica(role) is not None]
    if len(there) > 1:
        raise NotConvertible(f"{_REPLICAS}.Master", "is a second chief; keep Chief or Master")
    return there[0] if there else None


def _checked(role: Role, replica: Replica | None) -> Replica | None:
    if replica is None:
        return None
    field = f"{_REPLICAS}.{role}"
    if replica.replicas < 1:
        raise NotConvertible(f"{field}.replicas", f"is 0; leave {role} out, or make it at least 1")
    check_template(f"{field}.template", replica.template)
    containers = _pod(replica).get("containers", [])
    names = [container.get("name") for container in containers]
    if CONTAINER not in names:
        there = f"there is {', '.join(map(str, names))}" if names else "there is none"
        raise NotConvertible(
            f"{field}.template.spec.containers",
            f"none is named {CONTAINER}, as the program's has to be; {there}",
        )
    return replica


def _pod(replica: Replica) -> Block:
    spec: Block = replica.template.get("spec", {})
    return spec


def _gang(role: Role, replica: Replica, count: int) -> Gang:
    pod = _pod(replica)
    # Copies, as far down as they are changed.
    pod = {**pod, "containers": [dict(container) for container in pod["containers"]]}
    return Gang(
        field=f"{_REPLICAS}.{role}",
        count=count,
        pod=pod,
        metadata=replica.template.get("metadata", {}),
        restart_policy=replica.restartPolicy or "Never",
    )


def _same_program(role: Role, chief: Replica, worker: Replica) -> None:
    """See that chief and workers run one program."""
    of_chief, of_worker = program_of(_pod(chief)), program_of(_pod(worker))
    for name in ("image", "command", "args"):
        if of_chief.get(name) != of_worker.get(name):
            raise NotConvertible(
                f"{_REPLICAS}.{role}.template.spec.containers[{CONTAINER}].{name}",
                f"is {of_chief.get(name)}, and of Worker {of_worker.get(name)}: a gang runs one "
                "program; make them alike, and let it tell by TF_CONFIG what it is to do",
            )


def _tell_differences(role: Role, chief: Replica, worker: Replica, notes: list[Note]) -> None:
    """Say what of a worker's pod does not count: a gang's pods are alike."""
    field = f"{_REPLICAS}.Worker"
    mine, other = _pod(worker), _pod(chief)
    for name in sorted((mine.keys() | other.keys()) - {"containers"}):
        if mine.get(name) != other.get(name):
            text = f"differs from that of {role}, which counts for all workers"
            notes.append(Note(f"{field}.template.spec.{name}", text))
    mine, other = program_of(mine), program_of(other)
    place = f"containers[{CONTAINER}]"
    for name in sorted(mine.keys() | other.keys()):
        if mine.get(name) == other.get(name):
            continue
        text = f"differs from that of {role}, which counts for all workers"
        if name == "resources":
            text = f"differs from that of {role}; this one counts for all workers"
        notes.append(Note(f"{field}.template.spec.{place}.{name}", text))
    if worker.template.get("metadata") != chief.template.get("metadata"):
        text = f"differs from that of {role}, which counts for all workers"
        notes.append(Note(f"{field}.template.metadata", text))
    if worker.restartPolicy != chief.restartPolicy:
        text = f"differs from that of {role}, which counts: a gang restarts as a whole"
        notes.append(Note(f"{field}.restartPolicy", text))
