"""Train: a gang of workers learns and evaluates the model; the gates decide on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trainyard_api.locations import may_change
from trainyard_api.names import ANNOTATION_RETRAIN, gang_service_name
from trainyard_api.own_program import asked_of_training
from trainyard_api.results import TerminationMessage, TrainResult
from trainyard_api.spec import Evaluation, Gate, TrainingJob
from trainyard_api.spec.data import NO_DATA
from trainyard_api.status import Artifacts, EvaluationStatus
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import fail
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.drift import policy_digest, service_digest
from trainyard_operator.build.networking import build_gang_policy, build_gang_service
from trainyard_operator.build.pods import build_workers


@dataclass(frozen=True)
class Train:
    """The stage."""

    name: Literal["Train"] = "Train"
    phase: Literal["Training"] = "Training"

    def size(self, job: TrainingJob) -> int:
        """As many pods as the job wants workers."""
        return job.spec.workers.replicas

    def prepare(self, draft: Draft) -> None:
        """Names by which the workers find each other, and a fence around them."""
        service = build_gang_service(draft.job, draft.run)
        policy = build_gang_policy(draft.job, draft.run)
        name = gang_service_name(draft.job.metadata.name, draft.run)
        services = {s.name: s.digest for s in draft.observed.services if s.stage == "train"}
        policies = {p.name: p.digest for p in draft.observed.policies}
        _keep(draft, service, services.get(name), service_digest(service))
        _keep(draft, policy, policies.get(name), policy_digest(policy))
        for other in services.keys() - {name}:
            draft.delete("Service", other)
        for other in policies.keys() - {name}:
            draft.delete("NetworkPolicy", other)

    def build(
        self, draft: Draft, attempt: int, indexes: Sequence[int], size: int
    ) -> list[Manifest]:
        """Workers."""
        return build_workers(draft.job, draft.run, attempt, indexes, draft.settings, size)

    def asked(self, job: TrainingJob) -> str:
        """A program of one's own may end without a result where nothing is done with one."""
        return asked_of_training(job.spec)

    def finish(self, draft: Draft, result: TerminationMessage | None) -> None:
        """The model is trained and measured; a gate that does not hold fails the run."""
        if result is None:
            _end_silently(draft)
            return
        if result.train is None:
            raise ValueError("no result of Train")
        _take_up(draft, result.train)


def failed_gates(evaluation: Evaluation, metrics: dict[str, float]) -> list[str]:
    """What does not hold, a sentence each; empty where all gates pass."""
    return [text for gate in evaluation.gates if (text := _check(gate, metrics)) is not None]


def _check(gate: Gate, metrics: dict[str, float]) -> str | None:
    value = metrics.get(gate.metric)
    if value is None:
        return f"{gate.metric} was not measured"
    if gate.minimum is not None and not value >= gate.minimum:
        return f"{gate.metric} {value:.4f} is below the minimum {gate.minimum:g}"
    if gate.maximum is not None and not value <= gate.maximum:
        return f"{gate.metric} {value:.4f} is above the maximum {gate.maximum:g}"
    return None


def _keep(draft: Draft, wanted: Manifest, there: str | None, digest: str) -> None:
    if there is None:
        draft.create(wanted)
    elif there != digest:
        draft.replace(wanted)


def _take_up(draft: Draft, result: TrainResult) -> None:
    text = f"{result.epochs} epochs, {result.steps} steps"
    text += " (stopped early)" if result.stoppedEarly else ""
    draft.update_stage("Train", state="Succeeded", completionTime=draft.timestamp, message=text)
    artifacts = Artifacts(model=result.model, keras=result.keras, prepared=result.prepared)
    draft.update(artifacts=artifacts, data=result.data, progress=None)
    notes = result.data.notes if result.data is not None else []
    # Once, and not afterwards: what a condition says of a run that is done stays as it is.
    said = "; ".join([text, *notes, *_way_to_train_again(draft.job.spec.data.source.uri)])
    draft.set_condition("Trained", "True", "TrainingFinished", said)
    draft.event("Normal", "Trained", text)
    _evaluate(draft, result)


def _end_silently(draft: Draft) -> None:
    text = "the program ended well and reported no result"
    draft.update_stage("Train", state="Succeeded", completionTime=draft.timestamp, message=text)
    draft.update(progress=None)
    said = f"{text}, as it may where nothing in the spec asks for one (docs/own-program.md)"
    ways = _way_to_train_again(draft.job.spec.data.source.uri)
    draft.set_condition("Trained", "True", "ProgramEnded", "; ".join([said, *ways]))
    draft.event("Normal", "Trained", text)


def _way_to_train_again(uri: str) -> list[str]:
    """What to do when other data lies at the same address: nobody looks there again."""
    if not may_change(uri):
        return []
    if uri == NO_DATA:
        return [f"annotate {ANNOTATION_RETRAIN} to run it again"]
    return [f"annotate {ANNOTATION_RETRAIN} to train again where the data at {uri} has changed"]


def _evaluate(draft: Draft, result: TrainResult) -> None:
    evaluation = draft.job.spec.evaluation
    failures = failed_gates(evaluation, result.metrics)
    gates = "None" if not evaluation.gates else "Failed" if failures else "Passed"
    draft.update(
        evaluation=EvaluationStatus(metrics=result.metrics, examples=result.examples, gates=gates)
    )
    measured = ", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items())
    if failures:
        draft.set_condition("Evaluated", "False", "GateFailed", "; ".join(failures))
        fail(draft, "GateFailed", f"nothing is rolled out: {'; '.join(failures)}")
        return
    reason = "GatesPassed" if gates == "Passed" else "Measured"
    draft.set_condition("Evaluated", "True", reason, measured)
    draft.event("Normal", "Evaluated", f"{measured} on {result.examples} examples")
